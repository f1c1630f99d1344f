"""Splits and reverse splits: by two people on the issuer's paper, minted or burned at their time."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Actor, Id, require_offer
from bookrunner.cli.screen import app, console, keep_facts
from bookrunner.core.errors import NotFound, Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.core.money import grouped, parse
from bookrunner.db import Row
from bookrunner.sandbox.world import World, opened

split = typer.Typer(help="So many new units for so many old ones.", no_args_is_help=True)
app.add_typer(split, name="split")


@split.command()
def propose(  # noqa: PLR0913 - one option for each term
    offer: Id,
    *,
    new: Annotated[int, typer.Option(help="So many new units …")],
    old: Annotated[int, typer.Option("--for", help="… for so many old ones.")],
    fractions: Annotated[str, typer.Option(help="cash, round_up or round_half.")] = "",
    price: Annotated[str, typer.Option(help="Price of one new unit, of fractions paid in cash.")] = "",
    at: Annotated[str, typer.Option(help="When it takes effect, with its offset from UTC.")],
    paper: Annotated[Path, typer.Option(help="The issuer's authority, kept as its SHA-256.")],
    reference: Annotated[str, typer.Option(help="Which resolution of the issuer says so.")],
    actor: Actor,
) -> None:
    """Propose a split on the issuer's authority; another person approves it."""
    with opened(read_settings()) as world:
        currency = require_offer(world.application, offer)["currency"]
        made = new_id("spl")
        world.application.desk.splits.propose_split(
            actor=actor,
            offering=offer,
            split=made,
            asked={
                "new_units": new,
                "for_units": old,
                "fractions": fractions or None,
                "cash_price_minor": parse(price, currency).minor if price else None,
                "effective_at": _moment(at).isoformat(),
                "authority_sha256": _digest_of(paper),
                "authority_reference": reference,
            },
        )
    keep_facts(split=made)
    console.print(f"{made} waits for a second person")


@split.command()
def approve(offer: Id, name: Id, *, actor: Actor) -> None:
    """Approve a split as another person; a worker begins it at its time."""
    with opened(read_settings()) as world:
        _decide(world, (offer, name), actor=actor, because="", is_approved=True)
        console.print(f"{name}: approved")
        _show_hindrances(world, offer, name)


@split.command()
def decline(offer: Id, name: Id, *, because: Annotated[str, typer.Option(help="Why.")], actor: Actor) -> None:
    """Decline a split, with the reason."""
    with opened(read_settings()) as world:
        _decide(world, (offer, name), actor=actor, because=because, is_approved=False)
    console.print(f"{name}: declined")


@split.command()
def abandon(offer: Id, name: Id, *, because: Annotated[str, typer.Option(help="Why.")], actor: Actor) -> None:
    """Give up a split that has not begun."""
    with opened(read_settings()) as world:
        world.application.desk.splits.abandon_split(actor=actor, offering=offer, split=name, because=because)
    console.print(f"{name}: abandoned")


@split.command()
def carry(offer: Id) -> None:
    """Begin the split whose time has come, or carry on the one that has begun."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        done = world.application.splits.carry(offer)
    console.print(f"{done} executed")


@split.command("list")
def list_all(offer: Id) -> None:
    """List the splits of an offer, the newest first."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        rows = world.application.desk.splits.splits(offering=offer)
    table = Table("split", "state", "ratio", "fractions", "takes effect", "authorised", "proposed by")
    for row in rows:
        after = "" if row["authorised_after"] is None else str(row["authorised_after"])
        ratio = f"{row['new_units']} for {row['for_units']}"
        moment = f"{row['effective_at']:%Y-%m-%d %H:%M:%S}"
        table.add_row(
            row["split_id"], row["status"], ratio, row["fractions"], moment, after, row["proposed_by"]
        )
    console.print(table)


@split.command()
def show(offer: Id, name: Id) -> None:
    """Show what a split waits for, or what each holder had and has, with the cash owed for fractions."""
    with opened(read_settings()) as world:
        row = _one(world, offer, name)
        lines = world.application.desk.splits.split_lines(offering=offer, split=name)
        console.print(f"{name}: {row['status']}, {row['new_units']} for {row['for_units']}")
        _show_hindrances(world, offer, name)
    if lines:
        table = Table("holder", "before", "after", f"parts of 1/{row['for_units']}", "cash owed")
        for line in lines:
            owed = grouped(line["cash_minor"], row["currency"]) if line["cash_minor"] else ""
            units = (str(line[key]) for key in ("units_before", "units_after", "fraction_parts"))
            table.add_row(line["investor_id"], *units, owed)
        console.print(table)
        console.print(f"wallets that the chain has still to change: {row['open_wallets']}")


def _decide(world: World, on: tuple[str, str], *, actor: str, because: str, is_approved: bool) -> None:
    offer, name = on
    world.application.desk.splits.decide_split(
        actor=actor, offering=offer, split=name, is_approved=is_approved, because=because
    )


def _one(world: World, offer: str, name: str) -> Row:
    rows = world.application.desk.splits.splits(offering=offer)
    for row in rows:
        if row["split_id"] == name:
            found: Row = row
            return found
    raise UnknownRecord("split_exists", f"there is no split {name} in {offer}")


def _show_hindrances(world: World, offer: str, name: str) -> None:
    if _one(world, offer, name)["status"] == "approved":
        for row in world.application.desk.splits.split_hindrances(offering=offer, split=name):
            console.print(f"waits for: {row['rule']} {row['detail']}".rstrip())


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refused("split_states_its_moment", "write it as 2026-07-01T12:00:00+00:00")
    return moment


def _digest_of(document: Path) -> str:
    try:
        return hashlib.sha256(document.read_bytes()).hexdigest()
    except OSError:
        raise NotFound(f"there is no file {document}") from None
