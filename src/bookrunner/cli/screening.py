"""Sanctions lists: put published files in force, and see which are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.app import read_settings
from bookrunner.cli.offers import OPERATOR, Actor
from bookrunner.cli.screen import app, console
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.intake import Screening, Word, update_lists
from bookrunner.sandbox.world import database_of

screening = typer.Typer(no_args_is_help=True, help="Sanctions lists in force, and what waits for them.")
app.add_typer(screening, name="screening")


@screening.command()
def update(
    files: Annotated[list[Path], typer.Argument(help="Files as published; OFAC's four tables go together.")],
    *,
    published: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day of publication, where the files name none."),
    ] = None,
    because: Annotated[
        str | None, typer.Option(help="Why a list may be older, or lose a tenth of its entries.")
    ] = None,
    actor: Actor = OPERATOR,
) -> None:
    """Put published lists in force and screen everybody against the difference."""
    word = Word(None if published is None else published.date(), because)
    with _desk() as desk:
        taken = update_lists(desk.compliance, files, word, actor=actor)
        screened = Screening(desk).drain()
    for one in taken:
        if not one.is_new:
            console.print(f"{one.source}: nothing new, {one.entries} entries stay in force")
            continue
        console.print(
            f"{one.source}: {one.entries} entries in force,"
            f" {one.added} added, {one.changed} changed, {one.removed} removed; {one.due} due"
        )
    console.print(f"{screened} screenings answered")


@screening.command()
def status() -> None:
    """List what is in force, how old it is, what waits, and which files were refused."""
    with _desk() as desk:
        lists, refused = desk.compliance.lists_in_force(), desk.compliance.refused_lists()
        work = desk.compliance.screening_work()
    table = Table("list", "published", "entries", "covers", "checked", "waiting", "due")
    for row in lists:
        table.add_row(
            row["source"],
            _day(row["published_on"]),
            str(row["entry_count"]),
            ", ".join(row["covers"]),
            _day(row["checked_at"]),
            str(row["waiting"]),
            _day(row["due_at"]),
        )
    console.print(table)
    console.print(f"{work['open_hits']} hits wait for a decision; {work['reports_due']} reports are due")
    if work["first_due_on"] is not None:
        console.print(f"the first report is due on {_day(work['first_due_on'])}")
    for row in refused:
        console.print(f"refused {row['file_name']}: {row['rule']} {row['detail']}")


@contextmanager
def _desk() -> Iterator[Desk]:
    with database_of(read_settings()) as endpoint:
        database = Database(endpoint)
        try:
            yield Desk(database)
        finally:
            database.close()


def _day(moment: date | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d}"
