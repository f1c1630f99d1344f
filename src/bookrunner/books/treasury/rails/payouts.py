"""Refunds on their way to the bank: the bytes are committed before they leave, and sent again as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from bookrunner.core.ids import new_id
from bookrunner.db import Keeper, Row

Write = Callable[[str, Sequence[Row]], bytes]
HandOver = Callable[[str, bytes], str]

WORKER = "treasury"
ORDERS = 500
RECEIPTS = 1000


def send_refunds(
    treasury: Keeper, offering: str, write: Write, hand_over: HandOver, *, most: int = ORDERS
) -> int:
    """Send every refund that waits, at most so many in an order; return how many orders were acknowledged.

    ``write`` makes the bytes of one order from its id and its refunds, ``hand_over`` gives them to the bank
    under that id and returns the bank's reference. A run that ends anywhere is finished by the next one: what
    was stored is handed over again under the same id, and only a refund that stands in no order gets one.
    """
    acknowledged = _hand_over(treasury, offering, hand_over)
    while _store(treasury, offering, write, most):
        acknowledged += _hand_over(treasury, offering, hand_over)
    return acknowledged


def clear_due(treasury: Keeper, on: date) -> int:
    """Clear in every offer what the policies of the rails let clear by a day; return how many receipts.

    Refuses ``clearing_day_has_come`` for a day to come.
    """
    cleared = 0
    for row in treasury.offers_to_clear(on=on):
        while part := treasury.clear_due(actor=WORKER, offering=row["offering_id"], on=on, most=RECEIPTS):
            cleared += part
    return cleared


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


def _hand_over(treasury: Keeper, offering: str, hand_over: HandOver) -> int:
    waiting = list(treasury.prepared_payouts(offering=offering))
    for row in waiting:
        reference = hand_over(row["payout_id"], bytes(row["content"]))
        treasury.mark_handed_over(
            actor=WORKER, offering=offering, payout=row["payout_id"], bank_reference=reference
        )
    return len(waiting)
