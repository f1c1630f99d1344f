"""A signing key that somebody else used, and the two people who let it sign again."""

from __future__ import annotations

from typing import Annotated

import typer

from bookrunner.adapters.chain import checksum
from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Id
from bookrunner.cli.screen import app, console, one_name
from bookrunner.core.errors import Refused
from bookrunner.sandbox.world import opened


@app.command()
def restart(
    offer: Id,
    *,
    because: Annotated[str, typer.Option(help="Why the key may sign again; the first person says it.")] = "",
    actor: Annotated[str, typer.Option(help="The person who decides.", callback=one_name)],
) -> None:
    """Propose or, as a second person, approve that the stopped keys of an offer sign again."""
    with opened(read_settings()) as world:
        registry = world.application.desk.registry
        stops = registry.key_stops(offering=offer)
        if not stops:
            raise Refused("started_key_is_stopped", f"no key of {offer} is stopped")
        for row in stops:
            of, key = {"offering": offer, "stop": row["stop_id"]}, checksum(row["sender"])
            if row["status"] == "stopped":
                registry.propose_start(actor=actor, because=because, **of)
                console.print(f"{key}: proposed; a second person runs the same command")
                continue
            counted = world.application.chain.nonce(row["sender"], "finalized")
            registry.start_key(actor=actor, next_nonce=counted, **of)
            console.print(f"{key}: signs again; what it had dropped waits for the next closing")
