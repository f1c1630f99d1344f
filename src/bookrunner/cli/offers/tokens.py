"""Payments in tokens: what two people say of one whose final transaction moved nothing."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Actor, Id, require_offer
from bookrunner.cli.offers.distributions import distribution
from bookrunner.cli.screen import console, keep_facts
from bookrunner.core.errors import UnknownRecord
from bookrunner.sandbox.world import opened

Because = Annotated[str, typer.Option("--because", help="Why.")]


@distribution.command("findings")
def findings(offer: Id) -> None:
    """List payments in tokens whose final transaction did not move what they order."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        rows = world.application.distributions.payments.payment_findings(offering=offer)
    table = Table("order", "line", "finding", "state", "why")
    for row in rows:
        named = (row["payout_id"], row["disbursement_id"], row["finding_id"] or "")
        table.add_row(*named, row["status"], row["because"] or "")
    console.print(table)


@distribution.command("close-payment")
def close_payment(offer: Id, order: Id, *, because: Because, actor: Actor) -> None:
    """Say that the final transaction of an order moved nothing; another person opens its line again."""
    with opened(read_settings()) as world:
        made = world.application.payments.propose_closing(offer, order, because, actor=actor)
    keep_facts(finding=made)
    console.print(f"{made} waits for a second person: bookrunner distribution agree-finding {offer} {made}")


@distribution.command("agree-finding")
def agree_finding(
    offer: Id,
    finding: Id,
    *,
    because: Because,
    decline: Annotated[bool, typer.Option("--decline", help="Decline it.")] = False,
    actor: Actor,
) -> None:
    """Open the line of that order for another try as a second person, or decline."""
    with opened(read_settings()) as world:
        app = world.application
        rows = app.distributions.payments.payment_findings(offering=offer)
        seen = next((row["version"] for row in rows if row["finding_id"] == finding), None)
        if seen is None:
            raise UnknownRecord("finding_exists", f"there is no finding {finding} in {offer}")
        app.payments.decide_closing(offer, finding, because, is_agreed=not decline, seen=seen, actor=actor)
    console.print(f"{finding}: {'declined' if decline else 'closed'}")
