"""Cheques that are taken in by hand, debits, and balances that investors leave: their page and its forms."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.books import treasury
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.reference import find_references
from bookrunner.db import Database
from bookrunner.engine.intake import fingerprint
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell.routing import Router
from bookrunner.pages.treasury import facts
from bookrunner.pages.treasury.money import day_of, minor_of

__all__ = ["routes"]

_SEE_OTHER = 303
_In = Annotated[SignedIn, Depends(requiring(("treasury",)))]
_Text = Annotated[str, Form(max_length=4000)]


class Show(Protocol):
    """Renders the page of an offer."""

    def __call__(self, request: Request, offering: str, **shown: object) -> Response:
        """Return the page."""


@dataclass(frozen=True, slots=True)
class _Cheque:
    """The form of a cheque as it was sent."""

    number: str
    drawer: str
    account: str
    custodian: str
    amount: str
    reference: str
    drawn: str
    received: str


def _cheque(
    *,
    number: _Text = "",
    drawer: _Text = "",
    account: _Text = "",
    custodian: _Text = "",
    amount: _Text = "",
    reference: _Text = "",
    drawn: _Text = "",
    received: _Text = "",
) -> _Cheque:
    return _Cheque(number, drawer, account, custodian, amount, reference, drawn, received)


def routes(router: Router, database: Database, show: Show) -> None:
    """Add the page and its forms."""
    _debit_routes(router, database, show)

    @router.get("/{offering}/stored")
    def stored(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return show(request, offering, is_done=done)

    @router.post("/{offering}/cheques")
    def take(
        request: Request, offering: str, officer: _In, *, form: Annotated[_Cheque, Depends(_cheque)]
    ) -> Response:
        try:
            _record(database, (offering, officer.actor), form)
        except Refused as fault:
            return show(request, offering, refusal=facts.told(fault))
        return _done(offering)

    @router.post("/{offering}/balances")
    def move(
        request: Request,
        offering: str,
        officer: _In,
        *,
        choice: _Text = "",
        what: _Text = "",
        investor: _Text = "",
        amount: _Text = "",
    ) -> Response:
        try:
            _move(database, (offering, officer.actor), (choice, what.strip(), investor.strip(), amount))
        except Refused as fault:
            return show(request, offering, refusal=facts.told(fault))
        return _done(offering)


def _debit_routes(router: Router, database: Database, show: Show) -> None:
    @router.post("/{offering}/debits")
    def order(
        request: Request,
        offering: str,
        officer: _In,
        *,
        investment: _Text = "",
        account: _Text = "",
        mandate: _Text = "",
        entry_class: _Text = "",
    ) -> Response:
        try:
            if not mandate.strip():
                return show(request, offering, refusal=facts.told(_unauthorised()))
            treasury.keeper(database).order_debit(
                actor=officer.actor,
                offering=offering,
                debit=new_id("dbt"),
                investment=investment.strip(),
                payer_fingerprint=fingerprint(account),
                mandate_sha256=hashlib.sha256(mandate.strip().encode()).digest(),
                entry_class=entry_class,
            )
        except Refused as fault:
            return show(request, offering, refusal=facts.told(fault))
        return _done(offering)

    @router.post("/{offering}/debits/{debit}/void")
    def void(request: Request, offering: str, debit: str, officer: _In) -> Response:
        try:
            treasury.keeper(database).void_debit(actor=officer.actor, offering=offering, debit=debit)
        except Refused as fault:
            return show(request, offering, refusal=facts.told(fault))
        return _done(offering)


def _unauthorised() -> Refused:
    return Refused("debit_names_its_authorisation", "write what the investor signed, and when")


def _record(database: Database, on: tuple[str, str], form: _Cheque) -> None:
    offering, actor = on
    if not form.account.strip():
        raise Refused("cheque_names_its_account", "write the account that it is drawn on")
    code = str(facts.desk(database, offering)["currency"])
    found = find_references(form.reference)
    treasury.keeper(database).record_cheque(
        actor=actor,
        offering=offering,
        cheque={
            "receipt": new_id("rcp"),
            "number": form.number.strip(),
            "amount": minor_of(form.amount, code),
            "drawer": form.drawer.strip(),
            "custodian": form.custodian.strip() or None,
            "drawn_on": day_of(form.drawn).isoformat(),
            "received_on": day_of(form.received).isoformat(),
            "reference": found[0] if found else None,
            "fingerprint": fingerprint(form.account).hex(),
        },
    )


def _move(database: Database, on: tuple[str, str], said: tuple[str, str, str, str]) -> None:
    (offering, actor), (choice, what, investor, amount) = on, said
    keeper, where = treasury.keeper(database), {"actor": actor, "offering": offering}
    code = str(facts.desk(database, offering)["currency"])
    if choice == "store":
        keeper.store_receipt(**where, receipt=what, investor=investor)
    elif choice == "pay":
        keeper.pay_from_balance(**where, investment=what, amount_minor=minor_of(amount, code))
    elif choice == "withdraw":
        keeper.withdraw_balance(**where, investor=investor, amount_minor=minor_of(amount, code))
    else:
        raise Refused("decision_is_one_of_those_offered", "choose one of the acts")


def _done(offering: str) -> Response:
    return RedirectResponse(f"{facts.path_of(offering, 'stored')}?done=1", status_code=_SEE_OTHER)
