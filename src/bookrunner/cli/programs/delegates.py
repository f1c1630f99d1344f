"""Delegates of investors: listed, and ended by a person of the portal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import OPERATOR, Actor
from bookrunner.cli.proof.records import told
from bookrunner.cli.screen import app, console
from bookrunner.db import Database, Keeper
from bookrunner.sandbox.world import database_of

delegate = typer.Typer(help="Who acts for investors: list, end. Investors name them on their own page.")
app.add_typer(delegate, name="delegate")

_MOST = 1000


@contextmanager
def _portal() -> Iterator[Keeper]:
    with database_of(read_settings()) as endpoint:
        database = Database(endpoint, max_size=1)
        try:
            yield Keeper(database, "portal", "bookrunner.pages.access.delegates")
        finally:
            database.close()


@delegate.command(name="list")
def list_delegates(investor: Annotated[str, typer.Argument(help="The investor.")]) -> None:
    """List whom an investor has named, those that stand first."""
    table = Table("delegation", "delegate", "may", "state", "from", "until", "ended by")
    with _portal() as portal:
        for row in portal.delegates_of(investor=investor, most=_MOST):
            when = told(row["valid_from"]), told(row["valid_until"])
            said = row["delegation_id"], row["delegate"], row["scope"], row["status"]
            table.add_row(*said, *when, row["ended_by"] or "")
    console.print(table)


@delegate.command()
def end(
    delegation: Annotated[str, typer.Argument(help="The id of the delegation, as list shows it.")],
    *,
    actor: Actor = OPERATOR,
) -> None:
    """End a delegation from this moment on."""
    with _portal() as portal:
        portal.end_delegation(actor=actor, delegation=delegation)
    console.print(f"{delegation} has ended")
