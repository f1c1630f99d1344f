"""The rails that money arrives on, and when each one's money is final."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache

from bookrunner.adapters.bank.timing.calendar import add_banking_days, on_or_after
from bookrunner.adapters.bank.timing.returns import ReturnGroup, return_due
from bookrunner.adapters.bank.timing.tables import in_force, rows


class Rail(StrEnum):
    """How money travels."""

    WIRE = "wire"
    """Fedwire or another real-time gross settlement; final on credit."""
    ACH_DEBIT = "ach_debit"
    """We pull; the receiver's bank may send it back for weeks."""
    ACH_CREDIT = "ach_credit"
    """The investor pushes."""
    WALLET_BALANCE = "wallet_balance"
    """A stored balance with us; final on posting."""
    STABLECOIN = "stablecoin"
    """A token transfer; final after confirmations."""
    CHEQUE = "cheque"
    """Recorded by hand."""


@dataclass(frozen=True, slots=True)
class RailPolicy:
    """One rail's clearing policy, in force from a day; ``return_group`` is its longest window."""

    rail: Rail
    valid_from: date
    hold_banking_days: int
    confirmations: int
    can_return: bool
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
            int(row["hold_banking_days"]),
            int(row["confirmations"]),
            row["can_return"] == "yes",
            ReturnGroup(row["return_group"]) if row["return_group"] else None,
        )
        for row in rows("rails")
    )


def rail_policy(rail: Rail, on: date) -> RailPolicy:
    """Return the policy of a rail on a day; refuses ``rule_is_in_force``."""
    return in_force([policy for policy in rail_policies() if policy.rail is rail], on)


def clearing(rail: Rail, settled_on: date) -> Clearing:
    """Return when a receipt of a rail is cleared by policy, and until when it may come back.

    Cleared is not final for a consumer's ACH debit: the longest window ends later.
    """
    policy = rail_policy(rail, settled_on)
    group = policy.return_group
    held = add_banking_days(settled_on, policy.hold_banking_days)
    return Clearing(
        cleared_on=held if policy.hold_banking_days else on_or_after(settled_on),
        ordinary_return_due=return_due(ReturnGroup.ORDINARY, settled_on) if group else None,
        longest_return_due=return_due(group, settled_on) if group else None,
    )
