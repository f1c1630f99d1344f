"""The desk's console: a raise's life, cases, contradictions, institutional allocations, records on paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import UploadFile

from bookrunner.books import portal
from bookrunner.books.subscription import Archive, packets_of
from bookrunner.core.errors import NotFound, Refused
from bookrunner.db import Keeper, load
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.application.acts import Papers, known
from bookrunner.pages.desk import capital, life
from bookrunner.pages.desk.acts import CASE_CHOICES, REASONS, Clerk, PartlyRefused
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router

__all__ = ["routes"]

_CONFLICT, _SEE_OTHER = 409, 303
_OWN_KEY: Final = "session of the officer's own key"
_MOST, _MOST_BYTES = 200, 16 * 2**20
# A part of the signed agreements has a box for each; the other forms have far fewer fields.
_AT_ONCE: Final = 100
_FIELDS: Final = _AT_ONCE + 20
_DESK: Final = ("subscription", "engine", "compliance")
_In = Annotated[SignedIn, Depends(requiring(_DESK))]
_Page = Annotated[int, Query(ge=1, le=10_000)]
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form said, and the bytes of the paper that came with it."""

    form: Mapping[str, str]
    paper: bytes


async def _typed(request: Request) -> Typed:
    async with request.form(max_files=1, max_fields=_FIELDS) as read:
        form = {name: value for name, value in read.items() if isinstance(value, str)}
        file = read.get("paper")
        paper = await file.read(_MOST_BYTES + 1) if isinstance(file, UploadFile) else b""
    return Typed(form, paper)


_Said = Annotated[Typed, Depends(_typed)]


@dataclass(frozen=True, slots=True)
class View:
    """One page of the desk: its template, title, who acts on it, what it shows, what its form does."""

    template: str
    title: str
    keepers: tuple[str, ...]
    read: Callable[[Papers, SignedIn, str, int], Facts]
    act: Callable[[Clerk, Typed], None]


def routes(papers: Papers, shell: Shell) -> Router:
    """Return the routes below ``/desk``; each asks for a session of the keeper whose work it is."""
    router = Router(prefix="/desk")

    def shown(
        request: Request, visitor: SignedIn, name: str, on: tuple[str, int], **more: object
    ) -> Response:
        view, (offering, page) = _view(name, visitor), on
        around = _frame(papers, visitor, offering)
        facts: Facts = {
            **view.read(papers, visitor, offering, page),
            **around,
            "view": name,
            "title": view.title,
            "may_act": visitor.keeper == view.keepers[0],
            "page_number": page,
            "refusal": None,
            **more,
        }
        return shell.page(request, view.template, facts, _CONFLICT if facts["refusal"] else 200)

    @router.get("")
    def desk(request: Request, visitor: _In) -> Response:
        facts = {"offers": _offers(papers, visitor), "views": _mine(visitor), "refusal": None}
        return shell.page(request, "desk/offers.html", facts)

    capital.attach(router, papers.database, shell, frame=partial(_frame, papers), move=partial(_move, papers))

    @router.get("/{offering}/{name}")
    def look(request: Request, offering: str, name: str, visitor: _In, *, page: _Page = 1) -> Response:
        return shown(request, visitor, name, (offering, page))

    @router.get("/{offering}/agreements/{agreement}")
    def file(request: Request, offering: str, agreement: str) -> Response:
        visitor = requiring(("subscription",))(request)
        packets = packets_of(papers.database)
        row = packets.packet(offering=offering, agreement=agreement)
        if row is None or row["signed_sha256"] is None:
            raise NotFound(f"there is no signed file of {agreement}")
        stored = Archive(packets).fetch(bytes(row["signed_sha256"]), actor=visitor.actor)
        headers = {"Cache-Control": "private, no-store", "Content-Disposition": "inline"}
        return Response(stored.content, media_type=stored.media_type, headers=headers)

    @router.post("/{offering}/{name}")
    def act(request: Request, offering: str, name: str, visitor: _In, *, typed: _Said) -> Response:
        view = _view(name, visitor)
        requiring(view.keepers[:1])(request)
        try:
            evidence = known(request, _OWN_KEY)
            view.act(Clerk(papers, offering, visitor.actor, evidence), typed)
        except NotFound:
            raise
        except Refused as refused:
            told = {
                "rule": refused.rule,
                "detail": refused.detail,
                "is_part": isinstance(refused, PartlyRefused),
            }
            return shown(request, visitor, name, (offering, 1), refusal=told)
        return RedirectResponse(f"/desk/{offering}/{name}", status_code=_SEE_OTHER)

    return router


def _frame(papers: Papers, visitor: SignedIn, offering: str) -> Facts:
    """Return what the pages of one offer share."""
    offers = _offers(papers, visitor)
    if offering not in {each["offering_id"] for each in offers}:
        raise NotFound(f"there is no offer {offering}")
    return {"offers": offers, "offering": offering, "views": _mine(visitor)}


def _move(
    papers: Papers, request: Request, visitor: SignedIn, offering: str, *, form: Mapping[str, str]
) -> None:
    Clerk(papers, offering, visitor.actor, known(request, _OWN_KEY)).move(form)


