"""Reference rates that the treasury imports, and the currencies that investors of an offer may pay in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Protocol

from fastapi import Depends, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from bookrunner.adapters.payments import RATES_BYTES_MAX, RATES_SOURCE, ReferenceRate
from bookrunner.books import treasury
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import currency
from bookrunner.db import Database, load
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router
from bookrunner.pages.treasury import facts

__all__ = ["Reader", "rate_routes", "routes"]

_SEE_OTHER, _CONFLICT = 303, 409
Reader = Callable[[bytes], Sequence[ReferenceRate]]
_In = Annotated[SignedIn, Depends(requiring(("treasury",)))]
_Line = Annotated[str, Form(max_length=400)]
_Number = Annotated[int, Form(ge=0, le=2**31 - 1)]


class Show(Protocol):
    """Renders the page of an offer."""

    def __call__(self, request: Request, offering: str, **shown: object) -> Response:
        """Return the page."""


def _import_rates(database: Database, read: Reader, raw: bytes, *, actor: str) -> int:
    """Import a file of euro reference rates whole and return how many are new."""
    lines = [{"currency": r.currency, "on": r.on.isoformat(), "rate": r.rate} for r in read(raw)]
    added: int = treasury.exchange(database).import_rates(
        actor=actor,
        source=RATES_SOURCE,
        file=new_id("rtf"),
        file_sha256=hashlib.sha256(raw).digest(),
        rates=json.dumps(lines),
    )
    return added


def rate_routes(router: Router, database: Database, shell: Shell, read: Reader) -> None:
    """Add the page of all rates; it goes ahead of the pages of an offer, whose address could be its own."""

    def shown(request: Request, **more: object) -> Response:
        with database.transaction("treasury") as transaction:
            queries = load("bookrunner.pages.treasury")
            found = {name: getattr(queries, name)(transaction) for name in ("rates", "rate_files")}
        refusal = more.get("refusal")
        status = 200 if refusal is None else _CONFLICT
        base = {"refusal": None, "changed": (), "added": None}
        return shell.page(request, "treasury/rates.html", {**base, **found, **more}, status)

    @router.get("/rates")
    def rates(request: Request, _: _In) -> Response:
        return shown(request)

    @router.post("/rates")
    def take(request: Request, officer: _In, paper: Annotated[UploadFile | None, File()] = None) -> Response:
        raw = b"" if paper is None else paper.file.read(RATES_BYTES_MAX + 1)
        try:
            added = _import_rates(database, read, raw, actor=officer.actor)
        except Refused as fault:
            return shown(request, refusal=facts.told(fault))
        return shown(request, added=added)


def routes(router: Router, database: Database, show: Show) -> None:
    """Add the forms about currencies to the page of an offer's account."""
    keeper = treasury.exchange(database)

    @router.post("/{offering}/currencies")
    def propose(
        request: Request, offering: str, officer: _In, *, code: _Line = "", hours: _Number = 0
    ) -> Response:
        try:
            own = str(facts.desk(database, offering)["currency"])
            terms = {"currency": code.strip().upper(), "source": RATES_SOURCE, "most_hours": hours}
            terms |= {"decimals": currency(str(terms["currency"])).exponent}
            terms |= {"offer_decimals": currency(own).exponent}
            keeper.propose_currency(
                actor=officer.actor, offering=offering, rule=new_id("cur"), terms=json.dumps(terms)
            )
        except Refused as fault:
            return show(request, offering, refusal=facts.told(fault))
        return _done(offering)

    @router.post("/{offering}/currencies/{rule}")
    def decide(
        request: Request, offering: str, rule: str, officer: _In, *, seen: _Number, choice: _Line = ""
    ) -> Response:
        try:
            keeper.decide_currency(
                actor=officer.actor, offering=offering, rule=rule, decision=_decision(choice), seen=seen
            )
        except Refused as fault:
            return show(request, offering, refusal=facts.told(fault))
        return _done(offering)


def _decision(choice: str) -> str:
    if choice not in {"accepted", "declined", "ended"}:
        raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
    return choice


def _done(offering: str) -> Response:
    return RedirectResponse(f"{facts.path_of(offering, 'account')}?done=1", status_code=_SEE_OTHER)
