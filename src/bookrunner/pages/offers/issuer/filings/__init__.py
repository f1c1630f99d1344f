"""The filings that offers owe, with their packs: an issuer reads its own, staff works on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from bookrunner.core.errors import NotFound, Refused
from bookrunner.db import Database, Keeper, Row, load
from bookrunner.engine.life import issuer
from bookrunner.engine.life.servicing.filings import Pack, as_csv, as_json, pack_of, shown_value
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.offers.issuer.filings.acts import FACTS, act, state
from bookrunner.pages.offers.issuer.session import Session
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.routing import Router

__all__ = ["filing_routes", "own_filing_routes"]

_CONFLICT, _SEE_OTHER = 409, 303
_LIST, _ONE = "offers/issuer/filings/list.html", "offers/issuer/filings/pack.html"
_FILINGS: Final = "bookrunner.engine.life.servicing.filings"
_KEEPER: Final = "engine"
_Clerk = Annotated[SignedIn, Depends(requiring((_KEEPER,)))]
_Suffix = Literal["json", "csv"]
_Text = Annotated[str, Form(max_length=4000)]
_Paper = Annotated[UploadFile | None, File()]
STATES: Final[Mapping[str, tuple[str, str, str]]] = {
    "due": ("waiting", "wait", "due"),
    "prepared": ("progress", "calm", "prepared"),
    "filed": ("confirmed", "good", "filed"),
    "ending": ("waiting", "wait", "waits for a second person"),
    "not_owed": ("cancelled", "grey", "not owed"),
}


def own_filing_routes(database: Database, shell: Shell) -> Router:
    """Return the routes by which an issuer reads what its own offers owe."""
    router = Router(prefix="/issuer/filings")

    def own(session: bytes, filing: str) -> Pack:
        head, items = issuer.filing(database, session, filing)
        return Pack(head, items)

    @router.get("")
    def mine(request: Request, session: Session) -> Response:
        return shell.page(
            request, _LIST, {**issuer.filings(database, session), **_frame("/issuer/filings"), "offer": None}
        )

    @router.get("/{filing}")
    def one(request: Request, session: Session, filing: str) -> Response:
        return shell.page(request, _ONE, _shown(own(session, filing), "/issuer/filings"))

    @router.get("/{filing}/pack.{suffix}")
    def written(session: Session, filing: str, suffix: _Suffix) -> Response:
        return _file(own(session, filing), suffix)

    return router


class Desk:
    """Renders the filings of an offer and the pack of one; a refusal comes back on the same page."""

    def __init__(self, database: Database, shell: Shell) -> None:
        self.keeper = Keeper(database, _KEEPER, _FILINGS)
        self._shell = shell

    def listed(self, request: Request, offering: str, refusal: Refused | None = None) -> Response:
        """Return what an offer owes; raises NotFound for an unknown one."""
        facts = {
            **_frame(f"/offers/{offering}/filings"),
            "offer": _offer(self.keeper.database, offering),
            "filings": list(self.keeper.filings(offering=offering, filing=None)),
            "stated": list(self.keeper.filing_facts(offering=offering)),
        }
        return _answered(self._shell, request, (_LIST, facts), refusal)

    def shown(self, request: Request, offering: str, filing: str, refusal: Refused | None = None) -> Response:
        """Return the pack of a filing; refuses ``filing_exists``."""
        facts = _shown(pack_of(self.keeper, offering, filing), f"/offers/{offering}/filings")
        return _answered(self._shell, request, (_ONE, facts), refusal)


def filing_routes(database: Database, shell: Shell) -> Router:
    """Return the routes of the filings of an offer; staff reads, a person of the engine acts."""
    router = Router(prefix="/offers/{offering}/filings")
    desk = Desk(database, shell)

    @router.get("")
    def every(request: Request, offering: str) -> Response:
        return desk.listed(request, offering)

    @router.get("/{filing}")
    def one(request: Request, offering: str, filing: str) -> Response:
        return desk.shown(request, offering, filing)

    @router.get("/{filing}/pack.{suffix}")
    def written(offering: str, filing: str, suffix: _Suffix) -> Response:
        return _file(pack_of(desk.keeper, offering, filing), suffix)

    _acts(router, desk)
    return router


def _acts(router: Router, desk: Desk) -> None:
    @router.post("")
    def stated(
        request: Request,
        clerk: _Clerk,
        offering: str,
        *,
        fact: _Text = "",
        place: _Text = "",
        on: _Text = "",
        because: _Text = "",
        paper: _Paper = None,
    ) -> Response:
        _offer(desk.keeper.database, offering)
        said = {"fact": fact, "place": place.strip().upper(), "on": on, "because": because}
        try:
            state(desk.keeper, clerk.actor, offering, said | {"paper": _bytes(paper)})
        except Refused as refused:
            return desk.listed(request, offering, refused)
        return RedirectResponse(f"/offers/{offering}/filings", status_code=_SEE_OTHER)

    @router.post("/{filing}")
    def acted(  # noqa: PLR0913 - one parameter for each field of the forms
        request: Request,
        clerk: _Clerk,
        offering: str,
        filing: str,
        *,
        chosen: Annotated[str, Form(alias="act", max_length=20)],
        seen: Annotated[str, Form(max_length=18)] = "",
        item: _Text = "",
        value: _Text = "",
        source: _Text = "",
        on: _Text = "",
        reference: _Text = "",
        because: _Text = "",
        paper: _Paper = None,
    ) -> Response:
        said = {"act": chosen, "seen": seen, "item": item, "value": value, "source": source, "on": on}
        said |= {"reference": reference, "because": because}
        pack = pack_of(desk.keeper, offering, filing)
        try:
            act(desk.keeper, clerk.actor, pack.filing, said | {"paper": _bytes(paper)})
        except Refused as refused:
            return desk.shown(request, offering, filing, refused)
        return RedirectResponse(f"/offers/{offering}/filings/{filing}", status_code=_SEE_OTHER)


def _frame(base: str) -> dict[str, Any]:
    return {"base": base, "states": STATES, "facts": FACTS, "keeper": _KEEPER, "refusal": None, "stated": []}


def _shown(pack: Pack, base: str) -> dict[str, Any]:
    items = [{**row, "shown": shown_value(row), "today": shown_value(row, now=True)} for row in pack.items]
    return {
        **_frame(base),
        "filing": pack.filing,
        "differs": pack.differs,
        "items": items,
        "unfilled": pack.unfilled,
    }


def _answered(
    shell: Shell, request: Request, page: tuple[str, Mapping[str, Any]], refusal: Refused | None
) -> Response:
    template, facts = page
    said = None if refusal is None else told(refusal, {})
    return shell.page(request, template, {**facts, "refusal": said}, 200 if refusal is None else _CONFLICT)


def _offer(database: Database, offering: str) -> Row:
    with database.transaction(_KEEPER) as transaction:
        found: tuple[Row, ...] = tuple(load("bookrunner.pages").offers(transaction, offering=offering))
    if not found:
        raise NotFound(f"there is no offer {offering}")
    return found[0]


def _bytes(paper: UploadFile | None) -> bytes:
    return b"" if paper is None else paper.file.read()


def _file(pack: Pack, suffix: str) -> Response:
    body, kind = (as_json(pack), "application/json") if suffix == "json" else (as_csv(pack), "text/csv")
    name = f"{pack.filing['filing_id']}.{suffix}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(body, media_type=f"{kind}; charset=utf-8", headers=headers)
