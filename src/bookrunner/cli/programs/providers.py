"""OpenID providers that people sign in with: named, granted by another person, ended, listed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from bookrunner.adapters.identity import Registration
from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import OPERATOR, Actor
from bookrunner.cli.screen import app, console
from bookrunner.db import Database, Row
from bookrunner.sandbox.world import database_of

if TYPE_CHECKING:
    from bookrunner.pages.access.providers import Providers

provider = typer.Typer(help="OpenID providers that people sign in with: propose, grant, end, list.")
app.add_typer(provider, name="provider")


@contextmanager
def _providers() -> Iterator[Providers]:
    from bookrunner.pages.access.providers import Providers

    with database_of(read_settings()) as endpoint:
        database = Database(endpoint, max_size=1)
        try:
            yield Providers(database)
        finally:
            database.close()


@provider.command()
def propose(
    name: Annotated[str, typer.Argument(help="A short name, as addresses have it.")],
    issuer: Annotated[str, typer.Argument(help="Its issuer, an https address.")],
    client: Annotated[str, typer.Argument(help="What this installation is called there.")],
    *,
    title: Annotated[str, typer.Option(help="What people call it.")],
    acr: Annotated[
        list[str] | None, typer.Option(help="An acr that says two factors were shown; may come again.")
    ] = None,
    amr: Annotated[
        list[str] | None, typer.Option(help="An amr that says two factors were shown; may come again.")
    ] = None,
    actor: Actor = OPERATOR,
) -> None:
    """Name a provider; another person grants it. The secret that it gave is read from input."""
    secret: str = typer.prompt("The secret of this installation there", hide_input=True, err=True)
    own = Registration(issuer, client, secret.strip(), frozenset(acr or ()), frozenset(amr or ()))
    with _providers() as providers:
        made = providers.propose(name, title, own, actor=actor)
    console.print(f"{name} waits for another person: bookrunner provider grant {made} --actor WHO")
    console.print(f"It sends people back to https://YOUR-HOST/sign-in/with/{name}", soft_wrap=True)


@provider.command()
def grant(
    provider_id: Annotated[
        str, typer.Argument(metavar="ID", help="The id of the proposal, as list shows it.")
    ],
    *,
    actor: Actor = OPERATOR,
) -> None:
    """Put a provider in force, as another person than who named it, and show what was granted."""
    with _providers() as providers:
        row = providers.grant(provider_id, actor=actor)
    console.print(f"{row['name']} is in force: {row['title']}, {row['token_issuer']}", soft_wrap=True)
    console.print(f"there we are {row['client_id']}; two factors: {_strong(row) or 'none'}", soft_wrap=True)


@provider.command()
def end(
    provider_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, as list shows it.")],
    *,
    because: Annotated[str, typer.Option(help="Why; it is kept.")],
    actor: Actor = OPERATOR,
) -> None:
    """End a provider, what people have linked of it and the sessions that it opened; or decline it."""
    with _providers() as providers:
        providers.end(provider_id, because, actor=actor)
    console.print(f"{provider_id} has ended")


@provider.command(name="list")
def list_providers() -> None:
    """List the providers: issuer, state, what counts as two factors, how many have linked it."""
    table = Table("id", "name", "issuer", "state", "two factors", "linked", "named by", "granted by")
    with _providers() as providers:
        for row in providers.listed():
            about = row["provider_id"], row["name"], row["token_issuer"], row["status"]
            said = *about, _strong(row), str(row["linked"])
            table.add_row(*said, row["proposed_by"], row["approved_by"] or "")
    console.print(table)


def _strong(row: Row) -> str:
    return ", ".join([*(f"acr {each}" for each in row["strong_acr"]), *row["strong_amr"]])
