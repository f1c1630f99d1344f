"""What an administrator records by hand: releases, returns, alarms, tokens, institutions."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.adapters.chain import parse_address
from bookrunner.books import treasury
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import parse, ungrouped
from bookrunner.core.reference import make_reference
from bookrunner.db import Database
from bookrunner.engine.intake import Deposits, fingerprint
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell.routing import Router
from bookrunner.pages.treasury import facts

__all__ = ["Cashier", "day_of", "minor_of", "routes"]

_SEE_OTHER = 303
_MOST_LINES = 50
_FIELDS = 4
_HASH = re.compile(r"(?:0x)?([0-9a-fA-F]{64})", re.ASCII)
_In = Annotated[SignedIn, Depends(requiring(("treasury",)))]
_Text = Annotated[str, Form(max_length=4000)]
Show = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class Cashier:
    """Who records something about the money of one offer; every rule is the database's."""

    database: Database
    offering: str
    actor: str

    def propose_release(self, closing: str, payee: str, deductions: str) -> None:
        """Propose to release the escrow of a closing to an account, less what is deducted.

        ``deductions`` has lines of ``kind payee account amount``. Refuses ``deduction_is_readable``,
        ``payee_is_named`` and what the book refuses.
        """
        if not payee.strip():
            raise Refused("payee_is_named", "write the account that is paid")
        code = str(facts.desk(self.database, self.offering)["currency"])
        lines = [line for line in deductions.splitlines() if line.strip()]
        treasury.keeper(self.database).propose_release_less(
            **self._where,
            release=new_id("rel"),
            closing=closing,
            payee_fingerprint=fingerprint(payee),
            deductions=[_deduction(line, code) for line in lines[:_MOST_LINES]] or "[]",
        )

    def record_return(self, receipt: str, code: str, day: str) -> None:
        """Record that the bank took a receipt back; refuses ``return_has_its_reason``, ``day_is_a_date``."""
        if not code.strip():
            raise Refused("return_has_its_reason", "write the reason that the bank gives")
        treasury.keeper(self.database).record_return(
            **self._where, receipt=receipt.strip(), code=code.strip(), booked_on=day_of(day), is_booked=True
        )

    def record_recovery(self, receipt: str, amount: str, day: str) -> None:
        """Record money that makes a receivable good."""
        code = str(facts.desk(self.database, self.offering)["currency"])
        treasury.keeper(self.database).record_recovery(
            **self._where, receipt=receipt, amount_minor=minor_of(amount, code), booked_on=day_of(day)
        )

    def retry(self, investment: str) -> None:
        """Open another attempt on an investment, with a reference of its own."""
        treasury.keeper(self.database).retry_payment(
            **self._where,
            attempt=new_id("att"),
            investment=investment,
            reference=make_reference(f"{secrets.randbelow(10**12):012d}"),
        )

    def answer(self, source: str, alarm: str, because: str) -> None:
        """End an alarm with what it was."""
        treasury.keeper(self.database).answer_alarm(
            actor=self.actor, source=source, alarm=alarm, because=because.strip()
        )

    def follow(self, allocation: str) -> None:
        """Open or settle the escrow record of an allocation as that stands now; again, it changes nothing."""
        treasury.keeper(self.database).follow_allocation(**self._where, allocation=allocation)

    def decide_coin(self, coin: str, choice: str, seen: int) -> None:
        """Accept a proposed token or decline it."""
        if choice not in {"accepted", "declined"}:
            raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
        treasury.keeper(self.database).decide_coin(
            **self._where, coin=coin, is_accepted=choice == "accepted", seen=seen
        )

    @property
    def _where(self) -> dict[str, object]:
        return {"actor": self.actor, "offering": self.offering}


def routes(router: Router, database: Database, show: Mapping[str, Show], deposits: Deposits | None) -> None:
    """Add the routes; ``show`` renders payouts, returns, tokens and escrow of institutions of an offer."""
    _release_routes(router, database, show["payouts"])
    _return_routes(router, database, show["returns"])
    _coin_routes(router, database, show["coins"], deposits)
    _sent_back_route(router, show["payouts"], deposits)
    _institution_routes(router, database, show["institutions"])


def _release_routes(router: Router, database: Database, show: Show) -> None:
    @router.post("/{offering}/releases")
    def propose(
        request: Request,
        offering: str,
        officer: _In,
        *,
        closing: _Text = "",
        payee: _Text = "",
        deductions: _Text = "",
    ) -> Response:
        try:
            Cashier(database, offering, officer.actor).propose_release(closing, payee, deductions)
        except Refused as fault:
            typed = {"typed_payee": payee, "typed_on": closing, "typed_deductions": deductions}
            return show(request, offering, refusal=facts.told(fault), **typed)
        return _done(offering, "payouts")


