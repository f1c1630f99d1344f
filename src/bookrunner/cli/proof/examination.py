"""Bundles for examiners, and who viewed whose data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.adapters.documents import Typesetter
from bookrunner.app.examination import Asked
from bookrunner.app.examination import examine as take
from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import OPERATOR, Actor
from bookrunner.cli.proof.records import moment_of, told
from bookrunner.cli.screen import app, console, keep_facts, marked, one_name
from bookrunner.db import Database, Keeper
from bookrunner.sandbox.world import database_of

_MOST = 10_000


@app.command()
def examine(
    *,
    since: Annotated[str, typer.Option("--from", help="The first day or moment of the period.")],
    until: Annotated[str, typer.Option("--until", help="Its last day, or the moment before which it ends.")],
    out: Annotated[Path, typer.Option("--out", help="An empty folder, or a file that ends in .zip.")],
    because: Annotated[str, typer.Option("--because", help="What it is taken for; on record.")],
    actor: Actor = OPERATOR,
) -> None:
    """Take the records of a period for an examiner: tables, documents, history, verifier, index, manifest."""
    with database_of(read_settings()) as endpoint:
        database, press = Database(endpoint), Typesetter()
        try:
            asked = Asked(moment_of(since, is_begin=True), moment_of(until), actor, because)
            made = take(database, press, asked, out)
        finally:
            press.close()
            database.close()
    keep_facts(examination=made.examination, files=made.files, manifest_sha256=made.manifest_sha256)
    marked("written", f"{made.path}: {made.files} files, manifest sha256 {made.manifest_sha256}", "green")


@app.command("access-log")
def access_log(
    person: Annotated[str, typer.Argument(callback=one_name, help="The id of an investor.")] = "",
    *,
    since: Annotated[str, typer.Option("--from", help="The first day or moment.")] = "",
    until: Annotated[str, typer.Option("--until", help="The last day or moment.")] = "",
) -> None:
    """List who viewed a person's data, when and why, the latest first; without a person, everybody's."""
    with database_of(read_settings()) as endpoint:
        database = Database(endpoint)
        try:
            rows = Keeper(database, "audit", "bookrunner.audit.record").accesses(
                person=person or None,
                since=moment_of(since, is_begin=True) if since else None,
                until=moment_of(until) if until else None,
                most=_MOST,
            )
        finally:
            database.close()
    table = Table("when", "who", "whose", "what", "why", title="Views")
    for row in rows:
        about = f"{row['kind']} {row['about']}"
        whose = row["person_id"] or ("everybody" if row["is_of_everybody"] else "nobody who is named")
        table.add_row(told(row["viewed_at"]), row["viewed_by"], whose, about, row["purpose"])
    console.print(table)
    keep_facts(views=len(rows))
