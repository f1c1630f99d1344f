"""A refund as the return of the payment that it undoes: pacs.004 for a wire, NACHA for an ACH credit."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bookrunner.adapters.bank.payouts import (
    AchEntry,
    AchReturn,
    WireReturn,
    write_ach,
    write_pacs004,
)
from bookrunner.adapters.payments import debit_identification, payment_id
from bookrunner.adapters.payments.debits import header, originator_of
from bookrunner.adapters.payments.orders import AccountBook
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.core.money import Money, currency

Numbers = Callable[[], Mapping[str, int]]
WriteReturn = Callable[[Mapping[str, Any], Collection[str], Numbers], bytes]
_READABLE = "an object of texts with reason, and uetr or trace"
_MEMBERS = frozenset({"reason", "uetr", "end_to_end", "message", "trace"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The payment that goes back, as the bank named it, and why.

    A wire has ``uetr``, ``end_to_end`` and ``message``; an ACH credit has ``trace``, and the header of the
    file from ``originator``. ``reason`` is a code of ISO 20022 or a return code of Nacha.
    """

    reason: str
    uetr: str = ""
    end_to_end: str = ""
    message: str = ""
    trace: str = ""
    originator: Mapping[str, str] | None = None


def read_original(text: str) -> Original:
    """Read a JSON object with the members of :class:`Original`; refuses ``original_is_readable``."""
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Refused("original_is_readable", _READABLE)
    head = originator_of(said.pop("originator")) if "originator" in said else None
    if "reason" not in said or said.keys() - _MEMBERS or not all(isinstance(v, str) for v in said.values()):
        raise Refused("original_is_readable", _READABLE)
    return Original(**said, originator=head)


def write_return(book: AccountBook, original: Original, on: date) -> WriteReturn:
    """Return what writes the return of one refund, given the names under which its receipt came.

    An ACH return also takes its numbers, ``first`` of the entry and ``file``, from the series of the debits.
    Refuses ``return_names_its_payment`` unless the UETR or the trace number is one of those names, and what
    the formats refuse.
    """

    def written(refund: Mapping[str, Any], marks: Collection[str], numbers: Numbers) -> bytes:
        named = original.trace or original.uetr
        if not named or named.lower() not in marks:
            raise Refused(
                "return_names_its_payment", "the receipt did not come under that UETR or trace number"
            )
        if original.trace:
            entry, said = _ach(book, original, refund)
            return write_ach(header(said, on, **numbers()), [entry])
        return write_pacs004(
            WireReturn(
                return_id=payment_id(refund["refund"], refund["try"]),
                written_at=clock.now(),
                settle_on=on,
                amount=Money(refund["amount"], currency(refund["currency"])),
                reason=original.reason,
                returner=book.debtor,
                sender=book.holder(bytes.fromhex(refund["fingerprint"])),
                original_message_id=original.message,
                original_end_to_end_id=original.end_to_end,
                original_uetr=original.uetr.lower(),
            )
        )

    return written


def _ach(
    book: AccountBook, original: Original, refund: Mapping[str, Any]
) -> tuple[AchEntry, Mapping[str, str]]:
    said = original.originator
    if said is None:
        raise Refused("originator_is_readable", "a NACHA return needs the header of its file")
    payer = book.holder(bytes.fromhex(refund["fingerprint"]))
    entry = AchEntry(
        routing=payer.bank,
        account=payer.number,
        amount_minor=refund["amount"],
        credit=True,
        name=payer.name,
        identification=debit_identification(payment_id(refund["refund"], refund["try"])),
        returned=AchReturn(
            code=original.reason,
            original_trace=original.trace,
            received_by=said["origin"],
        ),
    )
    return entry, said
