"""The life of an offer: its terms, review, changes, end, and what was told to whom."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Actor, Id, require_offer
from bookrunner.cli.screen import app, console
from bookrunner.core import clock
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import grouped
from bookrunner.sandbox.world import opened

Because = Annotated[str, typer.Option("--because", help="Why.")]
Fields = Annotated[list[str], typer.Argument(help="FIELD=VALUE, the value as JSON.")]


@app.command()
def edit(offer: Id, fields: Fields, *, actor: Actor) -> None:
    """Edit the terms of a draft."""
    with opened(read_settings()) as world:
        world.application.desk.life.edit_offer(actor=actor, offering=offer, terms=read_fields(fields))
        console.print(f"{offer}: edited")


@app.command()
def review(
    offer: Id,
    *,
    decline: Annotated[bool, typer.Option("--decline", help="Decline the terms.")] = False,
    because: Because,
    actor: Actor,
) -> None:
    """Accept the terms of an offer, or decline them, as a person who did not draft them."""
    with opened(read_settings()) as world:
        world.application.desk.life.review_offer(
            actor=actor, offering=offer, is_accepted=not decline, because=because
        )
        console.print(f"{offer}: {'declined' if decline else 'accepted'}")


@app.command()
def fail(
    offer: Id,
    *,
    how: Annotated[str, typer.Option("--as", help="withdrawn or halted.")],
    because: Because,
    actor: Actor,
) -> None:
    """End an offer without success; every investment ends and every investor is refunded."""
    with opened(read_settings()) as world:
        world.application.desk.life.fail_offer(actor=actor, offering=offer, ended_as=how, because=because)
        world.application.answer()
        console.print(f"{offer}: closed unsuccessfully")


@app.command()
def abandon(offer: Id, closing: Id, *, because: Because, actor: Actor) -> None:
    """End a closing before any of its units are on their way."""
    with opened(read_settings()) as world:
        world.application.desk.life.abandon_closing(
            actor=actor, offering=offer, closing=closing, because=because
        )
        console.print(f"{closing}: abandoned")


@app.command()
def related(offer: Id, investor: Id, *, because: Because, actor: Actor) -> None:
    """Say that an investor belongs to the issuer, so that its money does not count towards the target."""
    with opened(read_settings()) as world:
        world.application.desk.life.declare_related(
            actor=actor, offering=offer, investor=investor, because=because
        )
        console.print(f"{investor}: does not count towards the target of {offer}")


@app.command()
def change(offer: Id, document: Path, fields: Fields, *, because: Because, actor: Actor) -> None:
    """Ask for a change of locked terms, on a document; another person decides."""
    if not document.is_file():
        raise NotFound(f"there is no file {document}")
    name = new_id("chg")
    with opened(read_settings()) as world:
        world.application.desk.life.request_change(
            actor=actor,
            offering=offer,
            change=name,
            wanted=read_fields(fields),
            because=because,
            evidence_sha256=hashlib.sha256(document.read_bytes()).digest(),
        )
        console.print(f"{name}: requested")


@app.command()
def decide(
    offer: Id,
    change: Id,
    *,
    decline: Annotated[bool, typer.Option("--decline", help="Decline the change.")] = False,
    because: Because,
    actor: Actor,
) -> None:
    """Approve a requested change, which makes the next version of the terms, or decline it."""
    with opened(read_settings()) as world:
        life = world.application.desk.life
        seen = next((r["version"] for r in life.changes(offering=offer) if r["change_id"] == change), None)
        if seen is None:
            raise NotFound(f"there is no change {change} of {offer}")
        life.decide_change(
            actor=actor,
            offering=offer,
            change=change,
            is_approved=not decline,
            because=because,
            seen=seen,
        )
        world.application.answer()
        console.print(f"{change}: {'declined' if decline else 'applied'}")


@app.command()
def standing(
    offer: Id,
    *,
    at: Annotated[datetime | None, typer.Option("--at", help="The terms as of a moment in UTC.")] = None,
) -> None:
    """Say where a raise stands: money against its target, terms as of a moment, changes, notices."""
    moment = clock.now() if at is None else at.replace(tzinfo=clock.now().tzinfo)
    with opened(read_settings()) as world:
        life, row = world.application.desk.life, require_offer(world.application, offer)
        found = life.raise_standing(offering=offer)
        terms = life.terms_as_of(offering=offer, at=moment)
        changes, notices = life.changes(offering=offer), life.notices(offering=offer)
    end = f" ({found['ended_as']}: {found['because']})" if found["ended_as"] else ""
    console.print(f"{offer}: {row['status']}{end}")
    money = {name: grouped(found[f"{name}_minor"], row["currency"]) for name in ("counted", "committed")}
    target = found["target_minor"]
    aim = "no target" if target is None else grouped(target, row["currency"])
    console.print(f"{money['counted']} counted of {aim}, {money['committed']} committed")
    if terms is not None:
        console.print(
            f"terms {terms['ordinal']}: {terms['security_type']}, closes {terms['closes_at'] or 'on request'}"
        )
    for each in changes:
        console.print(f"{each['change_id']}: {each['status']}, {json.dumps(each['wanted'])}")
    table = Table("notice", "to", "what", "status", title=f"{len(notices)} notices")
    for each in notices:
        table.add_row(each["notice_id"], each["recipient"], each["sentence"], each["status"])
    console.print(table)


def read_fields(fields: Iterable[str]) -> dict[str, object]:
    """Return fields by name; refuses ``field_is_written_as_json``."""
    read: dict[str, object] = {}
    for each in fields:
        name, _, value = each.partition("=")
        try:
            read[name] = json.loads(value)
        except ValueError:
            raise Refused("field_is_written_as_json", f"{name} has no JSON value") from None
    return read
