"""When money that arrived can still come back: banking days, return windows, rails."""

from __future__ import annotations

from bookrunner.adapters.bank.timing.calendar import (
    add_banking_days,
    banking_days_between,
    holidays,
    is_banking_day,
    next_banking_day,
)
from bookrunner.adapters.bank.timing.rails import Clearing, Rail, RailPolicy, clearing, rail_policy
from bookrunner.adapters.bank.timing.returns import (
    Retry,
    ReturnCode,
    ReturnGroup,
    find_return_code,
    is_in_time,
    may_retry,
    return_codes,
    return_due,
)

__all__ = [
    "Clearing",
    "Rail",
    "RailPolicy",
    "Retry",
    "ReturnCode",
    "ReturnGroup",
    "add_banking_days",
    "banking_days_between",
    "clearing",
    "find_return_code",
    "holidays",
    "is_banking_day",
    "is_in_time",
    "may_retry",
    "next_banking_day",
    "rail_policy",
    "return_codes",
    "return_due",
]
