"""A signing key that somebody else used, and the two people who let it sign again."""

from __future__ import annotations

from typing import Annotated

import typer

from bookrunner.adapters.chain import checksum
from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Id
from bookrunner.cli.screen import app, console, one_name
from bookrunner.engine.issuance import Outcome, start_again
from bookrunner.sandbox.world import opened

_SAID = {
    Outcome.PROPOSED: "proposed; a second person runs the same command",
    Outcome.STARTED: "signs again; what it had dropped leaves its closing when the worker starts again",
    Outcome.MISTAKEN: "signs again; the chain holds our own transaction",
}


@app.command()
def restart(
    offer: Id,
    *,
    because: Annotated[str, typer.Option(help="Why the key may sign again; the first person says it.")] = "",
    actor: Annotated[str, typer.Option(help="The person who decides.", callback=one_name)],
) -> None:
    """Propose or, as a second person, approve that the stopped keys of an offer sign again."""
    with opened(read_settings()) as world:
        registry, chain = world.application.desk.registry, world.application.chain
        for key, outcome in start_again(registry, chain, offer, actor=actor, because=because):
            console.print(f"{checksum(key)}: {_SAID[outcome]}")
