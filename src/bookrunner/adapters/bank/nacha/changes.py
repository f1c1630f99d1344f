"""Notifications of change (addenda 98): which account data a receiving bank proposes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bookrunner.adapters.bank.entries import ChangeNotice
from bookrunner.adapters.bank.nacha.records import Record

_Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ChangeCode:
    """Where a change code's corrected data stand, in columns of the 29 counted from 1."""

    code: str
    meaning: str
    routing: _Span | None = None
    account: _Span | None = None
    transaction_code: _Span | None = None
    identification: _Span | None = None


CHANGE_CODES: Final = {
    change.code: change
    for change in (
        ChangeCode("C01", "account number", account=(1, 17)),
        ChangeCode("C02", "routing number", routing=(1, 9)),
        ChangeCode("C03", "routing number and account number", routing=(1, 9), account=(13, 29)),
        ChangeCode("C05", "transaction code", transaction_code=(1, 2)),
        ChangeCode("C06", "account number and transaction code", account=(1, 17), transaction_code=(21, 22)),
        ChangeCode(
            "C07",
            "routing number, account number and transaction code",
            routing=(1, 9),
            account=(10, 26),
            transaction_code=(27, 28),
        ),
        ChangeCode("C08", "foreign receiving bank"),
        ChangeCode("C09", "individual identification", identification=(1, 22)),
        ChangeCode("C13", "addenda format"),
        ChangeCode("C14", "entry class, to be sent as IAT"),
    )
}
"""The codes in force and where each puts its data, by the layout of the addenda 98 record."""


def change_notice(addenda: Record) -> tuple[ChangeNotice, bool]:
    """Return the notice of one addenda 98 record, and whether its code is in the table."""
    code, text = addenda.column(4, 6), addenda.text[35:64]
    known = CHANGE_CODES.get(code)

    def part(span: _Span | None) -> str | None:
        return text[span[0] - 1 : span[1]].strip() or None if span else None

    notice = ChangeNotice(
        code=code,
        original_trace=addenda.column(7, 21),
        routing=part(known.routing) if known else None,
        account=part(known.account) if known else None,
        transaction_code=part(known.transaction_code) if known else None,
        identification=part(known.identification) if known else None,
    )
    return notice, known is not None
