"""The fields of BAI2 records, whose places depend on the funds type before them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bookrunner.adapters.bank.errors import StatementRefused, StatementRule
from bookrunner.adapters.bank.plain.text import MINOR_MAX

_DISTRIBUTED: Final = "D"
_EXTRA_FIELDS: Final = {"": 0, "Z": 0, "0": 0, "1": 0, "2": 0, "V": 2, "S": 3}
_CODE: Final = re.compile(r"[0-9]{3}", re.ASCII)
_COUNT_DIGITS_MAX: Final = 18


@dataclass(frozen=True, slots=True)
class Summary:
    """A status or a summary of an account; ``amount`` is signed minor units."""

    code: str
    amount: int


@dataclass(frozen=True, slots=True)
class Movement:
    """One transaction; ``amount`` is unsigned minor units."""

    code: str
    amount: int
    value_on: date | None
    bank_reference: str | None
    customer_reference: str | None
    text: str | None


def number(text: str, line: int, *, signed: bool = False, blank: int | None = None) -> int:
    """Read whole minor units or a count; refuses ``amount_is_decimal`` and ``amount_fits_storage``."""
    bare = text.strip().removesuffix("/").strip()
    if not bare and blank is not None:
        return blank
    match = re.fullmatch(r"([+-]?)([0-9]{1,30})", bare, re.ASCII)
    if match is None or (match[1] and not signed):
        raise StatementRefused(StatementRule.AMOUNT_IS_DECIMAL, line, "expected digits")
    value = int(match[2])
    if value > MINOR_MAX:
        raise StatementRefused(StatementRule.AMOUNT_FITS_STORAGE, line, "more than 64 bits")
    return -value if match[1] == "-" else value


def summaries(fields: Sequence[str], line: int) -> list[Summary]:
    """Read the groups of code, amount, item count and funds type that follow an account's number."""
    found = []
    left = [field.strip().removesuffix("/").strip() for field in fields]
    place = 0
    while place < len(left):
        code = left[place]
        if not code:
            place += 1
            continue
        if _CODE.fullmatch(code) is None:
            raise StatementRefused(StatementRule.RECORD_IS_KNOWN, line, "summary out of form")
        amount, kind = _at(left, place + 1), _at(left, place + 3)
        found.append(Summary(code, number(amount, line, signed=True, blank=0)))
        place += 4 + _extra(kind, left[place + 4 :], line)
    return found


def movement(parts: Sequence[str], line: int) -> Movement:
    """Read a transaction with its continuations; the text is last and may hold commas and slashes."""
    joined, *more = parts
    while more and not _is_text_reached(joined, line):
        joined = f"{_unmarked(joined)},{more.pop(0)}"
    fields = joined.split(",")
    code, kind = _at(fields, 0), _at(fields, 2)
    if _CODE.fullmatch(code) is None:
        raise StatementRefused(StatementRule.RECORD_IS_KNOWN, line, "no type code")
    amount = number(_at(fields, 1), line, blank=0)
    rest = 3 + _extra(kind, fields[3:], line)
    text = " ".join(_unmarked(part) for part in (",".join(fields[rest + 2 :]), *more))
    return Movement(
        code=code,
        amount=amount,
        value_on=short_day(_at(fields, 3), line) if kind == "V" else None,
        bank_reference=_reference(_at(fields, rest)),
        customer_reference=_reference(_at(fields, rest + 1)),
        text=" ".join(text.split()) or None,
    )


def short_day(text: str, line: int) -> date | None:
    """Read a date written YYMMDD, or with a century; None when blank. Refuses ``date_is_iso``."""
    if not text:
        return None
    match = re.fullmatch(r"([0-9]{2})?([0-9]{2})([0-9]{2})([0-9]{2})", text, re.ASCII)
    if match is None:
        raise StatementRefused(StatementRule.DATE_IS_ISO, line, "expected YYMMDD")
    try:
        return date(int((match[1] or "20") + match[2]), int(match[3]), int(match[4]))
    except ValueError:
        raise StatementRefused(StatementRule.DATE_IS_ISO, line, "no such day") from None


def _is_text_reached(joined: str, line: int) -> bool:
    fields = joined.split(",")
    if len(fields) < 3:  # noqa: PLR2004 - code, amount, funds type
        return False
    if _at(fields, 2) == _DISTRIBUTED and len(fields) < 4:  # noqa: PLR2004 - and the count
        return False
    needed = 3 + 3
    if _at(fields, 2) == _DISTRIBUTED:
        return len(fields) >= needed + 1 + 2 * number(fields[3], line)
    return len(fields) >= needed + _extra(_at(fields, 2), fields[3:], line)


def _extra(kind: str, following: Sequence[str], line: int) -> int:
    """Return how many fields a funds type adds; a declared count is never believed unseen."""
    if kind == _DISTRIBUTED:
        count = number(_at(following, 0), line, blank=0)
        if count > len(following) // 2:
            raise StatementRefused(StatementRule.COUNT_IS_PLAUSIBLE, line, "distribution of funds")
        return 1 + 2 * count
    if kind not in _EXTRA_FIELDS:
        raise StatementRefused(StatementRule.RECORD_IS_KNOWN, line, "no such funds type")
    return _EXTRA_FIELDS[kind]


def _at(fields: Sequence[str], place: int) -> str:
    return _unmarked(fields[place]) if place < len(fields) else ""


def _unmarked(text: str) -> str:
    return text.strip().removesuffix("/").strip()


def _reference(text: str) -> str | None:
    return text if text.strip("0 ") else None
