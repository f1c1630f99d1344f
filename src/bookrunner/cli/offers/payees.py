"""Payees other than the holder: proposed with evidence, screened, agreed to by another person."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.books import registry
from bookrunner.cli.offers import Actor, Id, require_offer
from bookrunner.cli.screen import app, console, keep_facts
from bookrunner.core.errors import NotFound
from bookrunner.sandbox.world import opened

_MOST = 200

payee = typer.Typer(help="Who receives what a holder is paid.", no_args_is_help=True)
app.add_typer(payee, name="payee")


@payee.command("list")
def list_all(offer: Id) -> None:
    """List the payees of an offer's holders that wait or are in force."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        rows = registry.holders_of(world.application.database).payee_mandates(offering=offer, most=_MOST)
    table = Table("mandate", "state", "holder", "payee", "version")
    for row in rows:
        named = (row["investor_id"], row["payee_id"], str(row["version"]))
        table.add_row(row["mandate_id"], row["status"], *named)
    console.print(table)


@payee.command("propose")
def propose(
    offer: Id,
    holder: Id,
    name: Annotated[str, typer.Argument(metavar="PAYEE", help="The holder itself ends an earlier payee.")],
    evidence: Annotated[Path, typer.Argument(help="What the holder signed; its SHA-256 is kept.")],
    *,
    because: Annotated[str, typer.Option("--because", help="Why.")],
    actor: Actor,
) -> None:
    """Propose who receives what a holder is paid, and screen it; meanwhile the holder is paid nothing."""
    said = {"holder": holder, "payee": name, "because": because}
    said["sha256"] = hashlib.sha256(evidence.read_bytes()).hexdigest()
    with opened(read_settings()) as world:
        made = world.application.distributions.name_payee(offer, said, actor=actor)
        world.application.screening.drain()
    keep_facts(mandate=made)
    console.print(f"{made} waits for a second person: bookrunner payee decide {offer} {made}")


@payee.command("decide")
def decide(
    offer: Id,
    name: Id,
    *,
    decline: Annotated[bool, typer.Option("--decline", help="Decline it.")] = False,
    actor: Actor,
) -> None:
    """Put a payee in force, or decline it, as another person than who proposed it."""
    with opened(read_settings()) as world:
        holders = registry.holders_of(world.application.database)
        rows = holders.payee_mandates(offering=offer, most=_MOST)
        seen = {row["mandate_id"]: row["version"] for row in rows}
        if name not in seen:
            raise NotFound(f"no mandate {name} waits in {offer}")
        holders.decide_payee(
            actor=actor, offering=offer, mandate=name, is_agreed=not decline, seen=seen[name]
        )
    console.print(f"{name}: {'declined' if decline else 'in force'}")
