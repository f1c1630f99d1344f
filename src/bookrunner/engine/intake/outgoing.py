"""What a statement says of our own orders: a refund that was paid, a refund that came back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from bookrunner.adapters.bank import Entry, EntryStatus
from bookrunner.adapters.payments import payment_id
from bookrunner.db import Row, Within


def note_refunds(within: Within, offering: str, entries: Sequence[Entry], *, actor: str) -> list[Entry]:
    """Settle and bounce refunds as the booked entries of a statement say; return the other entries.

    An entry is of a refund when it names its payment and has its amount to the cent: what came back would
    look like an investor's money otherwise.
    """
    known: dict[str, Row] = {
        payment_id(row["refund_id"], row["try_no"]): row
        for row in within.refunds_with_the_bank(offering=offering)
    }
    others: list[Entry] = []
    settled: defaultdict[date | None, list[str]] = defaultdict(list)
    bounced: list[tuple[Entry, Row]] = []
    for entry in entries:
        refund = _refund_of(entry, known) if known else None
        if refund is None:
            others.append(entry)
        elif entry.credit:
            bounced.append((entry, refund))
        elif refund["status"] == "sent":
            settled[entry.booked_on].append(refund["refund_id"])
    for day, refunds in settled.items():
        within.settle_refunds(actor=actor, offering=offering, refunds=refunds, booked_on=day)
    # What left and came back on one statement left first.
    for entry, refund in bounced:
        within.bounce_refund(
            actor=actor,
            offering=offering,
            refund=refund["refund_id"],
            code=entry.return_reason,
            booked_on=entry.booked_on,
        )
    return others


def _refund_of(entry: Entry, known: dict[str, Row]) -> Row | None:
    if (
        entry.status is not EntryStatus.BOOK
        or entry.reversal
        or entry.credit is (entry.return_reason is None)
    ):
        return None
    names = (entry.end_to_end_id, entry.original_reference)
    found = next((known[name] for name in names if name in known), None)
    if found is None or (found["amount_minor"], found["currency"]) != (entry.amount_minor, entry.currency):
        return None
    return found
