"""Coupons of an offer: terms and fixings by two people, the working of one, the distribution that pays it."""

from __future__ import annotations

import json
from datetime import datetime
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
from bookrunner.engine.life.servicing.coupons import Coupons
from bookrunner.sandbox.world import opened

coupon = typer.Typer(help="Coupons of an offer.", no_args_is_help=True)
app.add_typer(coupon, name="coupon")

Day = Annotated[datetime, typer.Option("--record-on", formats=["%Y-%m-%d"], help="Whose units count.")]


@coupon.command("schedule")
def schedule(
    offer: Id, file: Annotated[Path, typer.Argument(help="The terms, as JSON.")], *, actor: Actor
) -> None:
    """Propose the terms of the coupons."""
    name = new_id("csc")
    with opened(read_settings()) as world:
        said = read_schedule(file, require_offer(world.application, offer)["currency"])
        Coupons(world.application.desk).terms.propose_schedule(
            actor=actor, offering=offer, schedule=name, said=said
        )
    keep_facts(schedule=name)
    console.print(f"{name} waits for a second person: bookrunner coupon agree {offer} {name}")


@coupon.command("fix")
def fix(
    offer: Id,
    index: Annotated[str, typer.Argument(help="As the terms name it.")],
    on: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"])],
    value: Annotated[str, typer.Argument(help="Of a rate its percent, of an indicator its level.")],
    *,
    source: Annotated[str, typer.Option("--source", help="Who publishes it.")],
    actor: Actor,
) -> None:
    """Say what an index was on a day; no coupon uses it before another person agrees."""
    name, said = new_id("fix"), {"index": index, "on": on.date().isoformat(), "value": value}
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        Coupons(world.application.desk).terms.propose_fixing(
            actor=actor, offering=offer, fixing=name, said=said | {"source": source}
        )
    keep_facts(fixing=name)
    console.print(f"{name} waits for a second person: bookrunner coupon agree {offer} {name}")


@coupon.command("agree")
def agree(
    offer: Id,
    name: Id,
    *,
    decline: Annotated[bool, typer.Option("--decline", help="Decline it.")] = False,
    actor: Actor,
) -> None:
    """Put terms or a fixing in force as another person, or decline them."""
    decided = {"actor": actor, "offering": offer, "is_agreed": not decline}
    with opened(read_settings()) as world:
        terms = Coupons(world.application.desk).terms
        if name.startswith("fix_"):
            terms.decide_fixing(**decided, fixing=name)
        else:
            terms.decide_schedule(**decided, schedule=name)
    console.print(f"{name}: {'declined' if decline else 'in force'}")


@coupon.command("list")
def list_all(offer: Id) -> None:
    """List the coupons in force with what pays them, the terms, and the fixings."""
    with opened(read_settings()) as world:
        currency = require_offer(world.application, offer)["currency"]
        terms = Coupons(world.application.desk).terms
        schedules, fixings = terms.schedules(offering=offer), terms.fixings(offering=offer)
        rows = terms.coupons(offering=offer)
    for row in schedules:
        index = "" if row["index_name"] is None else f" over {row['index_name']}"
        console.print(f"{row['schedule_id']}: {row['status']}, {row['kind']} {row['rate_bp']} bp{index}")
    for row in fixings:
        told = f"{row['index_name']} on {row['fixed_on']}: {row['value']}, {row['status']}"
        console.print(f"{row['fixing_id']}: {told}")
    table = Table("coupon", "from", "to", "amount", "distribution", "state")
    for row in rows:
        amount = "" if row["amount_minor"] is None else grouped(row["amount_minor"], currency)
        head = (str(row["number"]), str(row["from_on"]), str(row["to_on"]))
        table.add_row(*head, amount, row["distribution_id"] or "", row["status"] or "")
    console.print(table)


@coupon.command("work")
def work(offer: Id, number: Annotated[int, typer.Argument()], *, record_on: Day) -> None:
    """Show a coupon with its working; a missing fixing is refused by its day."""
    with opened(read_settings()) as world:
        currency = require_offer(world.application, offer)["currency"]
        row = Coupons(world.application.desk).work_out(offer, number, record_on.date())
    console.print(f"coupon {number}: {grouped(row['amount_minor'], currency)}")
    for line in row["working"]:
        console.print(f"   {line}")


@coupon.command("draft")
def draft(
    offer: Id,
    number: Annotated[int, typer.Argument()],
    *,
    record_on: Day,
    pay_on: Annotated[
        datetime | None, typer.Option("--pay-on", formats=["%Y-%m-%d"], help="Else its last day.")
    ] = None,
    actor: Actor,
) -> None:
    """Draft the distribution that pays a coupon, and screen its payees."""
    day = None if pay_on is None else pay_on.date()
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        coupons = Coupons(world.application.desk)
        made = coupons.draft(offer, number, record_on.date(), pay_on=day, actor=actor)
        world.application.screening.drain()
    keep_facts(distribution=made)
    console.print(f"{made} waits for a second person: bookrunner distribution approve {offer} {made}")


def read_schedule(file: Path, currency: str) -> dict[str, Any]:
    """Return terms as a file states them, principal in decimals; refuses ``coupon_terms_are_readable``."""
    try:
        said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return {**said, "principal": parse(said["principal"], currency).minor}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Refused("coupon_terms_are_readable", f"{file}: {type(fault).__name__} {fault}") from None
