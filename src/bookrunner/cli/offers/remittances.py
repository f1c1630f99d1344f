"""Withheld tax on its way to the tax office: one proposes, another agrees, the next run of orders pays it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Actor, Id, require_offer
from bookrunner.cli.screen import app, console, keep_facts
from bookrunner.core.errors import NotFound
from bookrunner.core.ids import new_id
from bookrunner.core.money import grouped, parse
from bookrunner.db import Keeper
from bookrunner.engine.intake import fingerprint
from bookrunner.sandbox.world import opened

remittance = typer.Typer(help="Withheld tax on its way to the tax office.", no_args_is_help=True)
app.add_typer(remittance, name="remittance")


@remittance.command("list")
def list_all(offer: Id) -> None:
    """List what is withheld in an offer and what was remitted of it."""
    with opened(read_settings()) as world:
        currency = require_offer(world.application, offer)["currency"]
        payments = world.application.distributions.payments
        rows, withheld = payments.remittances(offering=offer), payments.withheld(offering=offer)
    console.print(f"{offer}: {grouped(withheld, currency)} withheld and not remitted")
    table = Table("remittance", "state", "form", "year", "amount", "version")
    for row in rows:
        amount = grouped(row["amount_minor"], row["currency"])
        told = (row["form"], str(row["tax_year"]), amount, str(row["version"]))
        table.add_row(row["remittance_id"], row["status"], *told)
    console.print(table)


@remittance.command("propose")
def propose(
    offer: Id,
    amount: Annotated[str, typer.Argument(help="In the currency of the offer.")],
    account: Annotated[str, typer.Argument(help="The tax office's account, as the account book writes it.")],
    *,
    form: Annotated[str, typer.Option("--form", help="1042 or 945: the return that reports it.")],
    year: Annotated[int, typer.Option("--year", help="The tax year.")],
    actor: Actor,
) -> None:
    """Propose that withheld tax goes to the tax office."""
    name = new_id("rmt")
    with opened(read_settings()) as world:
        currency = require_offer(world.application, offer)["currency"]
        said = {"form": form, "year": year, "amount": parse(amount, currency).minor}
        world.application.distributions.payments.propose_remittance(
            actor=actor,
            offering=offer,
            remittance=name,
            said=said | {"fingerprint": fingerprint(account).hex()},
        )
    keep_facts(remittance=name)
    console.print(f"{name} waits for a second person: bookrunner remittance agree {offer} {name}")


@remittance.command("agree")
def agree(
    offer: Id,
    name: Id,
    *,
    decline: Annotated[bool, typer.Option("--decline", help="Decline it.")] = False,
    actor: Actor,
) -> None:
    """Agree to a remittance as another person, or decline it; the next run of orders pays it."""
    with opened(read_settings()) as world:
        payments = world.application.distributions.payments
        seen = _seen(payments, offer, name)
        payments.decide_remittance(
            actor=actor, offering=offer, remittance=name, is_agreed=not decline, seen=seen
        )
    console.print(f"{name}: {'declined' if decline else 'approved'}")


@remittance.command("retry")
def retry(offer: Id, name: Id, *, actor: Actor) -> None:
    """Open a remittance that came back for another try."""
    with opened(read_settings()) as world:
        world.application.distributions.payments.retry_remittance(
            actor=actor, offering=offer, remittance=name
        )
    console.print(f"{name}: waits for the next order")


@remittance.command("give-up")
def give_up(
    offer: Id,
    name: Id,
    *,
    because: Annotated[str, typer.Option("--because", help="Why, such as a wrong account.")],
    actor: Actor,
) -> None:
    """Give up a remittance that is not with the bank, as another person; its amount is withheld again."""
    with opened(read_settings()) as world:
        payments = world.application.distributions.payments
        payments.give_up_remittance(
            actor=actor,
            offering=offer,
            remittance=name,
            because=because,
            seen=_seen(payments, offer, name),
        )
    console.print(f"{name}: given up")


def _seen(payments: Keeper, offer: str, name: str) -> int:
    """Return the version of a remittance as it stands; refuses with NotFound when there is none."""
    for row in payments.remittances(offering=offer):
        if row["remittance_id"] == name:
            return int(row["version"])
    raise NotFound(f"there is no remittance {name} in {offer}")
