"""Distributions taken in units: plans of two people, what holders elect, what a run reinvests."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Actor, Id, require_offer
from bookrunner.cli.screen import app, console, keep_facts
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import grouped, parse
from bookrunner.sandbox.world import opened

reinvestment = typer.Typer(help="Distributions that holders take in units.", no_args_is_help=True)
app.add_typer(reinvestment, name="reinvestment")

_Seen = Annotated[int, typer.Option(help="The version that `reinvestment list` showed.")]
_Because = Annotated[str, typer.Option(help="Why.")]
_PARTS: Final = 100


@reinvestment.command()
def propose(
    offer: Id,
    *,
    price: Annotated[str, typer.Option(help="What one unit costs.")],
    cutoff: Annotated[int, typer.Option(help="Until how many days before a record date elections count.")],
    first: Annotated[str, typer.Option("--from", help="The first record date under it, as 2026-07-01.")],
    units: Annotated[int, typer.Option(help="The most units that are ever issued under it.")],
    paper: Annotated[Path, typer.Option(help="The issuer's authority, kept as its SHA-256.")],
    reference: Annotated[str, typer.Option(help="Which resolution of the issuer says so.")],
    actor: Actor,
) -> None:
    """Propose a plan on the issuer's authority; another person puts it in force."""
    asked = {
        "cutoff_days": cutoff,
        "from_on": _day(first).isoformat(),
        "most_units": units,
        "authority_sha256": _digest_of(paper).hex(),
        "authority_reference": reference,
    }
    with opened(read_settings()) as world:
        currency = require_offer(world.application, offer)["currency"]
        made, asked["price_minor"] = new_id("rpl"), parse(price, currency).minor
        world.application.desk.reinvestment.propose_plan(actor=actor, offering=offer, plan=made, asked=asked)
    keep_facts(plan=made)
    console.print(f"{made} waits for a second person")


@reinvestment.command()
def approve(offer: Id, plan: Id, *, seen: _Seen, actor: Actor) -> None:
    """Put a plan in force in the place of the one before, as another person."""
    with opened(read_settings()) as world:
        decided = {"is_approved": True, "because": "", "seen": seen}
        world.application.desk.reinvestment.decide_plan(actor=actor, offering=offer, plan=plan, **decided)
    console.print(f"{plan}: in force")


@reinvestment.command()
def decline(offer: Id, plan: Id, *, because: _Because, seen: _Seen, actor: Actor) -> None:
    """Decline a plan, with the reason."""
    with opened(read_settings()) as world:
        decided = {"is_approved": False, "because": because, "seen": seen}
        world.application.desk.reinvestment.decide_plan(actor=actor, offering=offer, plan=plan, **decided)
    console.print(f"{plan}: declined")


@reinvestment.command()
def end(offer: Id, plan: Id, *, because: _Because, seen: _Seen, actor: Actor) -> None:
    """Ask that a plan ends, with the reason; it goes on until another person agrees."""
    with opened(read_settings()) as world:
        world.application.desk.reinvestment.propose_plan_end(
            actor=actor, offering=offer, plan=plan, because=because, seen=seen
        )
    console.print(f"{plan}: its end waits for a second person")


@reinvestment.command()
def agree(
    offer: Id,
    plan: Id,
    *,
    declined: Annotated[bool, typer.Option("--decline", help="Let it go on.")] = False,
    seen: _Seen,
    actor: Actor,
) -> None:
    """End a plan as another person, or let it go on."""
    with opened(read_settings()) as world:
        world.application.desk.reinvestment.decide_plan_end(
            actor=actor, offering=offer, plan=plan, is_agreed=not declined, seen=seen
        )
    console.print(f"{plan}: {'in force' if declined else 'ended'}")


@reinvestment.command()
def elect(
    offer: Id,
    investor: Id,
    share: Annotated[str, typer.Argument(help="Percent of what the holder is paid, as 62.5; 0 ends it.")],
    *,
    paper: Annotated[
        Path | None, typer.Option(help="The holder's word, kept as its SHA-256; whoever else records it.")
    ] = None,
    actor: Actor,
) -> None:
    """Record what part of its distributions a holder wants in units."""
    said = {
        "election": new_id("elc"),
        "investor": investor,
        "share_bp": _share(share),
        "paper_sha256": None if paper is None else _digest_of(paper),
    }
    with opened(read_settings()) as world:
        desk = world.application.desk.reinvestment
        desk.elect_reinvestment(actor=actor, offering=offer, **said)
        (row,) = (one for one in desk.elections(offering=offer) if one["investor_id"] == investor)
    counts = row["counts_from"]
    console.print(
        f"{investor}: {_percent(row['share_bp'])}" + (f" for record dates from {counts}" if counts else "")
    )


@reinvestment.command("list")
def list_all(offer: Id) -> None:
    """List the plans of an offer, the newest first, and what each holder elected last."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        desk = world.application.desk.reinvestment
        plans, elections = desk.plans(offering=offer), desk.elections(offering=offer)
    table = Table("plan", "state", "a unit", "cut-off", "from", "most units", "promised", "issued", "version")
    for row in plans:
        price, names = (
            grouped(row["price_minor"], row["currency"]),
            ("most_units", "promised_units", "issued_units"),
        )
        units = (str(row[name]) for name in names)
        told = (f"{row['cutoff_days']} days", f"{row['from_on']}", *units, str(row["version"]))
        table.add_row(row["plan_id"], row["status"], price, *told)
    console.print(table)
    table = Table("holder", "in units", "given at", "for record dates from")
    for row in elections:
        counts = "" if row["counts_from"] is None else f"{row['counts_from']}"
        table.add_row(
            row["investor_id"], _percent(row["share_bp"]), f"{row['given_at']:%Y-%m-%d %H:%M:%S}", counts
        )
    if elections:
        console.print(table)


@reinvestment.command()
def show(offer: Id, distribution: Id) -> None:
    """Show what a run reinvests of each holder, why it pays one in cash, and what a line waits for."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        on = {"offering": offer, "distribution": distribution}
        rows = world.application.reinvestments.runs.reinvested(**on)
        waiting = world.application.desk.reinvestment.hindered_lines(offering=offer)
    waits = {row["line_id"]: row["rule"] for row in waiting}
    table = Table("holder", "elected", "units", "set off", "cash", "state", "because")
    for row in rows:
        money = (grouped(row[name], row["currency"]) for name in ("amount_minor", "cash_minor"))
        because = row["because"] or waits.get(row["line_id"], "")
        table.add_row(
            row["investor_id"], _percent(row["share_bp"]), str(row["units"]), *money, row["state"], because
        )
    console.print(table)


@reinvestment.command()
def carry(offer: Id) -> None:
    """Issue the units that started distributions owe; a worker does it by itself."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        issued = world.application.reinvestments.carry(offer)
    console.print(f"{issued} issued")


def _percent(share_bp: int) -> str:
    return f"{Decimal(share_bp) / _PARTS:f} %"


def _share(text: str) -> int:
    try:
        parts = Decimal(text) * _PARTS
    except InvalidOperation:
        parts = Decimal("NaN")
    if not parts.is_finite() or parts != parts.to_integral_value():
        raise Refused("elected_share_is_a_part", "write a percentage from 0 to 100 with two decimals at most")
    return int(parts)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("day_is_a_date", "write a day as 2026-07-01") from None


def _digest_of(document: Path) -> bytes:
    try:
        return hashlib.sha256(document.read_bytes()).digest()
    except OSError:
        raise NotFound(f"there is no file {document}") from None
