"""The banking days of the Federal Reserve Banks, by rule.

Eleven holidays (12 CFR 210.2, 5 USC 6103). One that falls on a Sunday is kept on Monday; one that
falls on a Saturday is not moved, and the banks are open on the Friday before.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from functools import cache
from typing import Final

from bookrunner.core.errors import Refused

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2199

_FIXED: Final = (
    ("New Year's Day", 1, 1, FIRST_YEAR),
    ("Juneteenth National Independence Day", 6, 19, 2022),
    ("Independence Day", 7, 4, FIRST_YEAR),
    ("Veterans Day", 11, 11, FIRST_YEAR),
    ("Christmas Day", 12, 25, FIRST_YEAR),
)
_FLOATING: Final = (
    ("Birthday of Martin Luther King, Jr.", 1, calendar.MONDAY, 3),
    ("Washington's Birthday", 2, calendar.MONDAY, 3),
    ("Memorial Day", 5, calendar.MONDAY, -1),
    ("Labor Day", 9, calendar.MONDAY, 1),
    ("Columbus Day", 10, calendar.MONDAY, 2),
    ("Thanksgiving Day", 11, calendar.THURSDAY, 4),
)
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_STEPS_MAX: Final = 2_600


@cache
def holidays(year: int) -> dict[date, str]:
    """Return the days of one year on which the banks are closed for a holiday, with its name.

    Refuses ``year_has_a_calendar`` outside 2000 to 2199.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Refused("year_has_a_calendar", f"{FIRST_YEAR} to {LAST_YEAR}")
    days = {}
    for name, month, day, since in _FIXED:
        if year >= since:
            kept = date(year, month, day)
            if kept.weekday() == calendar.SUNDAY:
                kept += _DAY
            # A Saturday is closed anyway, and nothing stands in for it.
            if kept.weekday() != calendar.SATURDAY:
                days[kept] = name
    for name, month, weekday, ordinal in _FLOATING:
        days[_nth(year, month, weekday, ordinal)] = name
    return dict(sorted(days.items()))


def is_banking_day(day: date) -> bool:
    """Tell whether the Federal Reserve Banks are open; refuses ``year_has_a_calendar``."""
    return day.weekday() < calendar.SATURDAY and day not in holidays(day.year)


def next_banking_day(day: date) -> date:
    """Return the first banking day after a day."""
    return add_banking_days(day, 1)


def on_or_after(day: date) -> date:
    """Return the day itself when it is a banking day, else the next one."""
    return day if is_banking_day(day) else next_banking_day(day)


def add_banking_days(day: date, count: int) -> date:
    """Return the ``count``-th banking day after a day, or before it when negative.

    The day itself is not counted, open or not. Refuses ``banking_days_are_few`` above ten years.
    """
    if abs(count) > _STEPS_MAX:
        raise Refused("banking_days_are_few", "more than ten years")
    step = _DAY if count > 0 else -_DAY
    for _ in range(abs(count)):
        day += step
        while not is_banking_day(day):
            day += step
    return day


def banking_days_between(first: date, last: date) -> int:
    """Count the banking days after ``first`` up to and with ``last``; negative when it is earlier."""
    if last < first:
        return -banking_days_between(last, first)
    count = 0
    while first < last:
        first += _DAY
        count += is_banking_day(first)
    return count


def _nth(year: int, month: int, weekday: int, ordinal: int) -> date:
    if ordinal < 0:
        last = date(year, month, calendar.monthrange(year, month)[1])
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7) + (ordinal - 1) * _WEEK
