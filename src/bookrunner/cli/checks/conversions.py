"""Convertibles that become units of another class by a formula whose inputs people confirm."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Actor, Id, require_offer
from bookrunner.cli.screen import app, console, keep_facts
from bookrunner.core.errors import NotFound, Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.core.money import grouped, parse, read_whole, ungrouped
from bookrunner.db import Row
from bookrunner.sandbox.world import World, opened

conversion = typer.Typer(help="Units of one class become units of another.", no_args_is_help=True)
app.add_typer(conversion, name="conversion")

_Seen = Annotated[int, typer.Option(help="The version that `conversion show` showed.")]
_Because = Annotated[str, typer.Option(help="Why.")]


@conversion.command()
def propose(  # noqa: PLR0913 - one option for each term
    offer: Id,
    *,
    into: Annotated[str, typer.Option(help="The offer whose units it becomes.")],
    formula: Annotated[
        str,
        typer.Option(help="fixed_ratio, fixed_price, discounted_price, capped_price or lower_price."),
    ],
    interest: Annotated[bool, typer.Option(help="Simple interest converts with the principal.")] = False,
    fractions: Annotated[str, typer.Option(help="cash or lapse.")] = "",
    at: Annotated[str, typer.Option(help="When it takes effect, with its offset from UTC.")],
    paper: Annotated[Path, typer.Option(help="The issuer's authority, kept as its SHA-256.")],
    reference: Annotated[str, typer.Option(help="Which resolution of the issuer says so.")],
    actor: Actor,
) -> None:
    """Propose a conversion on the issuer's authority; its inputs are confirmed, then another approves it."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        made = new_id("cnv")
        asked = {
            "into": into,
            "formula": formula,
            "bears_interest": interest,
            "fractions": fractions or None,
            "effective_at": _moment(at).isoformat(),
            "authority_sha256": _digest_of(paper),
            "authority_reference": reference,
        }
        world.application.desk.conversions.propose_conversion(
            actor=actor, offering=offer, conversion=made, asked=asked
        )
        missing = _one(world, offer, made)["missing"]
    keep_facts(conversion=made)
    console.print(f"{made} lacks {', '.join(missing)}")


@conversion.command()
def confirm(
    offer: Id,
    name: Id,
    item: Annotated[str, typer.Argument(help="Which input of the formula.")],
    value: Annotated[str, typer.Argument(help="An amount, a whole number, or a day.")],
    *,
    paper: Annotated[Path, typer.Option(help="Where it stands, kept as its SHA-256.")],
    source: Annotated[str, typer.Option(help="Which paper that is.")],
    actor: Actor,
) -> None:
    """Confirm an input of the formula from a paper; a later one of the same name takes its place."""
    with opened(read_settings()) as world:
        currency = require_offer(world.application, offer)["currency"]
        said = {"name": item, "source": source, "source_sha256": _digest_of(paper)}
        world.application.desk.conversions.confirm_input(
            actor=actor, offering=offer, conversion=name, said={**said, **_value(item, value, currency)}
        )
        row = _one(world, offer, name)
    left = f"lacks {', '.join(row['missing'])}" if row["missing"] else "has its inputs"
    console.print(f"{name} {left}; version {row['version']}")


@conversion.command()
def approve(offer: Id, name: Id, *, seen: _Seen, actor: Actor) -> None:
    """Approve a conversion with the inputs of the version seen, as another person."""
    with opened(read_settings()) as world:
        _decide(world, (offer, name), actor=actor, is_approved=True, because="", seen=seen)
        console.print(f"{name}: approved")
        _show_hindrances(world, offer, name)


@conversion.command()
def decline(offer: Id, name: Id, *, because: _Because, seen: _Seen, actor: Actor) -> None:
    """Decline a conversion, with the reason."""
    with opened(read_settings()) as world:
        _decide(world, (offer, name), actor=actor, is_approved=False, because=because, seen=seen)
    console.print(f"{name}: declined")


@conversion.command()
def abandon(offer: Id, name: Id, *, because: _Because, actor: Actor) -> None:
    """Give up a conversion that has not begun."""
    with opened(read_settings()) as world:
        world.application.desk.conversions.abandon_conversion(
            actor=actor, offering=offer, conversion=name, because=because
        )
    console.print(f"{name}: abandoned")


