"""Filings and reports that offers owe: what is due, the pack of each, and how it was filed."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import OPERATOR, Actor, Id, require_offer
from bookrunner.cli.screen import app, console, keep_facts, marked
from bookrunner.core.errors import NotFound
from bookrunner.core.ids import new_id
from bookrunner.db import Row
from bookrunner.engine.life.servicing.filings import as_csv, as_json, follow_all, pack_of, shown_value
from bookrunner.sandbox.world import opened

filing = typer.Typer(no_args_is_help=True, help="Filings that offers owe: list, show, fill, export, file.")
app.add_typer(filing, name="filing")

_Paper = Annotated[
    Path, typer.Argument(help="The document, kept as its SHA-256.", exists=True, dir_okay=False)
]
_Day = Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="The day, as 2026-11-24.")]
_Seen = Annotated[int, typer.Option("--seen", help="The version that was looked at.")]
_Because = Annotated[str, typer.Option("--because", help="What it is.")]


@filing.command("list")
def list_filings(
    offer: Annotated[str | None, typer.Argument(help="Of one offer, or of all.")] = None,
) -> None:
    """List the filings of an offer, or of all: what was missed first, then by the day they are due."""
    with opened(read_settings()) as world:
        application = world.application
        if offer is None:
            follow_all(application.desk.filings, actor=OPERATOR)
        else:
            require_offer(application, offer)
            application.desk.filings.open_filings(actor=OPERATOR, offerings=[offer])
        rows = application.desk.filings.filings(offering=offer, filing=None)
    table = Table("filing", "offer", "form", "for", "due", "state", title=f"{len(rows)} filings")
    for row in rows:
        about = (row["form"], row["place"] or str(row["fact_on"] or "not yet known"))
        table.add_row(row["filing_id"], row["offering_id"], *about, _due(row), said_of(row))
    console.print(table)


@filing.command()
def show(name: Id) -> None:
    """Show the pack of a filing: each value, where it comes from, and what nobody has filled."""
    with opened(read_settings()) as world:
        pack = pack_of(world.application.desk.filings, None, name)
    head = pack.filing
    console.print(f"{name}: form {head['form']} of {head['offering_id']}, {said_of(head)}")
    console.print(f"due {_due(head)}, {head['citation']}; from {head['fact_source']}")
    table = Table("item", "value", "source", title=f"{len(pack.items)} items, {len(pack.unfilled)} unfilled")
    for row in pack.items:
        value = shown_value(row) or ("not filled" if row["is_mandatory"] else "")
        today = f" (today: {shown_value(row, now=True) or 'nothing'})" if row["differs"] else ""
        table.add_row(f"{row['code']}: {row['sentence']}", value + today, row["source"] or "")
    console.print(table)
    keep_facts(unfilled=pack.unfilled, differs=pack.differs)


@filing.command()
def export(
    name: Id,
    file: Annotated[Path, typer.Argument(help="Where it is written, .json or .csv.")],
) -> None:
    """Write the pack of a filing to a file, as JSON or as CSV."""
    writers = {".json": as_json, ".csv": as_csv}
    if file.suffix not in writers:
        raise typer.BadParameter("a pack is written as .json or .csv")
    with opened(read_settings()) as world:
        pack = pack_of(world.application.desk.filings, None, name)
    file.write_text(writers[file.suffix](pack), encoding="utf-8", newline="")
    console.print(f"{file}: {len(pack.items)} items, {len(pack.unfilled)} unfilled")


@filing.command()
def state(
    offer: Id,
    fact: Annotated[
        str,
        typer.Argument(help="year_end, state_sale, change_of_notice, reportable_event or end_of_duty."),
    ],
    document: _Paper,
    *,
    on: _Day,
    because: _Because,
    place: Annotated[str, typer.Option(help="The state of a sale, as US-CA.")] = "",
    actor: Actor,
) -> None:
    """State a fact that no book holds; the filing that it starts is opened."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        name = new_id("fct")
        world.application.desk.filings.state_filing_fact(
            actor=actor,
            offering=offer,
            fact_id=name,
            fact=fact,
            place=place,
            happened_on=on.date(),
            because=because,
            evidence_sha256=_digest(document),
        )
    console.print(f"{name}: stated")


