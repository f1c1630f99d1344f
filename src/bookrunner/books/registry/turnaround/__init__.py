"""The clock of items and inquiries, and the figures of a month (17 CFR 240.17Ad-1, -2, -5, -6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bookrunner.adapters.bank import add_banking_days, banking_days_between, is_banking_day
from bookrunner.core import clock
from bookrunner.core.ids import new_id
from bookrunner.db import Keeper, Row

INQUIRY: Final = "inquiry"
_AGENT: Final = ZoneInfo("America/New_York")
_NOON: Final = time(12)
_TURN_DAYS, _ANSWER_DAYS, _AGED_DAYS = 3, 5, 4
_REQUIRED_PERCENT: Final = 90
_DECEMBER: Final = 12


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """What a month's items come to; ``aged`` counts open routine items by business days from the fifth.

    ``routine_late`` counts those that were turned late and those that are open past their day.
    """

    month: date
    routine_received: int
    routine_in_time: int
    routine_late: int
    other_received: int
    other_turned: int
    other_open: int
    aged: dict[int, int]

    @property
    def percent_in_time(self) -> int | None:
        """The whole percent of due routine items that were turned in time; None in a month without any."""
        due = self.routine_in_time + self.routine_late
        return None if due == 0 else self.routine_in_time * 100 // due

    @property
    def spare(self) -> int | None:
        """How many more items may turn late before a notice is due; None in a month without due items."""
        due = self.routine_in_time + self.routine_late
        return None if due == 0 else max(0, self.routine_in_time * 100 // _REQUIRED_PERCENT - due)

    @property
    def asks_for_a_notice(self) -> bool:
        """Whether less than 90 percent were turned in time (17 CFR 240.17Ad-2(c))."""
        due = self.routine_in_time + self.routine_late
        return self.routine_in_time * 100 < _REQUIRED_PERCENT * due


def counts_from(received_at: datetime) -> date:
    """Return the business day from which an item counts: the next one when it came after noon in New York."""
    there = received_at.astimezone(_AGENT)
    day = there.date()
    if not is_banking_day(day) or there.time() > _NOON:
        return add_banking_days(day, 1)
    return day


def due_on(kind: str, start: date) -> date:
    """Return the last business day for an item: three after the one it counts from, five for an inquiry."""
    return add_banking_days(start, _ANSWER_DAYS if kind == INQUIRY else _TURN_DAYS)


def receive(keeper: Keeper, on: tuple[str, str], received: Row) -> str:
    """Log an item; ``on`` is offering and actor, ``received`` has kind, is_routine, reference, received_at.

    Returns its id. Refuses what the constraints of the turnaround log refuse.
    """
    offering, actor = on
    start = counts_from(received["received_at"])
    item = new_id("itm")
    clock = {"counts_from": start.isoformat(), "due_on": due_on(str(received["kind"]), start).isoformat()}
    told = {**received, "received_at": received["received_at"].isoformat(), **clock}
    keeper.receive_item(actor=actor, offering=offering, item=item, received=told)
    return item


def month_figures(keeper: Keeper, month: date) -> MonthFigures:
    """Return the figures of the calendar month that ``month`` is in, over all offers, at its end."""
    first = month.replace(day=1)
    after = date(first.year + first.month // _DECEMBER, first.month % _DECEMBER + 1, 1)
    start, end = _midnight(first), _midnight(after)
    rows = [row for row in keeper.items_up_to(from_moment=start, until=end) if row["kind"] != INQUIRY]
    routine = [row for row in rows if row["is_routine"]]
    turned = [row for row in routine if _is_closed_by(row, end)]
    today = clock.now().astimezone(_AGENT).date()
    in_time = [row for row in turned if row["closed_at"].astimezone(_AGENT).date() <= row["due_on"]]
    overdue = [row for row in routine if not _is_closed_by(row, end) and row["due_on"] < min(after, today)]
    other = [row for row in rows if not row["is_routine"]]
    last, aged = min(after - timedelta(days=1), today), dict[int, int]()
    for row in routine:
        days = banking_days_between(row["counts_from"], last)
        if not _is_closed_by(row, end) and days > _AGED_DAYS:
            aged[days] = aged.get(days, 0) + 1
    return MonthFigures(
        month=first,
        routine_received=_received(routine, start),
        routine_in_time=len(in_time),
        routine_late=len(turned) - len(in_time) + len(overdue),
        other_received=_received(other, start),
        other_turned=sum(_is_closed_by(row, end) for row in other),
        other_open=sum(not _is_closed_by(row, end) for row in other),
        aged=dict(sorted(aged.items())),
    )


def _received(rows: list[Row], start: datetime) -> int:
    return sum(row["received_at"] >= start for row in rows)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), _AGENT).astimezone(UTC)


def _is_closed_by(row: Row, end: datetime) -> bool:
    return row["closed_at"] is not None and row["closed_at"] < end
