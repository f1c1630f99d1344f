"""The escrow account of an offer: what is in force, what is proposed, and its forms."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Annotated, Protocol

from fastapi import Depends, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from bookrunner.books import treasury
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import read_whole
from bookrunner.db import Database
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell.routing import Router
from bookrunner.pages.treasury import facts
from bookrunner.pages.treasury.money import day_of, minor_of

__all__ = ["routes"]

_SEE_OTHER = 303
_MOST_BYTES = 32 * 1024 * 1024
_In = Annotated[SignedIn, Depends(requiring(("treasury",)))]
_Line = Annotated[str, Form(max_length=400)]


class Show(Protocol):
    """Renders the page of an offer."""

    def __call__(self, request: Request, offering: str, **shown: object) -> Response:
        """Return the page."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The form of an escrow account as it was sent."""

    agent: str = ""
    beneficiary: str = ""
    bank: str = ""
    bank_code: str = ""
    account: str = ""
    agreed_on: str = ""
    because: str = ""


def _terms(
    *,
    agent: _Line = "",
    beneficiary: _Line = "",
    bank: _Line = "",
    bank_code: _Line = "",
    account: _Line = "",
    agreed_on: _Line = "",
    because: _Line = "",
) -> Terms:
    code = bank_code.replace(" ", "").upper()
    return Terms(
        agent.strip(), beneficiary.strip(), bank.strip(), code, account.strip(), agreed_on, because.strip()
    )


@dataclass(frozen=True, slots=True)
class Fee:
    """The form of a fee as it was sent."""

    kind: str = ""
    borne_by: str = ""
    points: str = ""
    flat: str = ""


def _fee(*, kind: _Line = "", borne_by: _Line = "", points: _Line = "", flat: _Line = "") -> Fee:
    return Fee(kind, borne_by, points, flat)


def _agreement(paper: Annotated[UploadFile | None, File()] = None) -> bytes:
    return b"" if paper is None else paper.file.read(_MOST_BYTES + 1)


def routes(router: Router, database: Database, show: Show) -> None:
    """Add the page and its forms."""
    _fee_routes(router, database, show)

    @router.get("/{offering}/account")
    def account(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return show(request, offering, is_done=done)

    @router.post("/{offering}/account")
    def propose(
        request: Request,
        offering: str,
        officer: _In,
        *,
        form: Annotated[Terms, Depends(_terms)],
        paper: Annotated[bytes, Depends(_agreement)],
    ) -> Response:
        try:
            _propose(database, (offering, officer.actor), form, paper)
        except Refused as fault:
            return show(request, offering, refusal=facts.told(fault), typed=form)
        return _done(offering)

    @router.post("/{offering}/account/{escrow}")
    def decide(
        request: Request,
        offering: str,
        escrow: str,
        officer: _In,
        *,
        seen: Annotated[int, Form(ge=0, le=2**31 - 1)],
        choice: _Line = "",
    ) -> Response:
        try:
            _decide(database, (offering, officer.actor), (escrow, choice, seen))
        except Refused as fault:
            return show(request, offering, refusal=facts.told(fault))
        return _done(offering)


def _fee_routes(router: Router, database: Database, show: Show) -> None:
    @router.post("/{offering}/fees")
    def propose(
        request: Request,
        offering: str,
        officer: _In,
        *,
        fee: Annotated[Fee, Depends(_fee)],
        paper: Annotated[bytes, Depends(_agreement)],
    ) -> Response:
        try:
            _propose_fee(database, (offering, officer.actor), fee, paper)
        except Refused as fault:
            return show(request, offering, refusal=facts.told(fault))
        return _done(offering)

    @router.post("/{offering}/fees/{fee}")
    def decide(
        request: Request,
        offering: str,
        fee: str,
        officer: _In,
        *,
        seen: Annotated[int, Form(ge=0, le=2**31 - 1)],
        choice: _Line = "",
    ) -> Response:
        try:
            is_declared = _chosen(choice, ("declared", "declined"))
            treasury.keeper(database).decide_fee(
                actor=officer.actor, offering=offering, fee=fee, is_declared=is_declared, seen=seen
            )
        except Refused as fault:
            return show(request, offering, refusal=facts.told(fault))
        return _done(offering)


def _propose_fee(database: Database, on: tuple[str, str], fee: Fee, paper: bytes) -> None:
    offering, actor = on
    code = str(facts.desk(database, offering)["currency"])
    points = read_whole(fee.points)
    if points is None and fee.points.strip():
        raise Refused("fee_is_part_of_the_amount", "write whole basis points")
    terms = {
        "kind": fee.kind,
        "borne_by": fee.borne_by,
        "basis_points": points,
        "flat_minor": minor_of(fee.flat, code) if fee.flat.strip() else None,
        "currency": code if fee.flat.strip() else None,
        "terms_sha256": hashlib.sha256(paper).hexdigest() if paper else None,
    }
    treasury.keeper(database).propose_fee(actor=actor, offering=offering, fee=new_id("fee"), terms=terms)


def _propose(database: Database, on: tuple[str, str], form: Terms, paper: bytes) -> None:
    """Propose an escrow account; refuses ``escrow_has_its_agreement`` without a file."""
    if not paper or len(paper) > _MOST_BYTES:
        raise Refused("escrow_has_its_agreement", "choose the signed agreement, a file of at most 32 MiB")
    offering, actor = on
    terms = asdict(form) | {
        "agreed_on": day_of(form.agreed_on).isoformat(),
        "agreement_sha256": hashlib.sha256(paper).hexdigest(),
    }
    treasury.keeper(database).propose_escrow(
        actor=actor, offering=offering, escrow=new_id("esc"), terms=terms
    )


def _decide(database: Database, on: tuple[str, str], said: tuple[str, str, int]) -> None:
    (offering, actor), (escrow, choice, seen) = on, said
    is_agreed = _chosen(choice, ("agreed", "declined"))
    treasury.keeper(database).decide_escrow(
        actor=actor, offering=offering, escrow=escrow, is_agreed=is_agreed, seen=seen
    )


def _chosen(choice: str, offered: tuple[str, str]) -> bool:
    """Say whether the first of two decisions was chosen."""
    if choice not in offered:
        raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
    return choice == offered[0]


def _done(offering: str) -> Response:
    return RedirectResponse(f"{facts.path_of(offering, 'account')}?done=1", status_code=_SEE_OTHER)
