"""What is known beside the name moves the score; it never hides an identical name."""

from __future__ import annotations

import re
from typing import Final

from bookrunner.adapters.screening.model import BirthDate, ListEntry, ScorePart, Subject

HIGHEST: Final = 10_000
_BORN_SAME_DAY: Final = 400
_BORN_SAME_YEAR: Final = 200
_BORN_APART: Final = -1_200
_COUNTRY_SHARED: Final = 100
_COUNTRY_DIFFERS: Final = -200
_YEARS_OF_DOUBT: Final = 1
_SHORTEST_NUMBER: Final = 5


def number(text: str) -> str:
    """Return an identifier without what people put between its letters and digits."""
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def parts(subject: Subject, entry: ListEntry) -> tuple[ScorePart, ...]:
    """Return what birth date, country and identifiers add or take; what one side lacks says nothing."""
    found = (_birth(subject, entry), _country(subject, entry), _identifier(subject, entry))
    return tuple(part for part in found if part is not None)


def _birth(subject: Subject, entry: ListEntry) -> ScorePart | None:
    asked = subject.birth_date
    if asked is None or not entry.birth_dates:
        return None
    if any(asked == listed and listed.earliest == listed.latest for listed in entry.birth_dates):
        return ScorePart("birth_date", "same_day", _BORN_SAME_DAY)
    gap = min(_years_apart(asked, listed) for listed in entry.birth_dates)
    if gap == 0:
        return ScorePart("birth_date", "same_year", _BORN_SAME_YEAR)
    if gap <= _YEARS_OF_DOUBT:
        return ScorePart("birth_date", "one_year_apart", 0)
    return ScorePart("birth_date", "years_apart", _BORN_APART)


def _years_apart(one: BirthDate, other: BirthDate) -> int:
    return max(0, one.earliest.year - other.latest.year, other.earliest.year - one.latest.year)


def _country(subject: Subject, entry: ListEntry) -> ScorePart | None:
    if not subject.countries or not entry.countries:
        return None
    if set(subject.countries) & set(entry.countries):
        return ScorePart("country", "shared", _COUNTRY_SHARED)
    return ScorePart("country", "differs", _COUNTRY_DIFFERS)


def _identifier(subject: Subject, entry: ListEntry) -> ScorePart | None:
    listed = {(number(i.value), i.country) for i in entry.identifiers}
    for own in subject.identifiers:
        value = number(own.value)
        countries = [country for known, country in listed if known == value]
        same = any(not country or not own.country or country == own.country for country in countries)
        if len(value) >= _SHORTEST_NUMBER and same:
            return ScorePart("identifier", "same_number", HIGHEST)
    return None
