"""Birth dates as public lists write them."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from typing import Final

from bookrunner.adapters.screening.model import BirthDate

_NAMES: Final = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS: Final = {name: number for number, name in enumerate(_NAMES.split(), start=1)}
_ABOUT: Final = re.compile(r"^(?:circa|approximately|approx\.?|about|ca\.?|c\.)\s+", re.IGNORECASE)
_ISO: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?(?:T.*)?")
_WRITTEN: Final = re.compile(r"(?:([0-9]{1,2}) )?([A-Za-z]{3})[a-z]* ([0-9]{4})")
_BETWEEN: Final = re.compile(r"\s+to\s+|(?<=[0-9]{4})\s*[-\u2013]\s*(?=[0-9]{4}$)")
_SLACK_YEARS: Final = 1


def birth_date(text: str) -> BirthDate | None:
    """Read ``25 Mar 1977``, ``Mar 1977``, ``1977``, ``1977-03-25``, ``circa 1962`` or ``1960 to 1962``.

    ``circa`` widens the date by a year on both sides. Returns None for anything else.
    """
    stripped = text.strip().rstrip(".")
    about = _ABOUT.match(stripped)
    ends = _BETWEEN.split(stripped[about.end() :] if about else stripped)
    first, last = _span(ends[0].strip()), _span(ends[-1].strip())
    if ends[1:-1] or first is None or last is None:
        return None
    earliest, latest = first.earliest, last.latest
    if about:
        earliest = date(earliest.year - _SLACK_YEARS, 1, 1)
        latest = date(latest.year + _SLACK_YEARS, 12, 31)
    return BirthDate(earliest, latest) if earliest <= latest else None


def _span(text: str) -> BirthDate | None:
    if match := _ISO.fullmatch(text):
        return _days(int(match[1]), int(match[2] or 0), int(match[3] or 0))
    match = _WRITTEN.fullmatch(text)
    month = _MONTHS.get(match[2].lower(), 0) if match else 0
    return _days(int(match[3]), month, int(match[1] or 0)) if match and month else None


def _days(year: int, month: int, day: int) -> BirthDate | None:
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        return None
    if not month:
        return BirthDate(first, date(year, 12, 31))
    return BirthDate(first, first if day else date(year, month, monthrange(year, month)[1]))
