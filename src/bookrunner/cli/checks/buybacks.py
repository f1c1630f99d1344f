"""Buy-backs and redemptions: opened by two people, answered by holders, taken when their money is there."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Column, Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Actor, Id, require_offer
from bookrunner.cli.screen import app, console, keep_facts
from bookrunner.core.errors import NotFound, Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.core.money import grouped, parse
from bookrunner.db import Row
from bookrunner.sandbox.world import World, opened

buyback = typer.Typer(help="Units that an issuer takes back at a price.", no_args_is_help=True)
app.add_typer(buyback, name="buyback")

Because = Annotated[str, typer.Option(help="Why.")]
_MOMENT: Final = "2026-07-01T12:00:00+00:00"


@buyback.command()
def propose(  # noqa: PLR0913 - one option for each term
    offer: Id,
    *,
    price: Annotated[str, typer.Option(help="What is paid for one unit.")],
    units: Annotated[int | None, typer.Option(help="The most units that are bought.")] = None,
    money: Annotated[str, typer.Option(help="The most money that is paid.")] = "",
    redemption: Annotated[
        bool, typer.Option("--redemption", help="Of all holders, by the terms of the issue; nobody offers.")
    ] = False,
    periods_bind: Annotated[
        bool, typer.Option("--periods-bind", help="Buy only units past their holding period.")
    ] = False,
    opens: Annotated[str, typer.Option(help="When the window opens, with its offset from UTC.")],
    closes: Annotated[str, typer.Option(help="When it ends; a redemption is accepted from then on.")],
    paper: Annotated[Path, typer.Option(help="The issuer's authority, kept as its SHA-256.")],
    reference: Annotated[str, typer.Option(help="Which resolution of the issuer says so.")],
    actor: Actor,
) -> None:
    """Propose a buy-back or a redemption on the issuer's authority; another person opens it."""
    with opened(read_settings()) as world:
        currency = require_offer(world.application, offer)["currency"]
        made = new_id("bbk")
        world.application.desk.buybacks.propose_buyback(
            actor=actor,
            offering=offer,
            buyback=made,
            asked={
                "kind": "redemption" if redemption else "tender",
                "price_minor": parse(price, currency).minor,
                "most_units": units,
                "most_minor": parse(money, currency).minor if money else None,
                "periods_bind": periods_bind,
                "opens_at": _moment(opens).isoformat(),
                "closes_at": _moment(closes).isoformat(),
                "authority_sha256": _digest_of(paper),
                "authority_reference": reference,
            },
        )
    keep_facts(buyback=made)
    console.print(f"{made} waits for a second person")


@buyback.command()
def approve(offer: Id, name: Id, *, actor: Actor) -> None:
    """Open a buy-back as another person."""
    with opened(read_settings()) as world:
        _decide(world, (offer, name), actor=actor, because="", is_approved=True)
    console.print(f"{name}: open")


@buyback.command()
def decline(offer: Id, name: Id, *, because: Because, actor: Actor) -> None:
    """Decline a buy-back, with the reason."""
    with opened(read_settings()) as world:
        _decide(world, (offer, name), actor=actor, because=because, is_approved=False)
    console.print(f"{name}: declined")


@buyback.command()
def abandon(offer: Id, name: Id, *, because: Because, actor: Actor) -> None:
    """Give up a buy-back that no distribution pays; after the acceptance another person does."""
    with opened(read_settings()) as world:
        book = world.application.desk.buybacks
        book.abandon_buyback(actor=actor, offering=offer, buyback=name, because=because)
    console.print(f"{name}: abandoned")


@buyback.command()
def tender(
    offer: Id,
    name: Id,
    investor: Id,
    units: int,
    *,
    paper: Annotated[
        Path | None, typer.Option(help="The holder's offer, kept as its SHA-256; whoever else records it.")
    ] = None,
    actor: Actor,
) -> None:
    """Offer units of a holder within the window."""
    digest = None if paper is None else bytes.fromhex(_digest_of(paper))
    with opened(read_settings()) as world:
        made = {"tender": new_id("tnd"), "investor": investor, "units": units, "paper_sha256": digest}
        world.application.desk.buybacks.tender(actor=actor, offering=offer, buyback=name, **made)
    console.print(f"{investor} offers {units} units in {name}")


@buyback.command()
def withdraw(offer: Id, name: Id, investor: Id, *, actor: Actor) -> None:
    """Take back what a holder offers, within the window."""
    with opened(read_settings()) as world:
        book = world.application.desk.buybacks
        book.withdraw_tender(actor=actor, offering=offer, buyback=name, investor=investor)
    console.print(f"{investor} offers nothing in {name}")


@buyback.command()
def accept(offer: Id, name: Id, *, actor: Actor) -> None:
    """Accept pro rata when the window is over; the units wait for their money."""
    with opened(read_settings()) as world:
        book = world.application.desk.buybacks
        holders = book.accept_buyback(actor=actor, offering=offer, buyback=name)
    console.print(f"{name}: accepted from {holders} holders")


@buyback.command()
def draft(
    offer: Id,
    name: Id,
    *,
    pay_on: Annotated[str, typer.Option(help="The day from which on it is paid, as 2026-07-01.")],
    actor: Actor,
) -> None:
    """Draft the distribution that pays an accepted buy-back, and screen its payees."""
    try:
        day = date.fromisoformat(pay_on)
    except ValueError:
        raise Refused("day_is_a_date", "write a day as 2026-07-01") from None
    with opened(read_settings()) as world:
        made = world.application.buybacks.draft(offer, name, pay_on=day, actor=actor)
        world.application.screening.drain()
    keep_facts(distribution=made)
    console.print(f"{made} waits for a second person: bookrunner distribution approve {offer} {made}")


