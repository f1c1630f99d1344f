"""Principal of an offer's units: instalments by two people, what is left, the distribution that pays one."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Actor, Id, require_offer
from bookrunner.cli.screen import app, console, keep_facts
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import grouped, parse
from bookrunner.engine.life.servicing.coupons import Amortisation
from bookrunner.sandbox.world import opened

principal = typer.Typer(help="Principal that is paid back in parts.", no_args_is_help=True)
app.add_typer(principal, name="principal")


@principal.command("schedule")
def schedule(
    offer: Id, file: Annotated[Path, typer.Argument(help="The terms, as JSON.")], *, actor: Actor
) -> None:
    """Propose the principal of a unit and its instalments."""
    name = new_id("amo")
    with opened(read_settings()) as world:
        said = read_terms(file, require_offer(world.application, offer)["currency"])
        terms = Amortisation(world.application.desk).terms
        terms.propose_amortisation(actor=actor, offering=offer, amortisation=name, said=said)
    keep_facts(amortisation=name)
    console.print(f"{name} waits for a second person: bookrunner principal agree {offer} {name}")


@principal.command("agree")
def agree(
    offer: Id,
    name: Id,
    *,
    decline: Annotated[bool, typer.Option("--decline", help="Decline them.")] = False,
    actor: Actor,
) -> None:
    """Put terms in force as another person, or decline them."""
    with opened(read_settings()) as world:
        terms = Amortisation(world.application.desk).terms
        terms.decide_amortisation(actor=actor, offering=offer, amortisation=name, is_agreed=not decline)
    console.print(f"{name}: {'declined' if decline else 'in force'}")


@principal.command("list")
def list_all(offer: Id) -> None:
    """List the terms with what is left of a unit, the instalments, and what each lot has left."""
    with opened(read_settings()) as world:
        currency = require_offer(world.application, offer)["currency"]
        terms = Amortisation(world.application.desk).terms
        rows, lots = terms.instalments(offering=offer), terms.lot_principal(offering=offer)
        versions = terms.amortisations(offering=offer)
    for row in versions:
        left = "" if row["left_minor"] is None else f", {grouped(row['left_minor'], currency)} left"
        unit = grouped(row["principal_minor"], currency)
        console.print(f"{row['amortisation_id']}: {row['status']}, {unit} a unit{left}")
    table = Table("instalment", "due", "of a unit", "distribution", "state")
    for row in rows:
        part = grouped(row["part_minor"], currency)
        table.add_row(
            str(row["number"]), str(row["due_on"]), part, row["distribution_id"] or "", row["status"] or ""
        )
    console.print(table)
    table = Table("lot", "holder", "units", "left")
    for lot in lots:
        left = grouped(lot["outstanding_minor"], currency)
        table.add_row(lot["lot_id"], lot["investor_id"], str(lot["left_units"]), left)
    console.print(table)


@principal.command("draft")
def draft(
    offer: Id,
    number: Annotated[int, typer.Argument()],
    *,
    record_on: Annotated[
        datetime, typer.Option("--record-on", formats=["%Y-%m-%d"], help="Whose units count.")
    ],
    pay_on: Annotated[datetime, typer.Option("--pay-on", formats=["%Y-%m-%d"], help="When it is paid.")],
    actor: Actor,
) -> None:
    """Draft the distribution that pays an instalment, and screen its payees."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        runs = Amortisation(world.application.desk)
        made = runs.draft(offer, number, record_on.date(), pay_on=pay_on.date(), actor=actor)
        world.application.screening.drain()
    keep_facts(distribution=made)
    console.print(f"{made} waits for a second person: bookrunner distribution approve {offer} {made}")


def read_terms(file: Path, currency: str) -> dict[str, Any]:
    """Return terms as a file states them, money in decimals; refuses ``principal_terms_are_readable``."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        return {
            "principal": parse(said["principal"], currency).minor,
            "instalments": [
                {
                    "due_on": date.fromisoformat(each["due_on"]).isoformat(),
                    "part": parse(each["part"], currency).minor,
                }
                for each in said["instalments"]
            ],
        }
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as broken:
        raise Refused("principal_terms_are_readable", f"{file}: {type(broken).__name__}") from None
