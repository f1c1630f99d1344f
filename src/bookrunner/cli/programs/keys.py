"""Keys of programs that call the API, and accounts of people who sign in at the pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import OPERATOR, Actor
from bookrunner.cli.screen import app, console, keep_facts
from bookrunner.core.credentials import DAYS, ISSUER, KEEPERS
from bookrunner.core.errors import ConfigurationError
from bookrunner.db import Database, Row
from bookrunner.sandbox.world import database_of, opened

if TYPE_CHECKING:
    from bookrunner.api import Scope
    from bookrunner.pages.access.people import People

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
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="An operation, an area, read or act, an offer, an address or a CIDR block; may come again."
        ),
    ] = None,
    reveals: Annotated[
        str, typer.Option(help="What of a person it reads or sends: nothing, dealings, identity.")
    ] = "identity",
    actor: Actor = OPERATOR,
) -> None:
    """Issue a key for the API and show it once; only its digest is kept."""
    from bookrunner import api

    scope = _narrowed(only or (), reveals)
    with database_of(read_settings()) as endpoint:
        issued = api.issue(endpoint, name, keeper, days=days, actor=actor, issuer=issuer, scope=scope)
    keep_facts(key=issued)
    console.print(issued, soft_wrap=True)


@app.command()
def client(
    name: Annotated[str, typer.Argument(help="The client, as events name it.")],
    keeper: Annotated[str, typer.Argument(help=f"One of {', '.join(KEEPERS)}.")],
    subject: Annotated[str, typer.Argument(help="The `sub` of its tokens.")],
    *,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it is in force.")] = DAYS,
    only: Annotated[list[str] | None, typer.Option(help="As of a key; may come again.")] = None,
    reveals: Annotated[str, typer.Option(help="As of a key.")] = "identity",
    actor: Actor = OPERATOR,
) -> None:
    """Bind tokens of the configured OpenID provider to a keeper; counts when another person approves it."""
    from bookrunner import api

    settings = read_settings()
    if settings.tokens is None:
        raise ConfigurationError("BOOKRUNNER_TOKENS names no OpenID provider")
    bound = api.Subject(settings.tokens.issuer, subject)
    scope = _narrowed(only or (), reveals)
    with database_of(settings) as endpoint:
        api.propose_client(endpoint, name, keeper, bound, days=days, actor=actor, scope=scope)
    console.print(f"{name} is proposed; another person approves it: bookrunner approve-client {name}")


@app.command()
def approve_client(name: str, *, actor: Actor = OPERATOR) -> None:
    """Approve a proposed client, as another person; `revoke` ends it."""
    from bookrunner import api

    with database_of(read_settings()) as endpoint:
        api.approve_client(endpoint, name, actor=actor)
    console.print(f"{name} is approved")


@app.command()
def emergency(
    act: Annotated[str, typer.Argument(help="ask, grant, end-keys or end.")],
    about: Annotated[str, typer.Argument(help="The keeper to ask about; afterwards the emergency.")],
    *,
    actor: Annotated[str, typer.Option(help="Who acts; another person grants.")],
    reason: Annotated[str, typer.Option(help="Why it is asked for.")] = "",
    minutes: Annotated[int, typer.Option(min=1, max=240, help="When it ends, from now.")] = 60,
) -> None:
    """Give two people the right to end every key of a keeper for a short time, or use it."""
    from bookrunner import api

    with opened(read_settings()) as world:
        emergencies = api.Emergencies(world.application.database)
        if act == "ask":
            console.print(emergencies.ask(about, reason, minutes, actor=actor))
        elif act == "grant":
            emergencies.grant(about, actor=actor)
        elif act == "end-keys":
            console.print(f"{emergencies.end_keys(about, actor=actor)} keys are ended")
        elif act == "end":
            emergencies.end(about, actor=actor)
        else:
            raise typer.BadParameter("ask, grant, end-keys or end")


@app.command()
def revoke(name: str, *, actor: Actor = OPERATOR) -> None:
    """Revoke a key of the API; the next call with it is refused."""
    from bookrunner import api

    with database_of(read_settings()) as endpoint:
        api.revoke(endpoint, name, actor=actor)
    console.print(f"{name} is revoked")


@app.command()
def keys() -> None:
    """List the keys of the API: the keeper and the scope of each, until when, last used when."""
    from bookrunner import api

    table = Table("key", "keeper", "scope", "issued by", "expires", "last used", "revoked")
    with database_of(read_settings()) as endpoint:
        for row in api.listed(endpoint):
            days = [
                f"{row[at]:%Y-%m-%d}" if row[at] else "" for at in ("expires_at", "used_at", "revoked_at")
            ]
            table.add_row(row["name"], row["keeper"], _scope(row), row["issued_by"], *days)
    console.print(table)


@contextmanager
def _people() -> Iterator[People]:
    from bookrunner.pages.access.people import People

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


@app.command()
def authority(
    role: Annotated[str | None, typer.Argument(help="Only what this role may call.")] = None,
) -> None:
    """Show who may call what: the authority matrix of the API."""
    from bookrunner import api

    table = Table("operation", "area", "kind", "reveals", "roles", "four eyes")
    with database_of(read_settings()) as endpoint:
        for row in api.authority(endpoint):
            if role is None or role in row["roles"]:
                told = (row["operation"], row["area"], row["kind"], row["reveals"])
                table.add_row(*told, ", ".join(row["roles"]), row["four_eyes"] or "")
    console.print(table)


def _narrowed(only: Sequence[str], reveals: str) -> Scope:
    """Sort what a key is limited to by its form: ids of offers, addresses, and the rest actions."""
    from bookrunner.api import Scope

    offers = [each for each in only if each.startswith("ofr_")]
    networks = [each for each in only if "." in each or ":" in each]
    actions = [each for each in only if each not in {*offers, *networks}]
    return Scope(actions or None, offers or None, reveals, networks or None)


def _scope(row: Row) -> str:
    parts = [*(row["actions"] or ()), *(row["offers"] or ()), *(row["networks"] or ())]
    if row["reveals"] != "identity":
        parts.append(f"reveals {row['reveals']}")
    return ", ".join(parts) or "all of its keeper"
