"""The treasury's rows and the tables of the bank formats state the same holidays, holds and return codes."""

from __future__ import annotations

from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookrunner.adapters.bank import Rail, Retry, clearing, find_return_code
from bookrunner.adapters.bank.timing import holidays
from bookrunner.adapters.bank.timing.rails import rail_policies
from bookrunner.adapters.bank.timing.returns import PRESENTATIONS_AGAIN_MAX
from tests.attack.conftest import shared
from tests.attack.world import Connect

__all__ = ["shared"]

THEN_DO = {Retry.PRESENT_AGAIN: "retry", Retry.NEW_ACCOUNT: "new_account", Retry.STOP: "stop"}
# A holiday that falls on a Saturday is not kept on another day, and the day itself is no banking day anyway.
HOLIDAYS = "select day, name from treasury.bank_holiday where extract(dow from day) <> 6 order by day"


def test_the_banks_keep_the_same_holidays(shared: Connect) -> None:
    rows = shared("owner").execute(HOLIDAYS).fetchall()
    years = range(rows[0][0].year, rows[-1][0].year + 1)
    assert len(years) == 21
    assert dict(rows) == {day: name for year in years for day, name in holidays(year).items()}


def test_money_of_a_rail_is_held_alike(shared: Connect) -> None:
    question = "select rail, valid_from, hold_days, counted_in from treasury.clearing_policy order by rail"
    rows = shared("owner").execute(question).fetchall()
    policies = [(p.rail.value, p.valid_from, p.hold_days, p.counted_in.value) for p in rail_policies()]
    assert rows == sorted(policies)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(Rail)), st.dates(date(2020, 1, 1), date(2040, 9, 30)))
def test_money_is_final_on_the_same_day(shared: Connect, rail: Rail, booked: date) -> None:
    row = shared("owner").execute("select treasury.clears_on(%s, %s)", [rail.value, booked]).fetchone()
    assert row == (clearing(rail, booked).cleared_on,)


def test_a_failed_debit_may_be_tried_again_alike(shared: Connect) -> None:
    question = "select code, then_do, most_retries from treasury.failure_reason where rail = 'ach_debit'"
    rows = shared("owner").execute(question).fetchall()
    assert rows
    for code, then_do, most_retries in rows:
        known = find_return_code(code)
        assert known is not None, code
        assert THEN_DO[known.retry] == then_do, code
        if known.retry is Retry.PRESENT_AGAIN:
            assert most_retries == PRESENTATIONS_AGAIN_MAX, code
