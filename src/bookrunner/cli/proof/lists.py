"""Any list as files: CSV and XLSX of what a filter shows, with a manifest."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from bookrunner.app.lists import LISTS, Filter, export
from bookrunner.app.settings import read_settings
from bookrunner.audit import FileUnusable, advance_feed
from bookrunner.cli.offers import OPERATOR, Actor
from bookrunner.cli.proof.records import moment_of
from bookrunner.cli.screen import app, console, keep_facts, marked
from bookrunner.db import Database
from bookrunner.sandbox.world import database_of


@app.command("list")
def take(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(LISTS)}.")],
    out: Annotated[Path, typer.Argument(help="A new file that ends in .zip.")],
    *,
    offer: Annotated[str | None, typer.Option(help="Of this offer alone.")] = None,
    person: Annotated[str | None, typer.Option(help="Of this investor alone.")] = None,
    status: Annotated[
        str | None, typer.Option(help="Of this status; of events, the word of the kind.")
    ] = None,
    since: Annotated[str, typer.Option("--from", help="The first day or moment.")] = "",
    until: Annotated[
        str, typer.Option("--until", help="The last day, or the moment before which it ends.")
    ] = "",
    actor: Actor = OPERATOR,
) -> None:
    """Write what a filter shows of a list as CSV and XLSX with a manifest; name the gaps of a timeline.

    Ends with 1 where a timeline lacks versions of a record.
    """
    by = Filter(
        offer,
        person,
        status,
        moment_of(since, is_begin=True) if since else None,
        moment_of(until) if until else None,
    )
    try:
        file = out.open("xb")
    except OSError as fault:
        raise FileUnusable(f"{out} cannot be written: {fault.strerror}") from None
    with file, ExitStack() as undo:
        undo.callback(out.unlink)
        with database_of(read_settings()) as endpoint:
            database = Database(endpoint)
            try:
                advance_feed(database)
                made = export(database, name, by, file, actor=actor)
            finally:
                database.close()
        undo.pop_all()
    keep_facts(list=name, rows=made.rows, gaps=list(made.gaps), path=str(out))
    console.print(f"{made.rows} rows of {name} in {out}")
    for gap in made.gaps:
        marked("gap", f"{gap}: events are missing")
    if made.gaps:
        raise typer.Exit(1)
