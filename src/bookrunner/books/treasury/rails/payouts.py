"""Refunds on their way to the bank: the bytes are committed before they leave, and sent again as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Protocol

from bookrunner.books.treasury.rails.disbursements import WriteEntries, store_orders
from bookrunner.core.errors import Refused, Unavailable
from bookrunner.core.ids import new_id
from bookrunner.core.log import warn
from bookrunner.db import Keeper, Row

Write = Callable[[str, Sequence[Row]], bytes]
WriteReturn = Callable[[Row, frozenset[str], Callable[[], Row]], bytes]
WriteRelease = Callable[[str, Row], bytes]
WriteDebits = Callable[[Sequence[Row]], tuple[bytes, list[dict[str, str]]]]

WORKER = "treasury"
ORDERS = 500
RECEIPTS = 1000
_BLOCKED = "payout_goes_to_nobody_blocked"
_HELD = "payout_goes_to_nobody_held"
_UNCLEARED = "debit_is_of_a_cleared_investor"
_UNFUNDED = "payout_has_its_money"
_REFUSED = "chain_takes_the_payment"
_WITHDRAWN = frozenset({"refund", "return", "distribution", "remittance"})


class Carrier(Protocol):
    """Whoever takes orders to the bank."""

    def hand_over(self, order: str, content: bytes) -> str:
        """Give the bytes to the bank under the id of the order; return the bank's reference."""

    def reference_of(self, order: str) -> str | None:
        """Return the bank's reference of an order that it has, else None."""


class Outbox(Protocol):
    """What writes the orders of offers, and the way to the bank."""

    def writers(self, offering: str) -> tuple[Write, WriteRelease] | None:
        """Return what writes refunds and releases of an offer, None when its accounts are not known."""

    def debits(self, offering: str) -> WriteDebits | None:
        """Return what writes the debits of an offer, None when nobody collects for it."""

    def entries(self, offering: str) -> WriteEntries | None:
        """Return what writes lines as entries of the ACH, None when nobody sends them for the offer."""

    def carrier(self) -> AbstractContextManager[Carrier]:
        """Lend the way to the bank."""


def send_refunds(
    treasury: Keeper, offering: str, write: Write, carrier: Carrier, *, most: int = ORDERS
) -> int:
    """Send every refund that waits, at most so many in an order; return how many orders were acknowledged.

    ``write`` makes the bytes of an order from its id and its refunds. A run that ends anywhere is finished by
    the next one: what was stored is handed over again under the same id, and only a refund that stands in no
    order gets one. An order whose payee was blocked meanwhile is not handed over; when the bank does not have
    it, it is withdrawn, and its other refunds go in another one.
    """
    acknowledged = len(hand_over_waiting(treasury, offering, carrier))
    while _store(treasury, offering, write, most):
        acknowledged += len(hand_over_waiting(treasury, offering, carrier))
    return acknowledged


def send_return(treasury: Keeper, on: tuple[str, str], write: WriteReturn, carrier: Carrier) -> int:
    """Send one refund, (offering, id), as the return of its payment; return how many orders were taken.

    ``write`` makes the bytes from the refund, the names under which its receipt came and, where its format
    numbers entries, the next number. A run that ends anywhere is finished by the next one, as with
    `send_refunds`. Refuses ``returned_refund_waits`` for one that is sent, held back or none, and what the
    writer refuses.
    """
    offering, refund = on
    stored = treasury.prepared_return(offering=offering, refund=refund)
    finished = hand_over_waiting(treasury, offering, carrier)
    if stored in finished:
        return len(finished)
    with treasury.together() as within:
        line = next(iter(within.take_refund(actor=WORKER, offering=offering, refund=refund)), None)
        if line is None:
            raise Refused("returned_refund_waits", f"{refund} does not wait for an order")
        marks = within.marks_of_receipt(offering=offering, receipt=line["receipt"]) or []
        within.store_return(
            actor=WORKER,
            offering=offering,
            payout=new_id("pyo"),
            content=write(line, frozenset(marks), lambda: within.number_return(actor=WORKER)),
            refund=refund,
        )
    return len(finished) + len(hand_over_waiting(treasury, offering, carrier))


def send_waiting(treasury: Keeper, outbox: Outbox) -> int:
    """Send what waits in every offer: approved releases, authorised debits, refunds; return how many orders.

    An offer without an account book, or with a payee that it does not have, waits and holds up no other one.
    """
    sent = 0
    for row in treasury.offers_with_orders():
        offering = row["offering_id"]
        try:
            writers = outbox.writers(offering)
            if writers is None:
                continue
            refunds, release = writers
            with outbox.carrier() as carrier:
                _store_releases(treasury, offering, release)
                _store_debits(treasury, offering, outbox.debits(offering))
                _store_distributions(treasury, offering, refunds, outbox.entries(offering))
                sent += send_refunds(treasury, offering, refunds, carrier)
        except (Refused, Unavailable) as fault:
            rule = fault.rule if isinstance(fault, Refused) else "bank_answers"
            warn("orders wait", offering=offering, rule=rule)
    return sent


