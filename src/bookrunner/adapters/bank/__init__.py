"""What the engine needs of a bank: statements read into exact, de-duplicated entries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from bookrunner.adapters.bank.errors import StatementRefused, StatementRule

__all__ = [
    "Entry",
    "EntryStatus",
    "Finding",
    "FindingRule",
    "Statement",
    "StatementReader",
    "StatementRefused",
    "StatementRule",
]


class EntryStatus(StrEnum):
    """How far the bank is with an entry; only ``BOOK`` may be posted."""

    BOOK = "BOOK"
    """On the account."""
    PDNG = "PDNG"
    """Expected: pending or dated in the future."""
    INFO = "INFO"
    """Told for information, or with a status that the standard does not know."""


class FindingRule(StrEnum):
    """The propositions that a readable file may break; each breach is reported, none hides a line."""

    BALANCES_ADD_UP = "balances_add_up"
    """Opening balance plus booked entries is the closing balance."""
    BALANCES_ARE_GIVEN = "balances_are_given"
    """A statement carries an opening and a closing booked balance."""
    MESSAGE_IS_ONE_PAGE = "message_is_one_page"
    """The message is not one page of several."""
    ENTRY_HAS_DETAILS = "entry_has_details"
    """The entry names its transactions."""
    DETAILS_SUM_TO_ENTRY = "details_sum_to_entry"
    """The transactions of an entry sum to its amount."""
    ENTRY_IS_IN_ACCOUNT_CURRENCY = "entry_is_in_account_currency"
    """The entry has the currency of the account."""
    AMOUNT_IS_POSITIVE = "amount_is_positive"
    """The entry moves money."""
    STATUS_IS_KNOWN = "status_is_known"
    """The entry has a status of the standard; otherwise it is read as ``INFO``."""
    DEDUPE_KEY_IS_UNIQUE = "dedupe_key_is_unique"
    """No two booked lines of a file carry one bank reference and one amount."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One proposition that a file breaks, with the line of the file and no personal data."""

    rule: FindingRule
    line: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One movement of an account: a transaction, or a whole entry whose details do not sum.

    ``amount_minor`` is never negative, ``credit`` gives the direction as booked, reversals
    included. ``dedupe_key`` is equal for the same movement in a report, a notification and a
    statement; ``line_sha256`` changes when any fact of the line but its status changes.
    ``return_reason`` marks a payment of ours that came back, which is no investor's money.
    """

    entry_ref: str | None
    end_to_end_id: str | None
    uetr: str | None
    amount_minor: int
    currency: str
    credit: bool
    reversal: bool
    status: EntryStatus
    booked_on: date | None
    value_on: date | None
    remittance_structured: str | None
    remittance_text: str | None
    debtor_name: str | None
    debtor_account: str | None
    debtor_agent: str | None
    bank_code: str | None
    return_reason: str | None
    dedupe_key: str
    line_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One account's statement, report or notification, with what does not add up in it.

    Balances are booked balances in signed minor units, None when the bank gave none.
    """

    account: str
    statement_id: str
    sequence: int | None
    currency: str
    opening_minor: int | None
    closing_minor: int | None
    opened_on: date | None
    closed_on: date | None
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]


class StatementReader(Protocol):
    """Reads the bytes of one bank file."""

    def read(self, raw: bytes) -> Statement:
        """Return the only statement of the file; raises :class:`StatementRefused`."""
