"""Erasing what is known of an investor, where no rule keeps the record."""

from __future__ import annotations

from typing import Annotated

import typer

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Id
from bookrunner.cli.screen import app, console, one_name
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.sandbox.world import database_of


@app.command()
def erase(
    investor: Id,
    *,
    because: Annotated[str, typer.Option(help="Why, in words that name nobody.")],
    actor: Annotated[str, typer.Option(help="The person who decides.", callback=one_name)],
) -> None:
    """Erase the personal data of an investor for good; refused with each reason while a rule keeps it."""
    with database_of(read_settings()) as endpoint:
        database = Database(endpoint)
        try:
            Desk(database).erase(investor, actor=actor, because=because)
        finally:
            database.close()
    console.print(f"{investor} is erased; backups hold it until they are rotated")
