"""Payments in tokens: what two people say of one that moved nothing, and of a wallet whose key is lost."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Actor, Id, require_offer
from bookrunner.cli.offers.distributions import distribution
from bookrunner.cli.screen import console, keep_facts
from bookrunner.core.errors import UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.core.money import grouped
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


@distribution.command("losses")
def losses(offer: Id) -> None:
    """List paying wallets whose key is lost, with what each payment lost and what is not made good."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        rows = world.application.distributions.payments.wallet_losses(offering=offer)
    table = Table("loss", "wallet", "state", "distribution", "lost", "open")
    for row in rows:
        keys = ("amount_minor", "open_minor") if row["distribution_id"] is not None else ()
        sums = [grouped(row[key], row["currency"]) for key in keys]
        named = (row["loss_id"], row["wallet_id"], row["status"], row["distribution_id"] or "")
        table.add_row(*named, *sums)
    console.print(table)


@distribution.command("lost-wallet")
def lost_wallet(offer: Id, wallet: Id, *, because: Because, actor: Actor) -> None:
    """Say that the key of the paying wallet is lost; another person declares what is left in it as lost."""
    made = new_id("wls")
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        world.application.distributions.payments.propose_wallet_loss(
            actor=actor, offering=offer, loss=made, wallet=wallet, because=because
        )
    keep_facts(loss=made)
    console.print(f"{made} waits for a second person: bookrunner distribution agree-loss {offer} {made}")


@distribution.command("agree-loss")
def agree_loss(
    offer: Id,
    loss: Id,
    *,
    because: Because,
    decline: Annotated[bool, typer.Option("--decline", help="Decline it.")] = False,
    actor: Actor,
) -> None:
    """Declare the loss as a second person, or decline; another wallet may be proposed then."""
    with opened(read_settings()) as world:
        payments = world.application.distributions.payments
        rows = payments.wallet_losses(offering=offer)
        seen = next((row["version"] for row in rows if row["loss_id"] == loss), None)
        if seen is None:
            raise UnknownRecord("wallet_loss_exists", f"there is no loss {loss} in {offer}")
        said = {"is_agreed": not decline, "because": because, "seen": seen}
        payments.decide_wallet_loss(actor=actor, offering=offer, loss=loss, **said)
    console.print(f"{loss}: {'declined' if decline else 'declared'}")


@distribution.command("make-good")
def make_good(offer: Id, loss: Id, name: Id, receipt: Id, *, actor: Actor) -> None:
    """Take a receipt of nobody as money that makes the loss of a distribution good."""
    with opened(read_settings()) as world:
        currency = require_offer(world.application, offer)["currency"]
        payments = world.application.distributions.payments
        seen = next(
            (r["version"] for r in payments.unowned_receipts(offering=offer) if r["receipt_id"] == receipt),
            None,
        )
        on = {"offering": offer, "loss": loss, "distribution": name, "receipt": receipt}
        rest = payments.make_loss_good(actor=actor, **on, seen=seen)
    console.print(f"{loss}: {grouped(rest, currency)} open")