def _return_routes(router: Router, database: Database, show: Show) -> None:
    @router.post("/{offering}/returns")
    def take_back(
        request: Request, offering: str, officer: _In, *, receipt: _Text, code: _Text = "", day: _Text = ""
    ) -> Response:
        acting = Cashier(database, offering, officer.actor)
        return _tried(lambda: acting.record_return(receipt, code, day), show, request, offering)

    @router.post("/{offering}/recoveries")
    def recover(
        request: Request, offering: str, officer: _In, *, receipt: _Text, amount: _Text = "", day: _Text = ""
    ) -> Response:
        acting = Cashier(database, offering, officer.actor)
        return _tried(lambda: acting.record_recovery(receipt, amount, day), show, request, offering)

    @router.post("/{offering}/retries")
    def retry(
        request: Request, offering: str, officer: _In, *, investment: _Text, shown: _Text = ""
    ) -> Response:
        acting = Cashier(database, offering, officer.actor)
        answer = _tried(lambda: acting.retry(investment), show, request, offering)
        if shown == "investment" and answer.status_code == _SEE_OTHER:
            return RedirectResponse(f"/investments/{investment}#pay", status_code=_SEE_OTHER)
        return answer

    @router.post("/{offering}/alarms")
    def answer(
        request: Request, offering: str, officer: _In, *, source: _Text, alarm: _Text, because: _Text = ""
    ) -> Response:
        acting = Cashier(database, offering, officer.actor)
        return _tried(lambda: acting.answer(source, alarm, because), show, request, offering)


def _institution_routes(router: Router, database: Database, show: Show) -> None:
    page = "institutions"

    @router.get("/{offering}/institutions")
    def initiations(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return show(request, offering, is_done=done)

    @router.post("/{offering}/institutions")
    def follow(request: Request, offering: str, officer: _In, *, allocation: _Text) -> Response:
        acting = Cashier(database, offering, officer.actor)
        return _tried(lambda: acting.follow(allocation), show, request, offering, page=page)

    @router.post("/{offering}/institutions/alarms")
    def settle_alarm(
        request: Request, offering: str, officer: _In, *, alarm: _Text, because: _Text = ""
    ) -> Response:
        acting = Cashier(database, offering, officer.actor)
        answer = partial(acting.answer, "settlements", alarm, because)
        return _tried(answer, show, request, offering, page=page)


def _coin_routes(router: Router, database: Database, show: Show, deposits: Deposits | None) -> None:
    @router.get("/{offering}/coins")
    def coins(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return show(request, offering, is_done=done)

    @router.post("/{offering}/coins")
    def propose(
        request: Request,
        offering: str,
        officer: _In,
        *,
        token: _Text = "",
        day: _Text = "",
        dust: _Text = "",
        received_after: Annotated[int, Form(ge=1, le=2**31 - 1)] = 1,
        cleared_after: Annotated[int, Form(ge=1, le=2**31 - 1)] = 1,
    ) -> Response:
        try:
            watching = _watching(deposits)
            code = str(facts.desk(database, offering)["currency"])
            terms = {
                "valid_from": day_of(day).isoformat(),
                "currency": code,
                "dust_minor": minor_of(dust, code),
            }
            terms |= {"received_after": received_after, "cleared_after": cleared_after}
            watching.propose_coin(offering, parse_address(token.strip()), terms=terms, actor=officer.actor)
        except Refused as fault:
            return show(request, offering, refusal=facts.told(fault))
        return _done(offering, "coins")

    @router.post("/{offering}/coins/{coin}")
    def decide(
        request: Request,
        offering: str,
        coin: str,
        officer: _In,
        *,
        seen: Annotated[int, Form(ge=0, le=2**31 - 1)],
        choice: _Text = "",
    ) -> Response:
        try:
            Cashier(database, offering, officer.actor).decide_coin(coin, choice, seen)
        except Refused as fault:
            return show(request, offering, refusal=facts.told(fault))
        return _done(offering, "coins")


def _sent_back_route(router: Router, show: Show, deposits: Deposits | None) -> None:
    @router.post("/{offering}/refunds/{refund}")
    def confirm(
        request: Request, offering: str, refund: str, officer: _In, *, transaction: _Text = ""
    ) -> Response:
        try:
            _watching(deposits).confirm_return(
                offering, refund, _transaction_hash(transaction), actor=officer.actor
            )
        except Refused as fault:
            return show(request, offering, refusal=facts.told(fault))
        return _done(offering, "payouts")


def _transaction_hash(text: str) -> bytes:
    found = _HASH.fullmatch(text.strip())
    if found is None:
        raise Refused("transaction_is_named_by_its_hash", "write the hash: 0x and 64 hexadecimal digits")
    return bytes.fromhex(found[1])


def _tried(
    act: Callable[[], None], show: Show, request: Request, offering: str, *, page: str = "returns"
) -> Response:
    try:
        act()
    except Refused as fault:
        return show(request, offering, refusal=facts.told(fault))
    return _done(offering, page)


def _watching(deposits: Deposits | None) -> Deposits:
    if deposits is None:
        raise Refused("chain_has_deposit_addresses", "the installation has no key for deposit addresses")
    return deposits


def _done(offering: str, page: str) -> Response:
    return RedirectResponse(f"{facts.path_of(offering, page)}?done=1", status_code=_SEE_OTHER)


def _deduction(line: str, code: str) -> dict[str, Any]:
    fields = line.split()
    if len(fields) != _FIELDS:
        raise Refused("deduction_is_readable", "each line has kind, payee, account and amount")
    kind, payee, account, amount = fields
    return {
        "kind": kind,
        "payee": payee,
        "fingerprint": fingerprint(account).hex(),
        "amount": minor_of(amount, code),
    }


def minor_of(text: str, code: str) -> int:
    """Return an amount as a person writes it in minor units."""
    return parse(ungrouped(text), code).minor


def day_of(text: str) -> date:
    """Return a day as a form sends it; refuses ``day_is_a_date``."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Refused("day_is_a_date", "write the day as 2026-03-30") from None
