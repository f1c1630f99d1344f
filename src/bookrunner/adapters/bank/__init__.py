"""What the engine needs of a bank: files read into exact, de-duplicated entries."""

from __future__ import annotations

from bookrunner.adapters.bank.entries import (
    BankFile,
    BankFileReader,
    Batch,
    ChangeNotice,
    Entry,
    EntryStatus,
    FileFormat,
    Finding,
    FindingRule,
    PaymentStatus,
    Statement,
    StatementReader,
)
from bookrunner.adapters.bank.errors import StatementRefused, StatementRule
from bookrunner.adapters.bank.posting import Postable, keys_of, postable
from bookrunner.adapters.bank.rails import rail_of
from bookrunner.adapters.bank.timing import (
    Clearing,
    Rail,
    RailPolicy,
    Retry,
    ReturnCode,
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

__all__ = [
    "BankFile",
    "BankFileReader",
    "Batch",
    "ChangeNotice",
    "Clearing",
    "Entry",
    "EntryStatus",
    "FileFormat",
    "Finding",
    "FindingRule",
    "PaymentStatus",
    "Postable",
    "Rail",
    "RailPolicy",
    "Retry",
    "ReturnCode",
    "ReturnGroup",
    "Statement",
    "StatementReader",
    "StatementRefused",
    "StatementRule",
    "add_banking_days",
    "clearing",
    "find_return_code",
    "is_banking_day",
    "is_in_time",
    "keys_of",
    "may_retry",
    "next_banking_day",
    "postable",
    "rail_of",
    "rail_policy",
    "return_due",
]
