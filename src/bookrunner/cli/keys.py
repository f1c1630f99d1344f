"""Keys of programs that call the API, and accounts of people who sign in at the pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.table import Table

from bookrunner import api
from bookrunner.api.access.keys import DAYS
from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import OPERATOR, Actor
from bookrunner.cli.screen import app, console
from bookrunner.core.credentials import ISSUER, KEEPERS
from bookrunner.db import Database
from bookrunner.pages.access.people import People
from bookrunner.sandbox.world import database_of

person = typer.Typer(help="Accounts of people: invite, grant, lock, open, deactivate, list.")
app.add_typer(person, name="person")
Because = Annotated[str, typer.Option(help="Why; it is kept.")]


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


@contextmanager
def _people() -> Iterator[People]:
    with database_of(read_settings()) as endpoint:
        database = Database(endpoint, max_size=1)
        try:
            yield People(database)
        finally:
            database.close()


@person.command()
def invite(
    name: Annotated[str, typer.Argument(help="What its acts are recorded under; an investor's is its id.")],
    keeper: Annotated[str, typer.Argument(help=f"One of {', '.join(KEEPERS)}; or {ISSUER}.")],
    *,
    issuer: Annotated[str | None, typer.Option(help="Whose offers a person of an issuer reads.")] = None,
    actor: Actor = OPERATOR,
) -> None:
    """Name a person for an account; another person grants it, unless it is an investor's own."""
    with _people() as people:
        people.propose(name, keeper, actor=actor, issuer=issuer)
        if name.startswith("ivr_"):
            _show(people.invite(name, actor=actor))
            return
    console.print(f"{name} waits for another person: bookrunner person grant {name} --actor WHO")


@person.command()
def grant(name: str, *, actor: Actor = OPERATOR) -> None:
    """Grant an account that another person named, and show its invitation once; again makes another one."""
    with _people() as people:
        _show(people.invite(name, actor=actor))


@person.command()
def decline(name: str, *, because: Because, actor: Actor = OPERATOR) -> None:
    """Decline an account that was named, or withdraw its invitation."""
    _moved(name, "declined", because, actor)


@person.command()
def lock(name: str, *, because: Because, actor: Actor = OPERATOR) -> None:
    """Lock an account at once; its sessions are over and its keys refused."""
    _moved(name, "locked", because, actor)


@person.command(name="open")
def open_again(name: str, *, because: Because, actor: Actor = OPERATOR) -> None:
    """Open a locked account again, as another person than who locked it."""
    _moved(name, "active", because, actor)


@person.command()
def deactivate(name: str, *, because: Because, actor: Actor = OPERATOR) -> None:
    """End an account for good; its sessions and keys end with it."""
    _moved(name, "deactivated", because, actor)


@person.command()
def recover(name: str, *, actor: Actor = OPERATOR) -> None:
    """Vouch for a person who lost every credential, and show its recovery once; any left can stop it."""
    with _people() as people:
        console.print(people.recovery_of(name, actor=actor), soft_wrap=True)
    console.print("It is good for one week and one use, at /recovery; the new passkey waits for three days.")


@person.command()
def admit(name: str, *, actor: Actor = OPERATOR) -> None:
    """Let the passkey of a recovery sign in after its time, as another person than who vouched."""
    with _people() as people:
        people.admit(name, actor=actor)
    console.print(f"{name} signs in with the new passkey alone")


@person.command(name="list")
def list_people() -> None:
    """List the accounts: whom each serves, its state, who granted it, when it was used last."""
    table = Table("name", "keeper", "state", "named by", "granted by", "used")
    with _people() as people:
        for row in people.listed():
            used = row["used_at"]
            said = row["name"], row["keeper"], row["status"], row["proposed_by"], row["approved_by"] or ""
            table.add_row(*said, f"{used:%Y-%m-%d}" if used else "")
    console.print(table)


def _show(invitation: str) -> None:
    console.print(invitation, soft_wrap=True)
    console.print("It is good for one week and one use, at /invitation.")


def _moved(name: str, status: str, because: str, actor: str) -> None:
    with _people() as people:
        people.move(name, status, because, actor=actor)
    console.print(f"{name} is {status}")
