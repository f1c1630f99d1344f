"""What a bank file can be refused for."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from bookrunner.core.errors import Refused

XML_BYTES_MAX: Final = 256 * 1024 * 1024
"""A statement of 100,000 credits with their details stays below; it is read in pieces."""
TEXT_BYTES_MAX: Final = 64 * 1024 * 1024
"""Plain text is held decoded and in lines; half a million NACHA entries are 45 MiB."""


class StatementRule(StrEnum):
    """The rules whose breach refuses a whole file, in the order in which they are checked."""

    FILE_FITS_LIMIT = "file_fits_limit"
    """At most 256 MiB of XML, half a million lines of it and 1 MiB for one line; 64 MiB of plain text."""
    ENCODING_IS_SUPPORTED = "encoding_is_supported"
    """UTF-8, ASCII, ISO 8859-1, ISO 8859-15 or Windows-1252."""
    STATEMENT_HAS_NO_DOCTYPE = "statement_has_no_doctype"
    """No document type declaration, so no entities either."""
    STATEMENT_IS_XML = "statement_is_xml"
    """Well-formed and complete, nested at most 256 deep."""
    MESSAGE_IS_SUPPORTED = "message_is_supported"
    """camt.052, .053 or .054, versions 02 to 08."""
    FILE_HAS_STATEMENT = "file_has_statement"
    """At least one statement, report or notification."""
    FILE_HAS_ONE_STATEMENT = "file_has_one_statement"
    """Exactly one, when the caller asked for one."""
    STATEMENT_HAS_ACCOUNT = "statement_has_account"
    """The account is named before the first entry."""
    STATEMENT_HAS_CURRENCY = "statement_has_currency"
    """The account, a balance or an entry names a currency."""
    CURRENCY_IS_KNOWN = "currency_is_known"
    """Each amount carries an ISO 4217 code."""
    AMOUNT_IS_DECIMAL = "amount_is_decimal"
    """Unsigned ASCII digits with at most one point."""
    AMOUNT_FITS_CURRENCY = "amount_fits_currency"
    """A whole number of the currency's minor units."""
    AMOUNT_FITS_STORAGE = "amount_fits_storage"
    """At most 64 bits of minor units."""
    DIRECTION_IS_GIVEN = "direction_is_given"
    """Each entry and balance says credit or debit."""
    DATE_IS_ISO = "date_is_iso"
    """Each date is a day of the calendar, year first."""
    MESSAGE_FITS_SCHEMA = "message_fits_schema"
    """A message with a schema here is what the schema allows."""
    FORMAT_IS_KNOWN = "format_is_known"
    """The first bytes are those of one of the formats."""
    FILE_IS_COMPLETE = "file_is_complete"
    """Each header has its control, and nothing follows the last one."""
    RECORD_IS_KNOWN = "record_is_known"
    """Each record has a type of the format and its fields in their places."""
    CONTINUATION_FOLLOWS_RECORD = "continuation_follows_record"
    """A continuation comes after what it continues, and completes it."""
    COUNT_IS_PLAUSIBLE = "count_is_plausible"
    """A declared count of fields is not above the fields that are there."""
    CONTROL_TOTALS_MATCH = "control_totals_match"
    """The totals, counts and hashes of a NACHA file are those of its entries."""
    MAPPING_IS_DECLARED = "mapping_is_declared"
    """A comma-separated file names a known mapping with its version, and has its columns and its head."""
    BATCH_IS_SUPPORTED = "batch_is_supported"
    """Not an automated accounting advice, which moves no customer's money."""


class StatementRefused(Refused):
    """A bank file was refused as a whole; no line of it may be posted.

    ``line`` is the line of the file, 0 when the rule concerns the file as a whole. The detail
    never quotes the file.
    """

    def __init__(self, rule: StatementRule, line: int, detail: str) -> None:
        super().__init__(rule.value, f"line {line}: {detail}" if line else detail)
        self.line = line


def check_size(raw: bytes, limit: int) -> None:
    """Refuse ``file_fits_limit``."""
    if len(raw) > limit:
        raise StatementRefused(StatementRule.FILE_FITS_LIMIT, 0, f"more than {limit >> 20} MiB")
