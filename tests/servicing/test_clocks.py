"""Each clock of a filing ends on the day that its rule says, over weekends, holidays and short months."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from tests.attack.world import Connect, World
from tests.treasury.escrow import refused

# Clock, the day of its fact, the day on which the filing is due.
DUE = [
    # The worked cases of a first sale: a plain one, one that ends on a Saturday, one on Christmas Day.
    ("form_d", "2026-11-16", "2026-12-01"),
    ("form_d", "2026-11-20", "2026-12-07"),
    ("form_d", "2026-12-10", "2026-12-28"),
    # Ends on a Sunday, on Friday 2027-12-24 (Christmas is a Saturday), on New Year's Day of a leap year.
    ("form_d", "2026-11-07", "2026-11-23"),
    ("form_d", "2027-12-09", "2027-12-27"),
    ("form_d", "2027-12-17", "2028-01-03"),
    ("form_d_yearly", "2026-12-01", "2027-12-01"),
    ("form_d_yearly", "2028-02-29", "2029-02-28"),
    # An anniversary on a Saturday is not moved: the rule says on or before.
    ("form_d_yearly", "2026-06-05", "2027-06-05"),
    ("form_d_change", "2026-11-24", "2026-11-24"),
    ("form_d_change", "2026-11-26", "2026-11-27"),
    ("form_c", "2026-11-24", "2026-11-23"),
    ("form_c", "2026-11-23", "2026-11-22"),
    ("form_c_change", "2026-11-25", "2026-11-25"),
    ("form_c_change", "2026-11-28", "2026-11-30"),
    # The worked case of half of the target: Thanksgiving does not count.
    ("form_c_half", "2026-11-24", "2026-12-02"),
    ("form_c_half", "2026-11-20", "2026-11-30"),
    ("form_c_whole", "2026-11-22", "2026-11-30"),
    # Friday 2027-06-18 is kept for Juneteenth by the Commission, and is a day on which banks are open.
    ("form_c_end", "2027-06-14", "2027-06-22"),
    ("form_c_end", "2026-12-23", "2026-12-31"),
    # The worked case of a year that ends with December.
    ("form_c_year", "2026-12-31", "2027-04-30"),
    ("form_c_year", "2027-12-31", "2028-04-29"),
    ("form_c_year", "2026-06-30", "2026-10-28"),
    ("form_c_stop", "2026-11-24", "2026-12-02"),
    ("form_1_a", "2026-11-24", "2026-11-23"),
    ("form_1_k", "2026-12-31", "2027-04-30"),
    ("form_1_sa", "2026-06-30", "2026-09-28"),
    ("form_1_u", "2026-11-24", "2026-12-01"),
    ("form_1_u", "2026-12-21", "2026-12-28"),
    ("form_1_z", "2026-11-24", "2026-12-24"),
]
# Of the two calendars: what falls on a Saturday is kept on Friday by the government alone.
HOLIDAYS = [
    ("us_sec_business", "2027-06-18", True),
    ("us_federal_business", "2027-06-18", False),
    ("us_sec_business", "2027-12-24", True),
    ("us_federal_business", "2027-12-24", False),
    ("us_sec_business", "2026-07-03", True),
    ("us_federal_business", "2026-07-03", False),
    ("us_sec_business", "2026-11-26", True),
    ("us_federal_business", "2026-11-26", True),
    ("us_sec_business", "2027-07-05", True),
    ("us_federal_business", "2027-07-05", True),
]


@pytest.mark.parametrize(("clock", "fact_on", "due_on"), DUE, ids=str)
def test_a_clock_ends_on_its_day(shared: Connect, clock: str, fact_on: str, due_on: str) -> None:
    row = shared("owner").execute("select due_on from engine.filing_due(%s, '', %s)", [clock, fact_on])
    assert row.fetchall() == [(date.fromisoformat(due_on),)]


def test_every_clock_is_in_the_table(shared: Connect) -> None:
    clocks = {row[0] for row in shared("owner").execute("select clock from engine.filing_clock").fetchall()}
    assert clocks == {clock for clock, _, _ in DUE} | {"state_notice"}


@pytest.mark.parametrize(("calendar", "day", "is_kept"), HOLIDAYS)
def test_a_calendar_keeps_its_holidays(shared: Connect, calendar: str, day: str, *, is_kept: bool) -> None:
    question = "select count(*) from compliance.holiday where calendar = %s and day = %s"
    assert shared("owner").execute(question, [calendar, day]).fetchall() == [(int(is_kept),)]


def test_each_calendar_and_each_clock_names_its_source(shared: Connect) -> None:
    for question in ("select citation from compliance.calendar", "select citation from engine.filing_clock"):
        rows = shared("owner").execute(question.encode()).fetchall()
        assert rows
        assert all("CFR" in row[0] or row[0] == "law of each state" for row in rows)


def test_what_ends_past_the_calendar_is_refused(shared: Connect) -> None:
    for days in (3, 400):
        with refused("filing_is_due_inside_the_calendar"):
            shared("owner").execute(
                "select engine.clock_ends('2060-12-24', %s, 'business_days', 'us_sec_business', false)",
                [days],
            )


def test_a_state_without_a_rule_has_no_day(shared: Connect) -> None:
    owner = shared("owner")
    question = "select due_on from engine.filing_due('state_notice', 'US-CA', '2026-11-20')"
    assert owner.execute("select count(*) from engine.state_notice_rule").fetchall() == [(0,)]
    assert owner.execute(question).fetchall() == [(None,)]
    with owner.transaction(force_rollback=True):
        owner.execute(
            "insert into engine.state_notice_rule values"
            " ('US-CA', '2026-01-01', 15, 'calendar_days', 30000, 'an example')"
        )
        assert owner.execute(question).fetchall() == [(date(2026, 12, 5),)]


def test_a_later_version_of_a_rule_moves_later_facts_alone(shared: Connect) -> None:
    owner = World(shared).login("owner")
    with owner.transaction(force_rollback=True):
        owner.execute(
            "insert into compliance.rule select rule_id, 2, 10, unit, jurisdiction, citation, certainty,"
            " '2026-12-01', 'usr_1', 'usr_2', 'an example' from compliance.rule"
            " where rule_id = 'us.filing.form_d'"
        )
        for fact_on, said in (
            ("2026-11-16", (date(2026, 12, 1), 1)),
            ("2026-12-01", (date(2026, 12, 11), 2)),
        ):
            row = owner.execute(
                "select due_on, rule_version from engine.filing_due('form_d', '', %s)", [fact_on]
            )
            assert row.fetchall() == [said]


def test_a_calendar_names_its_source(connect: Connect) -> None:
    insert = b"insert into compliance.calendar values ('us_other', ' ', false, 'Days of some office.')"
    with pytest.raises(psycopg.errors.CheckViolation, match="calendar_names_its_source"):
        connect("owner").execute(insert)
