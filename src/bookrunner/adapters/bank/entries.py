"""What bank files are read into, whatever their format."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple, Protocol

from bookrunner.adapters.bank.errors import StatementRefused, StatementRule
from bookrunner.core.reference import find_references


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
    SCHEMA_IS_KNOWN = "schema_is_known"
    """The message has a schema here to check it against."""
    CONTROL_TOTALS_MATCH = "control_totals_match"
    """Control records and declared totals say what the lines before them sum to."""
    CONTROL_COUNTS_MATCH = "control_counts_match"
    """Control records and declared counts say how many lines there are."""
    ENTRY_HASH_IS_GIVEN = "entry_hash_is_given"
    """A NACHA control has a hash of the routing numbers, and not nines in its place."""
    TYPE_CODE_HAS_DIRECTION = "type_code_has_direction"
    """A BAI2 type code is in the range of credits or of debits; else the line is read as ``INFO``."""
    RETURN_CODE_IS_KNOWN = "return_code_is_known"
    """A NACHA return or change code is one of the table."""
    ROUTING_NUMBER_IS_VALID = "routing_number_is_valid"
    """A routing number has its check digit."""
    ENTRY_FITS_BATCH_CLASS = "entry_fits_batch_class"
    """A batch of credits has no debits, and a batch of debits no credits."""
    ENTRY_HAS_TRACE = "entry_has_trace"
    """A NACHA entry has a trace number of its own."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One proposition that a file breaks, with the line of the file and no personal data."""

    rule: FindingRule
    line: int
    detail: str


@dataclass(frozen=True, slots=True)
class Batch:
    """The batch that an entry is part of: its id and class, its size, its place in it from 1.

    ``key`` is the dedupe key of a batch that the bank books as one line, so that a file with the line
    and one with its parts do not both count.
    """

    id: str | None
    kind: str | None
    place: int
    size: int | None = None
    key: str | None = None


class Entry(NamedTuple):
    """One movement of an account: a transaction, or a whole entry whose details do not sum.

    ``amount_minor`` is never negative, ``credit`` gives the direction as booked, reversals
    included. ``dedupe_key`` is equal for the same movement in a report, a notification and a
    statement; ``line_sha256`` changes when any fact of the line but its status changes.
    ``return_reason`` marks a payment that came back, which is no investor's money;
    ``original_reference`` then names it: a trace number, a UETR or an end-to-end id. ``aliases`` are
    all keys under which another file may bring the same movement, ``dedupe_key`` among them.
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
    creditor_name: str | None = None
    creditor_account: str | None = None
    original_reference: str | None = None
    batch: Batch | None = None
    aliases: tuple[str, ...] = ()

    def known_as(self, keys: tuple[str, ...], line_sha256: str) -> Entry:
        """Return the entry with its keys, of which the first is its own, and the digest of its line."""
        return self._replace(dedupe_key=keys[0], line_sha256=line_sha256, aliases=keys)

    @property
    def references(self) -> tuple[str, ...]:
        """Return the valid ISO 11649 references that the entry tells, in order of appearance."""
        told = (self.remittance_structured, self.remittance_text, self.end_to_end_id)
        return tuple(find_references(" ".join(filter(None, told))))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentStatus:
    """What a bank says of a payment that was sent: a pacs.002 or pain.002 line.

    ``code`` is the status of ISO 20022, such as ``ACSC`` settled or ``RJCT`` rejected.
    """

    message_id: str
    original_message_id: str | None
    end_to_end_id: str | None
    uetr: str | None
    code: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeNotice:
    """A NACHA notification of change: the entry went through, its account data should change.

    The corrected data are a proposal; an account that it names is approved like any other.
    """

    code: str
    original_trace: str
    routing: str | None = field(default=None, repr=False)
    account: str | None = field(default=None, repr=False)
    transaction_code: str | None = None
    identification: str | None = field(default=None, repr=False)


class FileFormat(StrEnum):
    """The formats that are recognised by their first bytes."""

    CAMT = "camt"
    """camt.052 report, camt.053 statement, camt.054 notification."""
    PAYMENT = "payment"
    """pacs.008 and pain.001 credit transfers, pacs.004 returns; pacs.002 and pain.002 statuses."""
    BAI2 = "bai2"
    """BAI2 balance report."""
    MT940 = "mt940"
    """SWIFT MT940 statement, MT942 interim report."""
    NACHA = "nacha"
    """NACHA file of entries, returns and notifications of change."""
    CSV = "csv"
    """Comma-separated lines under a head that declares the mapping of their columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankFile:
    """All that one file says."""

    format: FileFormat
    statements: tuple[Statement, ...] = ()
    statuses: tuple[PaymentStatus, ...] = ()
    changes: tuple[ChangeNotice, ...] = ()

    def only_statement(self) -> Statement:
        """Return the only statement of the file; refuses ``file_has_one_statement``."""
        if len(self.statements) != 1:
            raise StatementRefused(
                StatementRule.FILE_HAS_ONE_STATEMENT, 0, f"{len(self.statements)} statements"
            )
        return self.statements[0]


class BankFileReader(Protocol):
    """Reads the files of one format; it keeps nothing between files."""

    def read_file(self, raw: bytes) -> BankFile:
        """Return what the file says; raises ``StatementRefused``."""


class StatementReader(Protocol):
    """Reads the bytes of one bank file."""

    def read(self, raw: bytes) -> Statement:
        """Return the only statement of the file; raises ``StatementRefused``."""
