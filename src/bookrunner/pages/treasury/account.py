"""The escrow account of an offer: what is in force, what is proposed, and its forms."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from bookrunner.books import treasury
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.treasury import facts
from bookrunner.pages.treasury.money import day_of

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


def _agreement(paper: Annotated[UploadFile | None, File()] = None) -> bytes:
    return b"" if paper is None else paper.file.read(_MOST_BYTES + 1)


def routes(router: APIRouter, database: Database, show: Show) -> None:
    """Add the page and its forms."""

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
        seen: Annotated[int, Form(ge=0)],
        choice: _Line = "",
    ) -> Response:
        try:
            _decide(database, (offering, officer.actor), (escrow, choice, seen))
        except Refused as fault:
            return show(request, offering, refusal=facts.told(fault))
        return _done(offering)


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
    if choice not in {"agreed", "declined"}:
        raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
    treasury.keeper(database).decide_escrow(
        actor=actor, offering=offering, escrow=escrow, is_agreed=choice == "agreed", seen=seen
    )


def _done(offering: str) -> Response:
    return RedirectResponse(f"{facts.path_of(offering, 'account')}?done=1", status_code=_SEE_OTHER)
