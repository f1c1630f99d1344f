"""NACHA return codes: until when each may come, and whether the payment may be tried again.

The windows are dated rows: opening of the second banking day after settlement, and opening of the
banking day after the sixtieth calendar day for a consumer's unauthorised debit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

from bookrunner.adapters.bank.timing.calendar import add_banking_days
from bookrunner.adapters.bank.timing.tables import in_force, rows

PRESENTATIONS_AGAIN_MAX: Final = 2
"""A debit that came back unpaid may be presented again this often, within 180 days."""
PRESENT_AGAIN_DAYS: Final = 180


class ReturnGroup(StrEnum):
    """What kind of return a code is; the group has the window."""

    ORDINARY = "ordinary"
    """Something about the account or the entry."""
    UNAUTHORISED_CORPORATE = "unauthorised_corporate"
    """A company did not authorise the debit."""
    UNAUTHORISED_CONSUMER = "unauthorised_consumer"
    """A consumer did not authorise the debit."""
    ADJUSTMENT = "adjustment"
    """An entry made of a check, whose check was stopped or presented."""
    BY_REQUEST = "by_request"
    """Asked for or agreed to by the originating bank; no window."""
    SANCTIONS = "sanctions"
    """For the receiving bank's sanctions duties; no window."""
    ENROLMENT = "enrolment"
    """Government enrolments only; no window."""
    GATEWAY = "gateway"
    """International entries only; no window."""
    DISHONOUR = "dishonour"
    """The originating bank refuses a return; about the return, not the payment."""
    CONTEST = "contest"
    """The receiving bank insists on a return that was refused."""


class Retry(StrEnum):
    """What may follow a returned debit."""

    PRESENT_AGAIN = "present_again"
    """The same account, at most twice more."""
    NEW_ACCOUNT = "new_account"
    """Another account of the investor, or its corrected data."""
    STOP = "stop"
    """Nothing without a new authorisation."""


@dataclass(frozen=True, slots=True)
class ReturnCode:
    """One return reason code, in force from a day."""

    code: str
    group: ReturnGroup
    retry: Retry
    valid_from: date
    meaning: str


@dataclass(frozen=True, slots=True)
class ReturnWindow:
    """Until when a group may come: calendar days first, then banking days, after the day counted from."""

    group: ReturnGroup
    valid_from: date
    calendar_days: int
    banking_days: int
    counted_from: str

    def last_day(self, counted_from: date) -> date:
        """Return the banking day by whose opening the return must be back."""
        return add_banking_days(counted_from + timedelta(days=self.calendar_days), self.banking_days)


@cache
def return_codes() -> dict[str, ReturnCode]:
    """Return every code of the table by its name."""
    return {
        row["code"]: ReturnCode(
            row["code"],
            ReturnGroup(row["group"]),
            Retry(row["retry"]),
            date.fromisoformat(row["valid_from"]),
            row["meaning"],
        )
        for row in rows("return_codes")
    }


@cache
def return_windows() -> tuple[ReturnWindow, ...]:
    """Return every window, dated."""
    return tuple(
        ReturnWindow(
            ReturnGroup(row["group"]),
            date.fromisoformat(row["valid_from"]),
            int(row["calendar_days"]),
            int(row["banking_days"]),
            row["counted_from"],
        )
        for row in rows("return_windows")
    )


def find_return_code(code: str) -> ReturnCode | None:
    """Return a code of the table, None for one that it does not know."""
    return return_codes().get(code)


def return_due(group: ReturnGroup, counted_from: date) -> date | None:
    """Return the banking day by whose opening a return must be back, None without a window."""
    windows = [window for window in return_windows() if window.group is group]
    return in_force(windows, counted_from).last_day(counted_from) if windows else None


def is_in_time(code: str, settled_on: date, returned_on: date) -> bool | None:
    """Tell whether a return came inside its window; None without one or for an unknown code.

    A late return is still a fact; a person contests it.
    """
    known = find_return_code(code)
    due = return_due(known.group, settled_on) if known else None
    return None if due is None else returned_on <= due


def may_retry(code: str, presented_again: int) -> Retry:
    """Return what may follow a return, after so many presentations beyond the first.

    An unknown code stops, and so does the third return for lack of funds.
    """
    known = find_return_code(code)
    if known is None:
        return Retry.STOP
    if known.retry is Retry.PRESENT_AGAIN and presented_again >= PRESENTATIONS_AGAIN_MAX:
        return Retry.STOP
    return known.retry
