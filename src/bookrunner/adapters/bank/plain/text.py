"""What the readers of plain text formats share: decoding within limits, and unsigned amounts."""

from __future__ import annotations

from typing import Final

from bookrunner.adapters.bank.entries import Entry, EntryStatus
from bookrunner.adapters.bank.errors import TEXT_BYTES_MAX, StatementRefused, StatementRule, check_size
from bookrunner.core import money
from bookrunner.core.errors import Refused

LINE_CHARACTERS_MAX: Final = 64 * 1024
LINES_MAX: Final = 1_500_000
MINOR_MAX: Final = 2**63 - 1

_HEAD_BYTES: Final = 64


def lines_of(raw: bytes) -> list[str]:
    """Return the lines of a file in UTF-8 or, where it is none, Windows-1252 or ISO 8859-1.

    Refuses ``file_fits_limit`` and ``encoding_is_supported``.
    """
    check_size(raw, TEXT_BYTES_MAX)
    if b"\0" in raw[:_HEAD_BYTES]:
        raise StatementRefused(StatementRule.ENCODING_IS_SUPPORTED, 1, "not a text")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > LINES_MAX:
        raise StatementRefused(StatementRule.FILE_FITS_LIMIT, LINES_MAX, "too many lines")
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_CHARACTERS_MAX:
            raise StatementRefused(StatementRule.FILE_FITS_LIMIT, number, "line over 64 KiB")
    return lines


def known_currency(code: str, line: int) -> money.Currency:
    """Return the currency with this code; refuses ``currency_is_known``."""
    try:
        return money.currency(code)
    except Refused as refusal:
        raise StatementRefused(StatementRule.CURRENCY_IS_KNOWN, line, refusal.detail) from None


def empty_entry(*, amount_minor: int, currency: str, credit: bool) -> Entry:
    """Return a booked entry that says nothing but its amount."""
    return Entry(
        entry_ref=None,
        end_to_end_id=None,
        uetr=None,
        amount_minor=amount_minor,
        currency=currency,
        credit=credit,
        reversal=False,
        status=EntryStatus.BOOK,
        booked_on=None,
        value_on=None,
        remittance_structured=None,
        remittance_text=None,
        debtor_name=None,
        debtor_account=None,
        debtor_agent=None,
        bank_code=None,
        return_reason=None,
        dedupe_key="",
        line_sha256="",
    )
