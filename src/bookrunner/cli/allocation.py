"""How an offer shares out its units, and its amendments."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import OPERATOR, Actor, Id, require_offer
from bookrunner.cli.screen import app, console, marked, show_units
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.sandbox.world import opened

Because = Annotated[str, typer.Option("--because", help="Why.")]


@app.command()
def policy(
    offer: Id,
    name: Annotated[str, typer.Argument(help="first_come, pro_rata or discretionary.")],
    *,
    most_units: Annotated[int | None, typer.Option("--most-units", help="Take orders up to so many.")] = None,
    hold_minutes: Annotated[int | None, typer.Option("--hold-minutes", help="Reserve for so long.")] = None,
    actor: Actor = OPERATOR,
) -> None:
    """Name how an offer shares out its units, before its first order."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        world.application.desk.allotment.name_policy(
            actor=actor, offering=offer, policy=name, most_units=most_units, hold_minutes=hold_minutes
        )
        console.print(f"{offer}: {name}")


@app.command()
def allocate(
    offer: Id,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say who would get what; write nothing.")
    ] = False,
    book: Annotated[str, typer.Option("--book", help="The book that the dry run showed.")] = "",
    give: Annotated[
        list[str] | None, typer.Option("--give", help="INVESTMENT=UNITS, where there is discretion.")
    ] = None,
    capacity: Annotated[str, typer.Option("--as", help="issuer or placement_agent.")] = "issuer",
    because: Because = "by the policy of the offer",
    actor: Actor = OPERATOR,
) -> None:
    """Decide who gets how many units of an offer, on the book that a dry run showed."""
    wishes = read_wishes(give or [])
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        desk = world.application.desk.allotment
        if dry_run:
            # The version is read first, so that it never stands for more than the list shows.
            version = desk.book_version(offering=offer)
            for line in desk.dry_run(offering=offer, wishes=wishes):
                units = "-" if line["units"] is None else line["units"]
                told = f"{units} of {line['ordered_units']}: {line['because']}"
                marked(line["investment_id"], told, "cyan")
            show_units(desk.units(offering=offer))
            console.print(f"decide this list: bookrunner allocate {offer} --book {version}")
            return
        lines = desk.decide_allotment(
            actor=actor,
            offering=offer,
            allotment=new_id("alm"),
            book=book,
            wishes=wishes,
            capacity=capacity,
            because=because,
        )
        world.application.answer()
        console.print(f"{lines} orders decided by {actor} as {capacity}")
        show_units(desk.units(offering=offer))


@app.command()
def amend(
    offer: Id,
    document: Annotated[Path, typer.Argument(help="The document that says what changes.")],
    *,
    saying: Annotated[str, typer.Option("--saying", help="What changes, in a sentence.")],
    material: Annotated[bool, typer.Option("--material", help="Every investor is to reconfirm.")] = False,
    actor: Actor,
) -> None:
    """Propose an amendment of a published offer; a second person decides it."""
    try:
        content = document.read_bytes()
    except OSError:
        raise NotFound(f"there is no file {document}") from None
    amendment = new_id("amd")
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        world.application.desk.allotment.propose_amendment(
            actor=actor,
            offering=offer,
            amendment=amendment,
            is_material=material,
            sentence=saying,
            document_sha256=hashlib.sha256(content).digest(),
        )
        console.print(f"{amendment} waits for a second person")


@app.command()
def accept(
    offer: Id,
    amendment: Id,
    *,
    decline: Annotated[bool, typer.Option("--decline", help="Do not make the change.")] = False,
    because: Because,
    actor: Actor,
) -> None:
    """Decide a proposed amendment as the second person; a material one asks every investor."""
    with opened(read_settings()) as world:
        desk = world.application.desk.allotment
        found = desk.amendment(offering=offer, amendment=amendment)
        if found is None:
            raise NotFound(f"there is no amendment {amendment} in {offer}")
        due = desk.decide_amendment(
            actor=actor,
            offering=offer,
            amendment=amendment,
            is_accepted=not decline,
            because=because,
            seen=found["version"],
        )
        world.application.answer()
        until = "" if due is None else f"; investors answer until {due:%Y-%m-%d %H:%M} UTC"
        console.print(f"{amendment}: {desk.amendment(offering=offer, amendment=amendment)['status']}{until}")


def read_wishes(given: Iterable[str]) -> dict[str, int] | None:
    """Return INVESTMENT=UNITS pairs as a mapping, or None; refuses ``units_are_named_by_investment``."""
    wishes: dict[str, int] = {}
    for pair in given:
        name, _, units = pair.partition("=")
        if not (units.isascii() and units.isdecimal()) or name in wishes:
            raise Refused("units_are_named_by_investment", "write each as INVESTMENT=UNITS, once")
        wishes[name] = int(units)
    return wishes or None
