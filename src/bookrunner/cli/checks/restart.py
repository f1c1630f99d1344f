"""A signing key that somebody else used, or a token that changed, and the two people who let it go on."""

from __future__ import annotations

from typing import Annotated

import typer

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Id
from bookrunner.cli.screen import app, console, one_name
from bookrunner.engine.issuance import Outcome, start_again
from bookrunner.sandbox.world import opened

_SAID = {
    Outcome.PROPOSED: "proposed; a second person runs the same command",
    Outcome.STARTED: "goes on when the worker starts again; what a key had dropped is delivered anew",
    Outcome.MISTAKEN: "signs again; the chain holds our own transaction",
}


@app.command()
def restart(
    offer: Id,
    *,
    because: Annotated[str, typer.Option(help="Why it may go on; the first person says it.")] = "",
    actor: Annotated[str, typer.Option(help="The person who decides.", callback=one_name)],
) -> None:
    """Propose or, as a second person, approve that what is stopped of an offer goes on."""
    with opened(read_settings()) as world:
        registry, chain = world.application.desk.registry, world.application.chain
        for what, outcome in start_again(registry, chain, offer, actor=actor, because=because):
            console.print(f"{what}: {_SAID[outcome]}")