@filing.command()
def fill(
    name: Id,
    item: Id,
    value: Annotated[str, typer.Argument(help="The value.")],
    *,
    source: Annotated[str, typer.Option(help="The record that it comes from.")],
    actor: Actor,
) -> None:
    """Fill an item of a pack that no book holds."""
    with opened(read_settings()) as world:
        keeper = world.application.desk.filings
        offering = pack_of(keeper, None, name).filing["offering_id"]
        keeper.fill_filing(actor=actor, offering=offering, filing=name, code=item, value=value, source=source)
        left = pack_of(keeper, offering, name).unfilled
    console.print(f"{name}: {len(left)} unfilled")


@filing.command()
def prepare(name: Id, *, actor: Actor) -> None:
    """Say that the pack of a filing is ready; refused while a mandatory value is unfilled."""
    with opened(read_settings()) as world:
        keeper = world.application.desk.filings
        head = pack_of(keeper, None, name).filing
        keeper.prepare_filing(actor=actor, offering=head["offering_id"], filing=name, seen=head["version"])
    console.print(f"{name}: prepared")


@filing.command("file")
def record(
    name: Id,
    proof: _Paper,
    *,
    on: _Day,
    reference: Annotated[str, typer.Option(help="The accession or reference number.")],
    actor: Actor,
) -> None:
    """Record that a prepared filing was made, with its number and proof; the engine files nothing."""
    with opened(read_settings()) as world:
        keeper = world.application.desk.filings
        head = pack_of(keeper, None, name).filing
        keeper.record_filing(
            actor=actor,
            offering=head["offering_id"],
            filing=name,
            filed_on=on.date(),
            reference=reference,
            proof_sha256=_digest(proof),
            seen=head["version"],
        )
        if pack_of(keeper, None, name).filing["is_late"]:
            marked("late", f"{name}: filed after {head['due_on']}", "yellow")
    console.print(f"{name}: filed")


@filing.command()
def end(name: Id, *, because: _Because, actor: Actor) -> None:
    """Say why a filing is owed no more; it is owed until another person confirms it."""
    with opened(read_settings()) as world:
        keeper = world.application.desk.filings
        head = pack_of(keeper, None, name).filing
        keeper.end_filing(
            actor=actor, offering=head["offering_id"], filing=name, because=because, seen=head["version"]
        )
        seen = pack_of(keeper, None, name).filing["version"]
    console.print(f"{name} waits for a second person: bookrunner filing confirm-end {name} --seen {seen}")


@filing.command()
def confirm_end(name: Id, *, seen: _Seen, actor: Actor) -> None:
    """Confirm that a filing is not owed, as another person than who said so."""
    with opened(read_settings()) as world:
        keeper = world.application.desk.filings
        head = pack_of(keeper, None, name).filing
        keeper.confirm_filing_end(actor=actor, offering=head["offering_id"], filing=name, seen=seen)
    console.print(f"{name}: not owed")


@filing.command()
def reopen(name: Id, *, because: _Because, actor: Actor) -> None:
    """Open a prepared pack again, or a filing that somebody said is not owed."""
    with opened(read_settings()) as world:
        keeper = world.application.desk.filings
        head = pack_of(keeper, None, name).filing
        keeper.reopen_filing(
            actor=actor, offering=head["offering_id"], filing=name, because=because, seen=head["version"]
        )
        status = pack_of(keeper, None, name).filing["status"]
    console.print(f"{name}: {status}")


def said_of(row: Row) -> str:
    """Return the state of a filing in words; one whose day has passed is missed."""
    if row["is_missed"]:
        return "missed"
    if row["is_late"]:
        return f"filed late on {row['filed_on']}"
    if row["status"] == "ending":
        return "waits for a second person"
    if row["status"] == "filed":
        return f"filed on {row['filed_on']}"
    return str(row["status"]).replace("_", " ")


def _due(row: Row) -> str:
    if row["due_on"] is not None:
        return str(row["due_on"])
    return (
        "no rule of this state is on record" if row["form"] == "state notice" else "when its fact has a day"
    )


def _digest(paper: Path) -> bytes:
    if not paper.is_file():
        raise NotFound(f"there is no file {paper}")
    return hashlib.sha256(paper.read_bytes()).digest()