@conversion.command()
def carry(offer: Id) -> None:
    """Begin the conversion whose time has come, or carry on the one that has begun."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        done = world.application.conversions.carry(offer)
    console.print(f"{done} executed")


@conversion.command("list")
def list_all(offer: Id) -> None:
    """List the conversions of an offer, the newest first."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        rows = world.application.desk.conversions.conversions(offering=offer)
    table = Table("conversion", "state", "into", "formula", "takes effect", "new units", "proposed by")
    for row in rows:
        moment, units = f"{row['effective_at']:%Y-%m-%d %H:%M:%S}", row["units_after"]
        of = (row["conversion_id"], row["status"], row["into_offering_id"], row["formula"], moment)
        table.add_row(*of, "" if units is None else str(units), row["proposed_by"])
    console.print(table)


@conversion.command()
def show(offer: Id, name: Id) -> None:
    """Show the inputs of a conversion, its price, what each holder gets, and what it waits for."""
    with opened(read_settings()) as world:
        row = _one(world, offer, name)
        keeper, on = world.application.desk.conversions, {"offering": offer, "conversion": name}
        console.print(f"{name}: {row['status']}, {row['formula']}, version {row['version']}")
        _show_inputs(keeper.conversion_inputs(**on), row["currency"])
        if row["basis"] is not None:
            console.print(f"price of one new unit: {row['above']} / {row['below']} by {row['basis']}")
        _show_lines(keeper.conversion_working(**on), row["currency"])
        _show_hindrances(world, offer, name)
    console.print(f"wallets that the chains have still to change: {row['open_wallets']}")


def _show_inputs(rows: list[Row], currency: str) -> None:
    table = Table("input", "value", "source", "confirmed by", "confirmed at")
    for row in rows:
        if row["confirmed_by"] is None:
            table.add_row(row["name"], "missing")
            continue
        value = row["day"].isoformat() if row["day"] else str(row["amount"])
        if row["name"].endswith("_minor"):
            value = grouped(row["amount"], currency)
        moment = f"{row['confirmed_at']:%Y-%m-%d %H:%M:%S}"
        table.add_row(row["name"], value, row["source"], row["confirmed_by"], moment)
    console.print(table)


def _show_lines(rows: list[Row], currency: str) -> None:
    if not rows:
        return
    table = Table("holder", "before", "principal", "interest", "after", "cash owed")
    for row in rows:
        money = (grouped(row[key], currency) for key in ("principal_minor", "interest_minor"))
        owed = grouped(row["cash_minor"], currency) if row["cash_minor"] else ""
        table.add_row(row["investor_id"], str(row["units_before"]), *money, str(row["units_after"]), owed)
    console.print(table)


def _decide(world: World, on: tuple[str, str], **told: object) -> None:
    offer, name = on
    world.application.desk.conversions.decide_conversion(offering=offer, conversion=name, **told)


def _one(world: World, offer: str, name: str) -> Row:
    for row in world.application.desk.conversions.conversions(offering=offer):
        if row["conversion_id"] == name:
            found: Row = row
            return found
    raise UnknownRecord("conversion_exists", f"there is no conversion {name} in {offer}")


def _show_hindrances(world: World, offer: str, name: str) -> None:
    if _one(world, offer, name)["status"] == "approved":
        on = {"offering": offer, "conversion": name}
        for row in world.application.desk.conversions.conversion_hindrances(**on):
            console.print(f"waits for: {row['rule']} {row['detail']}".rstrip())


def _value(name: str, text: str, currency: str) -> dict[str, object]:
    if name.endswith("_minor"):
        return {"amount": parse(text, currency).minor}
    if name == "interest_from":
        try:
            return {"day": date.fromisoformat(text).isoformat()}
        except ValueError:
            raise Refused("conversion_input_is_an_amount_or_a_day", "write it as 2026-07-01") from None
    whole = read_whole(ungrouped(text))
    if whole is None:
        raise Refused("conversion_input_is_an_amount_or_a_day", "write a whole number")
    return {"amount": whole}


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refused("conversion_states_its_moment", "write it as 2026-07-01T12:00:00+00:00")
    return moment


def _digest_of(document: Path) -> str:
    try:
        return hashlib.sha256(document.read_bytes()).hexdigest()
    except OSError:
        raise NotFound(f"there is no file {document}") from None
