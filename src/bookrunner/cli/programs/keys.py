"""Keys of programs that call the API."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from bookrunner import api
from bookrunner.api.access.keys import DAYS
from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import OPERATOR, Actor
from bookrunner.cli.screen import app, console
from bookrunner.core.credentials import ISSUER, KEEPERS
from bookrunner.sandbox.world import database_of


@app.command()
def key(
    name: Annotated[str, typer.Argument(help="What calls with it, such as portal-backend.")],
    keeper: Annotated[str, typer.Argument(help=f"One of {', '.join(KEEPERS)}; or {ISSUER}.")],
    *,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it is in force.")] = DAYS,
    issuer: Annotated[str | None, typer.Option(help="Whose offers a key of an issuer reads.")] = None,
    actor: Actor = OPERATOR,
) -> None:
    """Issue a key for the API and show it once; only its digest is kept."""
    with database_of(read_settings()) as endpoint:
        issued = api.issue(endpoint, name, keeper, days=days, actor=actor, issuer=issuer)
    console.print(issued, soft_wrap=True)


@app.command()
def revoke(name: str, *, actor: Actor = OPERATOR) -> None:
    """Revoke a key of the API; the next call with it is refused."""
    with database_of(read_settings()) as endpoint:
        api.revoke(endpoint, name, actor=actor)
    console.print(f"{name} is revoked")


@app.command()
def keys() -> None:
    """List the keys of the API, which keeper each serves and until when."""
    table = Table("key", "keeper", "issued by", "expires", "revoked")
    with database_of(read_settings()) as endpoint:
        for row in api.listed(endpoint):
            revoked = row["revoked_at"]
            ends = f"{row['expires_at']:%Y-%m-%d}"
            table.add_row(
                row["name"], row["keeper"], row["issued_by"], ends, f"{revoked:%Y-%m-%d}" if revoked else ""
            )
    console.print(table)