@buyback.command("release-line")
def release_line(
    offer: Id,
    name: Id,
    holder: Id,
    *,
    because: Annotated[str, typer.Option("--because", help="Why nobody can cancel it.")],
    actor: Actor,
) -> None:
    """Ask to let one line of a started buy-back go: its units to the holder, its price to the issuer."""
    with opened(read_settings()) as world:
        row, book, made = _one(world, offer, name), world.application.desk.buybacks, new_id("lnr")
        on = {"offering": offer, "buyback": name}
        held = [each for each in book.redemption_lines(**on) if each["investor_id"] == holder]
        if not held:
            raise UnknownRecord("released_line_exists", f"{name} takes nothing of {holder}")
        named = {"release": made, "holding": held[0]["holding_id"], "seen": row["version"]}
        book.propose_line_release(actor=actor, **on, **named, because=because)
    keep_facts(release=made)
    console.print(f"{made} waits for a second person: bookrunner buyback agree-release {offer} {name} {made}")


@buyback.command("agree-release")
def agree_release(
    offer: Id,
    name: Id,
    release: Id,
    *,
    because: Annotated[str, typer.Option("--because", help="Why.")],
    decline: Annotated[bool, typer.Option("--decline", help="Keep the line.")] = False,
    actor: Actor,
) -> None:
    """Let the line go as another person, or decline."""
    with opened(read_settings()) as world:
        book = world.application.desk.buybacks
        rows = book.line_releases(offering=offer, buyback=name)
        seen = {row["release_id"]: row["version"] for row in rows}
        if release not in seen:
            raise UnknownRecord("line_release_exists", f"there is no {release} in {name}")
        said = {"is_agreed": not decline, "because": because, "seen": seen[release]}
        book.decide_line_release(actor=actor, offering=offer, release=release, **said)
    console.print(f"{release}: {'declined' if decline else 'let go'}")


@buyback.command()
def carry(offer: Id) -> None:
    """Take the units whose money is set apart, and owe their price."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        owed = world.application.buybacks.carry(offer)
    console.print(f"{owed} owed")


@buyback.command("list")
def list_all(offer: Id) -> None:
    """List the buy-backs of an offer, the newest first."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        rows = world.application.desk.buybacks.buybacks(offering=offer)
    table = Table(
        Column("buy-back", no_wrap=True), "kind", "state", "price", "ends", "offered", "accepted", "costs"
    )
    for row in rows:
        money = (grouped(row[key], row["currency"]) for key in ("price_minor", "amount_minor"))
        price, costs = money
        units = (str(row[key]) for key in ("tendered_units", "accepted_units"))
        ends = f"{row['closes_at']:%Y-%m-%d %H:%M:%S}"
        table.add_row(row["buyback_id"], row["kind"], row["status"], price, ends, *units, costs)
    console.print(table)


@buyback.command()
def show(offer: Id, name: Id) -> None:
    """Show what holders offer, what is taken of them, and what a line waits for."""
    with opened(read_settings()) as world:
        row, book = _one(world, offer, name), world.application.desk.buybacks
        offers = book.tenders(offering=offer, buyback=name)
        lines = book.redemption_lines(offering=offer, buyback=name)
        releases = book.line_releases(offering=offer, buyback=name)
        paid = world.application.buybacks.money.redemptions(offering=offer, buyback=name)
    console.print(f"{name}: {row['status']}, {grouped(row['price_minor'], row['currency'])} a unit")
    table = Table("holder", "offer", "units", "accepted")
    for each in offers:
        accepted = "" if each["accepted_units"] is None else str(each["accepted_units"])
        table.add_row(each["investor_id"], each["status"], str(each["units"]), accepted)
    if offers:
        console.print(table)
    table = Table("holder", "offered", "taken", "price", "cancelled", "waits for")
    for line in lines:
        units = (str(line[key]) for key in ("offered_units", "units"))
        when = "" if line["cancelled_at"] is None else f"{line['cancelled_at']:%Y-%m-%d %H:%M:%S}"
        price = grouped(line["amount_minor"], row["currency"])
        waits = line["waits_for"] or ("let go" if line["released_at"] else "")
        table.add_row(line["investor_id"], *units, price, when, waits)
    if lines:
        console.print(table)
    for asked in releases:
        console.print(
            f"{asked['release_id']} of {asked['investor_id']}: {asked['status']}, {asked['because']}"
        )
    for each in paid:
        console.print(f"paid by {each['distribution_id']}: {each['status']}")


def _decide(world: World, on: tuple[str, str], *, actor: str, because: str, is_approved: bool) -> None:
    offer, name = on
    world.application.desk.buybacks.decide_buyback(
        actor=actor, offering=offer, buyback=name, is_approved=is_approved, because=because
    )


def _one(world: World, offer: str, name: str) -> Row:
    for row in world.application.desk.buybacks.buybacks(offering=offer):
        if row["buyback_id"] == name:
            found: Row = row
            return found
    raise UnknownRecord("buyback_exists", f"there is no buy-back {name} in {offer}")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refused("buyback_states_its_moment", f"write it as {_MOMENT}")
    return moment


def _digest_of(document: Path) -> str:
    try:
        return hashlib.sha256(document.read_bytes()).hexdigest()
    except OSError:
        raise NotFound(f"there is no file {document}") from None