def _view(name: str, visitor: SignedIn) -> View:
    if name not in _VIEWS or visitor.keeper not in _VIEWS[name].keepers:
        raise NotFound("there is no such page at this desk")
    return _VIEWS[name]


def _mine(visitor: SignedIn) -> list[tuple[str, str]]:
    return [(name, view.title) for name, view in _VIEWS.items() if visitor.keeper in view.keepers]


def _offers(papers: Papers, visitor: SignedIn) -> Sequence[Mapping[str, Any]]:
    with papers.database.transaction(visitor.keeper) as transaction:
        found: Sequence[Mapping[str, Any]] = load(__package__).offers(transaction)
    return found


def _cases(papers: Papers, _: SignedIn, offering: str, __: int) -> Facts:
    found = Keeper(papers.database, "engine", "bookrunner.engine").closing_cases(offering=offering)
    return {"cases": found, "choices": CASE_CHOICES}


def _contradictions(papers: Papers, visitor: SignedIn, offering: str, page: int) -> Facts:
    queries = load(__package__)
    is_officer = visitor.keeper == "compliance"
    with papers.database.transaction(visitor.keeper) as transaction:
        total = queries.live_count(transaction, offering=offering)
        part = {"offering": offering, "most": _MOST, "skip": (page - 1) * _MOST}
        found = list(queries.contradictions(transaction, **part))
        accepted = list(queries.acceptances(transaction, offering=offering)) if is_officer else []
        programme = queries.programme(transaction) if is_officer else ""
    return {
        "contradictions": found,
        "acceptances": accepted,
        "programme": programme,
        "total": total,
        "pages": _parts(total, _MOST),
    }


def _allocations(papers: Papers, visitor: SignedIn, offering: str, _: int) -> Facts:
    with papers.database.transaction(visitor.keeper) as transaction:
        found = list(load(__package__).allocations(transaction, offering=offering, most=_MOST))
    return {
        "proposed": [row for row in found if row["status"] == "proposed"],
        "decided": [row for row in found if row["status"] != "proposed"],
        "me": visitor.actor,
    }


def _parts(total: int, most: int) -> int:
    return max(1, -(-total // most))


def _agreements(papers: Papers, visitor: SignedIn, offering: str, page: int) -> Facts:
    waiting = papers.signing.preview(offering, officer=visitor.actor)
    rows = waiting[(page - 1) * _AT_ONCE : page * _AT_ONCE]
    with papers.database.transaction("subscription") as transaction:
        said = list(
            load(__package__).names_signed(
                transaction, offering=offering, agreements=[row["agreement_id"] for row in rows]
            )
        )
    named = {row["agreement_id"]: row for row in said}
    verified = portal.keeper(papers.database).names_on_paper(investors=[row["investor_id"] for row in rows])
    names = {row["investor_id"]: row["legal_name"] for row in verified}
    return {
        "agreements": [
            {
                **row,
                "seen": bytes(row["signed_sha256"]).hex(),
                "name_on_paper": named[row["agreement_id"]]["legal_name"],
                "signed_at": named[row["agreement_id"]]["signed_at"],
                "pages": named[row["agreement_id"]]["pages"],
                "verified_name": names.get(row["investor_id"], ""),
            }
            for row in rows
        ],
        "reasons": REASONS,
        "total": len(waiting),
        "pages": _parts(len(waiting), _AT_ONCE),
    }


def _paper(papers: Papers, _: SignedIn, offering: str, __: int) -> Facts:
    return {"deliveries": papers.consents.papers(offering)}


def _life(papers: Papers, _: SignedIn, offering: str, __: int) -> Facts:
    return life.read(Keeper(papers.database, "engine", "bookrunner.engine.life"), offering)


_VIEWS: Final[Mapping[str, View]] = {
    "life": View(
        "desk/life/life.html",
        "Terms and changes",
        ("engine",),
        _life,
        lambda c, t: life.act(c, t.form, t.paper),
    ),
    "agreements": View(
        "desk/agreements.html",
        "Signed agreements",
        ("subscription",),
        _agreements,
        lambda c, t: c.handle(t.form),
    ),
    "allocations": View(
        "desk/units.html",
        "Units to approve",
        ("subscription",),
        _allocations,
        lambda c, t: c.approve(t.form),
    ),
    "cases": View(
        "desk/cases.html",
        "Left out of closings",
        ("engine",),
        _cases,
        lambda c, t: c.decide_case(t.form, t.paper),
    ),
    "institutions": View(
        "desk/capital/board.html",
        "Institutional allocations",
        capital.KEEPERS,
        lambda papers, _, offering, __: capital.board(papers.database, offering),
        lambda c, t: c.request(t.form),
    ),
    "requests": View(
        "desk/capital/reviews.html",
        "Requests of institutions",
        ("compliance", "engine"),
        lambda papers, visitor, offering, _: capital.reviews(papers.database, visitor, offering),
        lambda c, t: c.decide_intake(t.form),
    ),
    "contradictions": View(
        "desk/contradictions.html",
        "Contradictions",
        ("compliance", "subscription"),
        _contradictions,
        lambda c, t: c.decide_statement(t.form),
    ),
    "paper": View(
        "desk/paper.html", "Records on paper", ("subscription",), _paper, lambda c, t: c.send(t.form)
    ),
}
