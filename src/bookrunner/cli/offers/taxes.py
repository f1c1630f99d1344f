"""Tax documents of a year: drafted from what was paid, released by another person, written as data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Actor, Id, require_offer
from bookrunner.cli.screen import app, console, keep_facts
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.money import grouped
from bookrunner.engine.life.servicing.taxes import TaxYears, as_csv, as_json
from bookrunner.sandbox.world import opened

tax = typer.Typer(help="Tax documents of a year.", no_args_is_help=True)
app.add_typer(tax, name="tax")

Seen = Annotated[int, typer.Option("--seen", help="The version that was looked at.")]


@tax.command("list")
def list_all(offer: Id) -> None:
    """List the tax years of an offer with their sums, and what differs from the payments by now."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        rows = TaxYears(world.application.desk).years.tax_years(offering=offer)
    table = Table("tax year", "state", "year", "forms", "gross", "withheld", "net", "differs", "version")
    for row in rows:
        money = (grouped(row[f"{part}_minor"], row["currency"]) for part in ("gross", "withheld", "net"))
        head = (row["tax_year_id"], row["status"], str(row["year"]), str(row["forms"]))
        table.add_row(*head, *money, str(row["differs"]), str(row["version"]))
    console.print(table)


@tax.command("draft")
def draft(offer: Id, year: Annotated[int, typer.Argument()], *, actor: Actor) -> None:
    """Draft the forms of a year from what was paid in it."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        name = TaxYears(world.application.desk).draft(offer, year, actor=actor)
    keep_facts(tax_year=name)
    console.print(f"{name} waits for a second person: bookrunner tax release {offer} {name}")


@tax.command("release")
def release(offer: Id, name: Id, *, seen: Seen, actor: Actor) -> None:
    """Release a year as another person; refused while its forms are not what was paid."""
    with opened(read_settings()) as world:
        TaxYears(world.application.desk).release(offer, name, seen, actor=actor)
    console.print(f"{name}: released")


@tax.command("cancel")
def cancel(
    offer: Id,
    name: Id,
    *,
    because: Annotated[str, typer.Option("--because", help="Why.")],
    seen: Seen,
    actor: Actor,
) -> None:
    """End a tax year, so that it can be drafted anew."""
    with opened(read_settings()) as world:
        TaxYears(world.application.desk).cancel(offer, name, because, seen=seen, actor=actor)
    console.print(f"{name}: cancelled")


@tax.command("export")
def export(offer: Id, name: Id, file: Annotated[Path, typer.Argument(help="A .csv or .json file.")]) -> None:
    """Write the forms of a year with their boxes as data."""
    with opened(read_settings()) as world:
        rows = TaxYears(world.application.desk).forms(offer, name)
    if not rows:
        raise NotFound(f"{name} has no forms in {offer}")
    writers = {".csv": as_csv, ".json": as_json}
    if file.suffix not in writers:
        raise Refused("tax_file_is_csv_or_json", "name a file that ends in .csv or .json")
    file.write_text(writers[file.suffix](rows), encoding="utf-8")
    console.print(f"{file}: {len(rows)} forms")


@tax.command("attach")
def attach(
    offer: Id,
    name: Id,
    folder: Annotated[Path, typer.Argument(help="Printed forms, each FORM.pdf by the id of its form.")],
    *,
    actor: Actor,
) -> None:
    """Keep the printed forms of a released year, sealed for each recipient."""
    files = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.pdf"))}
    with opened(read_settings()) as world:
        kept = TaxYears(world.application.desk).attach(offer, name, files, actor=actor)
    console.print(f"{name}: {kept} files attached")
