"""The rails that money arrives on, and when each one's money is final."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache

from bookrunner.adapters.bank.timing.calendar import add_banking_days, on_or_after
from bookrunner.adapters.bank.timing.returns import ReturnGroup, return_due
from bookrunner.adapters.bank.timing.tables import in_force, rows


class Rail(StrEnum):
    """How money travels."""

    WIRE = "wire"
    """Fedwire or another real-time gross settlement; final on credit (12 CFR 210.31)."""
    ACH_CREDIT = "ach_credit"
    """The investor pushes."""
    ACH_DEBIT = "ach_debit"
    """We pull; a consumer's bank may send it back for sixty days."""
    BALANCE = "balance"
    """Money that is already held."""
    STABLECOIN = "stablecoin"
    """A token transfer; final with its block."""
    CHEQUE = "cheque"
    """Recorded by hand; held as 12 CFR 229.12 and 229.13 allow."""
    CARD = "card"
    """Paid by card; its holder may dispute it for 120 days."""


class CountedIn(StrEnum):
    """Which days a hold counts."""

    BANKING_DAYS = "banking_days"
    """Days on which the Federal Reserve Banks are open."""
    CALENDAR_DAYS = "calendar_days"
    """All days."""


@dataclass(frozen=True, slots=True)
class RailPolicy:
    """How long money of a rail is held, from a day on; ``return_group`` has its longest return window."""

    rail: Rail
    valid_from: date
    hold_days: int
    counted_in: CountedIn
    return_group: ReturnGroup | None


@dataclass(frozen=True, slots=True)
class Clearing:
    """The dates of one receipt: cleared by policy, and the two days by whose opening a return is due."""

    cleared_on: date
    ordinary_return_due: date | None
    longest_return_due: date | None


@cache
def rail_policies() -> tuple[RailPolicy, ...]:
    """Return every policy, dated."""
    return tuple(
        RailPolicy(
            Rail(row["rail"]),
            date.fromisoformat(row["valid_from"]),
            int(row["hold_days"]),
            CountedIn(row["counted_in"]),
            ReturnGroup(row["return_group"]) if row["return_group"] else None,
        )
        for row in rows("rails")
    )


def rail_policy(rail: Rail, on: date) -> RailPolicy:
    """Return the policy of a rail on a day; refuses ``rule_is_in_force``."""
    return in_force([policy for policy in rail_policies() if policy.rail is rail], on)


def clearing(rail: Rail, settled_on: date) -> Clearing:
    """Return when a receipt of a rail is cleared by the policy of its day, and until when it may come back.

    A hold in banking days begins on the first one on or after settlement.
    """
    policy = rail_policy(rail, settled_on)
    group = policy.return_group
    if policy.counted_in is CountedIn.CALENDAR_DAYS:
        cleared_on = settled_on + timedelta(days=policy.hold_days)
    else:
        cleared_on = add_banking_days(on_or_after(settled_on), policy.hold_days)
    return Clearing(
        cleared_on=cleared_on,
        ordinary_return_due=return_due(ReturnGroup.ORDINARY, settled_on) if group else None,
        longest_return_due=return_due(group, settled_on) if group else None,
    )
