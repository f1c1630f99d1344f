"""Votes of holders: proposed, opened by another person, cast, counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from bookrunner.app import Application
from bookrunner.app.settings import read_settings
from bookrunner.books.subscription import Archive, packets_of
from bookrunner.cli.offers import OPERATOR, Actor, Id, require_offer
from bookrunner.cli.screen import app, console, keep_facts
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Keeper, Row
from bookrunner.engine.life.servicing.actions import actions_of
from bookrunner.sandbox.world import opened

vote = typer.Typer(no_args_is_help=True, help="Votes of holders: propose, open, cast, count.")
app.add_typer(vote, name="vote")

_MOST: Final = 1000
_BPS: Final = 100
MAJORITIES: Final[Mapping[str, tuple[int, int]]] = {
    "half": (1, 2),
    "two-thirds": (2, 3),
    "three-quarters": (3, 4),
}
_Seen = Annotated[int, typer.Option("--seen", help="The version that was looked at.")]


@vote.command()
def propose(
    offer: Id,
    document: Annotated[Path, typer.Argument(help="The document, kept.", exists=True, dir_okay=False)],
    *,
    resolution: Annotated[str, typer.Option("--resolution", help="What holders vote on.")],
    record_on: Annotated[
        datetime, typer.Option("--record-date", formats=["%Y-%m-%d"], help="Its register weighs.")
    ],
    ends: Annotated[
        datetime, typer.Option("--ends", formats=["%Y-%m-%dT%H:%M"], help="In UTC, as 2026-11-24T17:00.")
    ],
    quorum: Annotated[int, typer.Option("--quorum", help="Percent of all units.", min=0, max=100)] = 50,
    majority: Annotated[
        str, typer.Option("--majority", help="More than half, two-thirds or three-quarters.")
    ] = "half",
    actor: Actor,
) -> None:
    """Propose a vote; another person opens it after its record date."""
    if majority not in MAJORITIES:
        raise Refused("needed_part_is_a_fraction", f"choose one of {', '.join(MAJORITIES)}")
    over, of = MAJORITIES[majority]
    asked = {
        "resolution": resolution,
        "record_on": record_on.date().isoformat(),
        "closes_at": ends.replace(tzinfo=UTC).isoformat(),
        "quorum_bps": quorum * _BPS,
        "needed_over": over,
        "needed_of": of,
    }
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        name, archive = new_id("vot"), Archive(packets_of(world.application.database))
        with document.open("rb") as paper:
            digest = archive.take(paper, "working_paper", investor=None, actor=actor)
        _keeper(world.application).propose_vote(
            actor=actor, offering=offer, vote=name, asked=asked, document_sha256=digest
        )
    keep_facts(vote=name)
    console.print(f"{name} waits for a second person: bookrunner vote open {offer} {name} --seen 1")


@vote.command("open")
def open_vote(offer: Id, name: Id, *, seen: _Seen, actor: Actor) -> None:
    """Open a vote, as another person than who proposed it; the register is kept as weights."""
    with opened(read_settings()) as world:
        _keeper(world.application).open_vote(actor=actor, offering=offer, vote=name, seen=seen)
    console.print(f"{name}: open")


@vote.command()
def cancel(
    offer: Id,
    name: Id,
    *,
    because: Annotated[str, typer.Option("--because", help="Why.")],
    seen: _Seen,
    actor: Actor,
) -> None:
    """End a vote without a result."""
    with opened(read_settings()) as world:
        _keeper(world.application).cancel_vote(
            actor=actor, offering=offer, vote=name, because=because, seen=seen
        )
    console.print(f"{name}: cancelled")


@vote.command()
def cast(
    offer: Id,
    name: Id,
    holder: Id,
    choice: Annotated[str, typer.Argument(help="for, against or abstain.")],
    *,
    delegate: Annotated[
        str | None, typer.Option("--as", help="The investor who casts it under a proxy.")
    ] = None,
    actor: Actor,
) -> None:
    """Cast the ballot of a holder, or cast it anew: the last one before the end counts."""
    with opened(read_settings()) as world:
        _keeper(world.application).cast_ballot(
            actor=actor, offering=offer, vote=name, investor=holder, choice=choice, delegate=delegate
        )
    console.print(f"{name}: {holder} votes {choice}")


@vote.command()
def proxy(
    offer: Id,
    name: Id,
    holder: Id,
    delegate: Annotated[str | None, typer.Argument(help="Another investor; left out, nobody.")] = None,
    *,
    actor: Actor,
) -> None:
    """Let another investor cast the ballot of a holder in one vote, or take that back."""
    with opened(read_settings()) as world:
        _keeper(world.application).give_proxy(
            actor=actor, offering=offer, vote=name, proxy=new_id("prx"), investor=holder, delegate=delegate
        )
    console.print(f"{name}: {delegate or 'nobody'} casts for {holder}")


@vote.command("list")
def list_votes(offer: Id) -> None:
    """List the votes of an offer, the latest first; those whose time is over are counted."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        keeper = _keeper(world.application)
        keeper.close_votes(actor=OPERATOR)
        rows = list(keeper.votes(offering=offer))
    table = Table("vote", "state", "record date", "ends", "version", "resolution", title=f"{len(rows)} votes")
    for row in rows:
        days = (str(row["record_on"]), f"{row['closes_at']:%Y-%m-%d %H:%M} UTC")
        table.add_row(row["vote_id"], row["status"], *days, str(row["version"]), row["resolution"])
    console.print(table)


@vote.command()
def tally(offer: Id, name: Id) -> None:
    """Show the count of a vote so far, or its result, with the weight and the ballot of each holder."""
    with opened(read_settings()) as world:
        keeper = _keeper(world.application)
        keeper.close_votes(actor=OPERATOR)
        found: Row | None = keeper.vote(offering=offer, vote=name)
        if found is None:
            raise UnknownRecord("vote_exists", f"there is no vote {name}")
        rows = list(keeper.vote_positions(offering=offer, vote=name, most=_MOST))
    count = found["count"]
    table = Table("holder", "units", "ballot", "cast by", "delegate", title=f"{count['holders']} holders")
    for row in rows:
        by = row["cast_for_it_by"] or (row["holder_id"] if row["choice"] else "")
        table.add_row(row["holder_id"], str(row["units"]), row["choice"] or "", by, row["delegate_id"] or "")
    console.print(table)
    console.print(f"{name}: {found['status']}, version {found['version']}; {told(count)}")
    keep_facts(status=found["status"], count=count)


def told(count: Mapping[str, int]) -> str:
    """Say a count with its two comparisons, in units."""
    quorum = "met" if count["quorum_is_met"] else "not met"
    carried = "carried" if count["is_carried"] else "not carried"
    said = f"{count['for']} for, {count['against']} against, {count['abstain']} abstained"
    return f"{said} of {count['units']} units; quorum {quorum}, {carried}"


def _keeper(application: Application) -> Keeper:
    return actions_of(application.database)
