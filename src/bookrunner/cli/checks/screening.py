"""Sanctions lists: put published files in force, and see which are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import OPERATOR, Actor, Id
from bookrunner.cli.screen import app, console, one_name
from bookrunner.core.ids import new_id
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
def policy(
    offer: Id,
    *,
    person: Annotated[int, typer.Option(help="Score from which on people alert, of 10,000.")],
    other: Annotated[int, typer.Option(help="Score from which on all others alert, of 10,000.")],
    because: Annotated[str, typer.Option(help="Why the offer needs a policy of its own.")],
    actor: Annotated[str, typer.Option(help="The person who proposes it.", callback=one_name)],
    lag_hours: Annotated[int, typer.Option(help="For how long a changed list may wait.")] = 24,
    age_days: Annotated[int, typer.Option(help="How old a screening may be.")] = 365,
) -> None:
    """Propose from which scores on an offer's investors alert, and how fresh their screenings must be."""
    terms = {"person_bp": person, "other_bp": other, "list_lag_hours": lag_hours, "age_days": age_days}
    with _desk() as desk:
        desk.offer(offer)
        change = new_id("spc")
        desk.compliance.propose_screening_policy(
            actor=actor, offering=offer, change=change, policy=terms, because=because
        )
    console.print(f"{offer}: {change} waits for a second person")


@screening.command()
def adopt(
    offer: Id,
    change: Annotated[str, typer.Argument(help="The proposed policy.", callback=one_name)],
    *,
    because: Annotated[str, typer.Option(help="Why it is adopted, or not.")],
    under: Annotated[str, typer.Option(help="The programme seen; screening status says it.")],
    actor: Annotated[str, typer.Option(help="The second person.", callback=one_name)],
    decline: Annotated[bool, typer.Option("--decline", help="Decline the policy instead.")] = False,
) -> None:
    """Adopt the screening policy that somebody else has proposed, and screen by it at once."""
    with _desk() as desk:
        waiting = desk.compliance.proposed_policies(offering=offer)
        seen = next((row["version"] for row in waiting if row["change_id"] == change), None)
        with desk.compliance.together() as within:
            within.decide_under(actor=actor, programme=under)
            within.decide_screening_policy(
                actor=actor, offering=offer, change=change, is_adopted=not decline, because=because, seen=seen
            )
        screened = Screening(desk).drain()
    console.print(
        f"{offer}: {change} is {'declined' if decline else 'adopted'}; {screened} screenings answered"
    )


@screening.command()
def status() -> None:
    """List what is in force, how old it is, what waits, and which files were refused."""
    with _desk() as desk:
        lists, refused = desk.compliance.lists_in_force(), desk.compliance.refused_lists()
        work = desk.compliance.screening_work()
        programme = desk.compliance.programme_in_force()
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
    console.print(f"the programme in force is {programme}")
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
