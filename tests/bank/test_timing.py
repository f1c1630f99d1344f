"""Banking days, return windows, retries and rails."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookrunner.adapters.bank import (
    Rail,
    Retry,
    ReturnGroup,
    add_banking_days,
    clearing,
    find_return_code,
    is_banking_day,
    is_in_time,
    may_retry,
    next_banking_day,
    rail_policy,
    return_due,
)
from bookrunner.adapters.bank.timing import banking_days_between, holidays, return_codes
from bookrunner.core.errors import Refused

DAYS = st.dates(date(2001, 1, 1), date(2190, 1, 1))


@pytest.mark.parametrize(
    ("year", "days"),
    [
        # As announced by the Federal Reserve Banks.
        (2024, "0101 0115 0219 0527 0619 0704 0902 1014 1111 1128 1225"),
        (2025, "0101 0120 0217 0526 0619 0704 0901 1013 1111 1127 1225"),
        # Independence Day is a Saturday: the Friday before is a banking day.
        (2026, "0101 0119 0216 0525 0619 0907 1012 1111 1126 1225"),
        # Juneteenth and Christmas are Saturdays; Independence Day is a Sunday.
        (2027, "0101 0118 0215 0531 0705 0906 1011 1111 1125"),
        (2023, "0102 0116 0220 0529 0619 0704 0904 1009 1123 1225"),
        (2021, "0101 0118 0215 0531 0705 0906 1011 1111 1125"),
    ],
)
def test_the_banks_are_closed_on_these_days(year: int, days: str) -> None:
    assert [day.strftime("%m%d") for day in holidays(year)] == days.split()


def test_a_saturday_holiday_is_not_moved() -> None:
    assert is_banking_day(date(2026, 7, 3))
    assert is_banking_day(date(2027, 6, 18))
    assert is_banking_day(date(2027, 12, 31))
    assert not is_banking_day(date(2023, 1, 2))


@given(DAYS, st.integers(1, 60))
def test_adding_and_counting_agree(day: date, count: int) -> None:
    later = add_banking_days(day, count)
    assert is_banking_day(later)
    assert banking_days_between(day, later) == count
    assert banking_days_between(later, day) == -count
    assert add_banking_days(later, -count) <= day or not is_banking_day(day)
    assert next_banking_day(day) - day <= timedelta(days=5)


@pytest.mark.parametrize("day", [date(1999, 12, 31), date(2200, 1, 3)])
def test_a_year_without_rules_is_refused(day: date) -> None:
    with pytest.raises(Refused, match="year_has_a_calendar"):
        is_banking_day(day)


def test_too_many_banking_days_are_refused() -> None:
    with pytest.raises(Refused, match="banking_days_are_few"):
        add_banking_days(date(2026, 1, 1), 10_000)


@pytest.mark.parametrize(
    ("code", "due"),
    [
        # Settled on the Wednesday before Thanksgiving.
        ("R01", date(2026, 11, 30)),
        ("R29", date(2026, 11, 30)),
        # The sixtieth day is a Sunday, the Monday after is open.
        ("R10", date(2027, 1, 25)),
        ("R38", date(2027, 1, 25)),
        ("R06", None),
        ("R90", None),
        ("R85", None),
        ("R40", None),
    ],
)
def test_a_return_is_due_by_its_window(code: str, due: date | None) -> None:
    settled = date(2026, 11, 25)
    known = find_return_code(code)
    assert known is not None
    assert return_due(known.group, settled) == due
    if due is None:
        assert is_in_time(code, settled, settled) is None
    else:
        assert is_in_time(code, settled, due) is True
        assert is_in_time(code, settled, due + timedelta(days=1)) is False


def test_dishonours_and_contests_count_from_their_own_day() -> None:
    assert return_due(ReturnGroup.DISHONOUR, date(2026, 3, 2)) == date(2026, 3, 9)
    assert return_due(ReturnGroup.CONTEST, date(2026, 3, 2)) == date(2026, 3, 4)


def test_a_window_before_the_first_row_is_refused() -> None:
    with pytest.raises(Refused, match="rule_is_in_force"):
        return_due(ReturnGroup.ORDINARY, date(2019, 1, 2))


@pytest.mark.parametrize(
    ("code", "again", "retry"),
    [
        ("R01", 0, Retry.PRESENT_AGAIN),
        ("R01", 1, Retry.PRESENT_AGAIN),
        ("R01", 2, Retry.STOP),
        ("R09", 1, Retry.PRESENT_AGAIN),
        ("R10", 0, Retry.STOP),
        ("R29", 0, Retry.STOP),
        ("R03", 0, Retry.NEW_ACCOUNT),
        ("R20", 5, Retry.NEW_ACCOUNT),
        ("R96", 0, Retry.STOP),
        ("", 0, Retry.STOP),
    ],
)
def test_what_may_follow_a_return(code: str, again: int, retry: Retry) -> None:
    assert may_retry(code, again) is retry


def test_the_table_has_every_code_once() -> None:
    numbers = {
        *range(1, 48),
        *range(50, 54),
        61,
        62,
        *range(67, 78),
        *range(80, 86),
        90,
    }
    assert list(return_codes()) == [f"R{number:02d}" for number in sorted(numbers)]
    again = [code for code, row in return_codes().items() if row.retry is Retry.PRESENT_AGAIN]
    assert again == ["R01", "R09"]
    assert is_in_time("R96", date(2026, 3, 2), date(2026, 3, 2)) is None


def test_each_rail_has_its_hold_and_its_windows() -> None:
    friday = date(2026, 7, 3)
    debit = clearing(Rail.ACH_DEBIT, friday)
    assert (debit.cleared_on, debit.ordinary_return_due) == (date(2026, 9, 1), date(2026, 7, 7))
    assert debit.longest_return_due == date(2026, 9, 2)
    wire = clearing(Rail.WIRE, friday)
    assert (wire.cleared_on, wire.longest_return_due) == (friday, None)
    saturday = date(2026, 7, 4)
    assert clearing(Rail.WIRE, saturday).cleared_on == date(2026, 7, 6)
    assert clearing(Rail.ACH_CREDIT, saturday).cleared_on == date(2026, 7, 8)
    assert clearing(Rail.CHEQUE, friday).cleared_on == date(2026, 7, 16)
    assert clearing(Rail.STABLECOIN, saturday).cleared_on == saturday
    assert {rail: rail_policy(rail, friday).hold_days for rail in Rail} == {
        Rail.WIRE: 0,
        Rail.ACH_CREDIT: 2,
        Rail.ACH_DEBIT: 60,
        Rail.BALANCE: 0,
        Rail.STABLECOIN: 0,
        Rail.CHEQUE: 9,
        Rail.CARD: 120,
    }
    with pytest.raises(Refused, match="rule_is_in_force"):
        rail_policy(Rail.WIRE, date(2010, 1, 4))