def _store_distributions(treasury: Keeper, offering: str, write: Write, entries: WriteEntries | None) -> None:
    """Store what holders are owed; a distribution that cannot be paid holds up no refund."""
    try:
        store_orders(treasury.database, offering, write, entries=entries)
    except Refused as refused:
        warn("orders wait", offering=offering, rule=refused.rule)


def _store_releases(treasury: Keeper, offering: str, write: WriteRelease) -> None:
    for row in treasury.releases_to_pay(offering=offering):
        payout = new_id("pyo")
        treasury.store_release_payout(
            actor=WORKER,
            offering=offering,
            payout=payout,
            content=write(payout, row),
            release=row["release_id"],
        )


def _store_debits(treasury: Keeper, offering: str, write: WriteDebits | None) -> None:
    if write is None:
        return
    with treasury.together() as within:
        taken = within.take_debits(actor=WORKER, offering=offering, most=ORDERS)
        if taken:
            content, traces = write(taken)
            within.store_debits(
                actor=WORKER, offering=offering, payout=new_id("pyo"), content=content, debits=traces
            )


def clear_due(treasury: Keeper, on: date) -> int:
    """Clear in every offer what the policies of the rails let clear by a day; return how many receipts.

    Refuses ``clearing_day_has_come`` for a day to come.
    """
    cleared = 0
    for row in treasury.offers_to_clear(on=on):
        while part := treasury.clear_due(actor=WORKER, offering=row["offering_id"], on=on, most=RECEIPTS):
            cleared += part
    return cleared


def return_due(treasury: Keeper, on: date) -> int:
    """Start the refunds of what nobody owned within the term; return how many receipts.

    Refuses ``return_day_has_come`` for a day to come.
    """
    returned = 0
    for row in treasury.offers_to_return(on=on):
        where = {"offering": row["offering_id"], "on": on, "most": RECEIPTS}
        while part := treasury.return_unidentified(actor=WORKER, **where):
            returned += part
    return returned


def _store(treasury: Keeper, offering: str, write: Write, most: int) -> bool:
    with treasury.together() as within:
        taken = within.take_refunds(actor=WORKER, offering=offering, most=most)
        if not taken:
            return False
        payout = new_id("pyo")
        within.store_payout(
            actor=WORKER,
            offering=offering,
            payout=payout,
            content=write(payout, taken),
            refunds=[line["refund"] for line in taken],
        )
    return True


def hand_over_waiting(
    treasury: Keeper, offering: str, carrier: Carrier, *, ask: Callable[[str], None] | None = None
) -> list[str]:
    """Hand over every prepared order of an offer, to the bank or in coins; return those that were taken.

    Whoever pays in coins gives ``ask``: it is told each order before the ledger of the offer is held for it.

    One that pays somebody who was blocked or held meanwhile, or from money that the bank took back, is
    withdrawn where the bank does not have it; where the bank took it from a run that died, it is acknowledged
    as the bank says.
    """
    acknowledged = []
    for row in treasury.prepared_payouts(offering=offering, is_coin=ask is not None):
        payout = row["payout_id"]
        if ask is not None:
            ask(payout)
        try:
            if _handed(treasury, offering, payout, carrier):
                acknowledged.append(payout)
        except Refused as refused:
            if refused.rule not in {_BLOCKED, _HELD, _UNCLEARED, _UNFUNDED, _REFUSED}:
                raise
            warn("an order is not handed over", offering=offering, subject=payout, rule=refused.rule)
            # The bank may have the bytes from a run that died before it could note so.
            if (reference := carrier.reference_of(payout)) is not None:
                noted = {"offering": offering, "payout": payout, "bank_reference": reference}
                treasury.mark_handed_over(actor=WORKER, **noted)
                acknowledged.append(payout)
            elif row["purpose"] in _WITHDRAWN:
                treasury.withdraw_payout(actor=WORKER, offering=offering, payout=payout)
    return acknowledged


def _handed(treasury: Keeper, offering: str, payout: str, carrier: Carrier) -> bool:
    """Check and hand over in one transaction, so that nothing stands between the look and the bytes."""
    with treasury.together() as within:
        content = within.take_payout(actor=WORKER, offering=offering, payout=payout)
        if content is None:
            return False
        reference = carrier.hand_over(payout, bytes(content))
        within.mark_handed_over(actor=WORKER, offering=offering, payout=payout, bank_reference=reference)
    return True
