"""The votes of holders: an issuer reads its own, people of the engine propose, open and cancel them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Annotated, Any, Final

from fastapi import Depends, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from bookrunner.books.subscription import Archive, packets_of
from bookrunner.core.errors import Malformed, NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import read_whole
from bookrunner.db import Database, Keeper, load
from bookrunner.engine.life import issuer
from bookrunner.engine.life.servicing.actions import actions_of
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.offers.issuer.session import Session
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.routing import Router

__all__ = ["own_vote_routes", "vote_routes"]

_CONFLICT, _SEE_OTHER = 409, 303
_TEMPLATE: Final = "offers/issuer/votes/list.html"
_KEEPER: Final = "engine"
_Clerk = Annotated[SignedIn, Depends(requiring((_KEEPER,)))]
_Text = Annotated[str, Form(max_length=2000)]
STATES: Final[Mapping[str, tuple[str, str, str]]] = {
    "proposed": ("waiting", "wait", "waits for a second person"),
    "open": ("progress", "calm", "open"),
    "closed": ("confirmed", "good", "closed"),
    "cancelled": ("cancelled", "grey", "cancelled"),
}
# What part of the units that vote for or against is needed.
MAJORITIES: Final[Mapping[str, tuple[int, int]]] = {
    "more than half": (1, 2),
    "more than two thirds": (2, 3),
    "more than three quarters": (3, 4),
}


def own_vote_routes(database: Database, shell: Shell) -> Router:
    """Return the route by which an issuer reads the votes of its own offers; no ballot is shown."""
    router = Router(prefix="/issuer/votes")

    @router.get("")
    def mine(request: Request, session: Session) -> Response:
        return shell.page(request, _TEMPLATE, {**issuer.votes(database, session), **_frame(None)})

    return router


def vote_routes(database: Database, shell: Shell) -> Router:
    """Return the routes of the votes of an offer; staff reads, two people of the engine act."""
    router = Router(prefix="/offers/{offering}/votes")
    keeper = actions_of(database)

    def page(request: Request, offering: str, refusal: Refused | None = None) -> Response:
        with database.transaction(_KEEPER) as transaction:
            found = tuple(load("bookrunner.pages").offers(transaction, offering=offering))
        if not found:
            raise NotFound(f"there is no offer {offering}")
        facts = _frame(found[0]) | {"votes": list(keeper.votes(offering=offering))}
        facts["refusal"] = None if refusal is None else told(refusal, {})
        return shell.page(request, _TEMPLATE, facts, 200 if refusal is None else _CONFLICT)

    @router.get("")
    def every(request: Request, offering: str) -> Response:
        return page(request, offering)

    @router.post("")
    def acted(  # noqa: PLR0913 - one parameter for each field of the forms
        request: Request,
        clerk: _Clerk,
        offering: str,
        *,
        chosen: Annotated[str, Form(alias="act", max_length=20)],
        vote: _Text = "",
        seen: _Text = "",
        because: _Text = "",
        resolution: _Text = "",
        record_on: _Text = "",
        closes_at: _Text = "",
        quorum: _Text = "",
        majority: _Text = "",
        paper: Annotated[UploadFile | None, File()] = None,
    ) -> Response:
        said = {"vote": vote, "seen": seen, "because": because, "resolution": resolution}
        said |= {"record_on": record_on, "closes_at": closes_at, "quorum": quorum, "majority": majority}
        file = b"" if paper is None else paper.file.read()
        by = {"actor": clerk.actor, "offering": offering}
        acts: Mapping[str, Callable[[], object]] = {
            "propose": lambda: _propose(keeper, by, said, file),
            "open": lambda: keeper.open_vote(**by, vote=vote, seen=_whole(seen)),
            "cancel": lambda: keeper.cancel_vote(**by, vote=vote, because=because, seen=_whole(seen)),
        }
        try:
            acts.get(chosen, _unknown)()
        except Refused as refused:
            return page(request, offering, refused)
        return RedirectResponse(f"/offers/{offering}/votes", status_code=_SEE_OTHER)

    return router


def _frame(offer: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"offer": offer, "states": STATES, "majorities": MAJORITIES, "keeper": _KEEPER, "refusal": None}


def _unknown() -> None:
    raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")


def _propose(keeper: Keeper, by: Mapping[str, str], said: Mapping[str, str], file: bytes) -> None:
    asked = {
        "resolution": said["resolution"].strip(),
        "record_on": _day(said["record_on"]),
        "closes_at": _moment(said["closes_at"]),
        "quorum_bps": 100 * _whole(said["quorum"]),
    }
    if said["majority"] not in MAJORITIES:
        raise Refused("needed_part_is_a_fraction", "choose one of the majorities")
    asked["needed_over"], asked["needed_of"] = MAJORITIES[said["majority"]]
    if not asked["resolution"] or not file:
        raise Refused("vote_is_on_a_resolution", "a vote is on a resolution, with its document")
    archive = Archive(packets_of(keeper.database))
    digest = archive.take(BytesIO(file), "working_paper", investor=None, actor=by["actor"])
    keeper.propose_vote(**by, vote=new_id("vot"), asked=asked, document_sha256=digest)


def _whole(text: str) -> int:
    number = read_whole(text.strip())
    if number is None:
        raise Malformed("number_is_whole", "a version or a share is missing")
    return number


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise Malformed("day_is_written_as_year_month_day", "write the day as 2026-03-31") from None


def _moment(text: str) -> str:
    try:
        moment = datetime.strptime(text.strip().replace("T", " "), "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    except ValueError:
        raise Malformed("moment_is_written_in_full", "write the moment as 2026-03-31 17:00") from None
    return moment.isoformat()
