"""Read BAI2 balance reports (Cash Management Balance Reporting Specifications, version 2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from bookrunner.adapters.bank.dedupe import Keys
from bookrunner.adapters.bank.entries import (
    BankFile,
    Entry,
    EntryStatus,
    FileFormat,
    Finding,
    FindingRule,
    Statement,
)
from bookrunner.adapters.bank.errors import StatementRefused, StatementRule
from bookrunner.adapters.bank.plain.bai2_fields import (
    Movement,
    Summary,
    movement,
    number,
    short_day,
    summaries,
)
from bookrunner.adapters.bank.plain.text import empty_entry, known_currency, lines_of

_DEFAULT_CURRENCY: Final = "USD"
_RECORD: Final = re.compile(r"(01|02|03|16|49|88|98|99)(?:,(.*)|/?\s*)", re.ASCII | re.DOTALL)
_OPENING, _CLOSING = "010", "015"
_CREDITS, _DEBITS = range(100, 400), range(400, 700)
_RETURNS: Final = frozenset({"255", "257", "261", "266", "555", "557", "561", "566"})
_REVERSALS: Final = frozenset({"258", "558"})
_REASON: Final = re.compile(r"\bR[0-9]{2}\b", re.ASCII)
_PRELIMINARY: Final = frozenset({"1", "3"})
_AS_OF: Final = 4
_GROUP_CURRENCY: Final = 6
_MODIFIER: Final = 7
_PARTS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    kind: str
    parts: tuple[str, ...]


@dataclass(slots=True)
class _Level:
    """What an account, a group or a file sums to so far."""

    total: int = 0
    records: int = 0
    children: int = 0


@dataclass(slots=True)
class _Account:
    line: int
    number: str
    currency: str
    summaries: list[Summary]
    movements: list[tuple[int, Movement]] = field(default_factory=list)


class Bai2Reader:
    """Reads BAI2 files into one statement per account.

    Banks differ on what a control total adds up, so a mismatch is a finding and the statement is read.
    Unknown type codes are kept as ``INFO``. Amounts have no point: they are minor units as written.
    """

    def read_file(self, raw: bytes) -> BankFile:
        """Return the accounts of a file; refuses one that is cut or out of order."""
        reading = _Reading()
        for record in _records(lines_of(raw)):
            reading.take(record)
        return BankFile(format=FileFormat.BAI2, statements=reading.close())


class _Reading:
    """The state of reading one file."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._levels: dict[str, _Level] = {}
        self._account: _Account | None = None
        self._as_of: date | None = None
        self._status = EntryStatus.BOOK
        self._currency = _DEFAULT_CURRENCY
        self._file_id = ""
        self._keys = Keys()
        self._findings: list[Finding] = []
        self._statements: list[Statement] = []
        self._ended = False

    def take(self, record: _Record) -> None:
        """Take the next record, its continuations joined; refuses one out of order."""
        above = {"01": [], "02": ["01"], "03": ["01", "02"]}
        below = {"49": ["01", "02", "03"], "98": ["01", "02"], "99": ["01"], "16": ["01", "02", "03"]}
        expected = above.get(record.kind, below.get(record.kind))
        if self._ended or self._open != expected:
            raise StatementRefused(StatementRule.FILE_IS_COMPLETE, record.line, "record out of order")
        if record.kind in above:
            self._open.append(record.kind)
            self._levels[record.kind] = _Level()
        for kind in self._open:
            self._levels[kind].records += len(record.parts)
        match record.kind:
            case "01":
                self._file_id = _field(record.parts[0], 3)
            case "02":
                self._take_group(record)
            case "03":
                self._take_account(record)
            case "16":
                self._take_movement(record)
            case _:
                self._take_control(record)

    def close(self) -> tuple[Statement, ...]:
        """Return the statements; refuses ``file_is_complete`` and ``file_has_statement``."""
        if not self._ended:
            raise StatementRefused(StatementRule.FILE_IS_COMPLETE, 0, "no file trailer")
        if not self._statements:
            raise StatementRefused(StatementRule.FILE_HAS_STATEMENT, 0, "no account in the file")
        return tuple(self._statements)

    def _take_group(self, record: _Record) -> None:
        text = ",".join(record.parts)
        self._as_of = short_day(_field(text, _AS_OF - 1), record.line)
        self._currency = _field(text, _GROUP_CURRENCY - 1) or _DEFAULT_CURRENCY
        # Interim data of the same or the previous day may still change.
        preliminary = _field(text, _MODIFIER - 1) in _PRELIMINARY
        self._status = EntryStatus.PDNG if preliminary else EntryStatus.BOOK

    def _take_account(self, record: _Record) -> None:
        account, currency, *rest = [*",".join(record.parts).split(","), "", ""]
        if not account.strip():
            raise StatementRefused(StatementRule.STATEMENT_HAS_ACCOUNT, record.line, "no account number")
        unit = known_currency(currency.strip() or self._currency, record.line)
        told = summaries(rest, record.line)
        self._account = _Account(record.line, account.strip(), unit.code, told)
        self._findings = []
        self._levels["03"].total += sum(summary.amount for summary in told)

    def _take_movement(self, record: _Record) -> None:
        account = self._opened(record)
        found = movement(record.parts, record.line)
        account.movements.append((record.line, found))
        self._levels["03"].total += found.amount

    def _take_control(self, record: _Record) -> None:
        kind = self._open[-1]
        level = self._levels[kind]
        parts = [*",".join(record.parts).split(","), "", ""]
        told_total = number(parts[0], record.line, signed=True)
        told_records = number(parts[1 if kind == "03" else 2], record.line, blank=0)
        findings = []
        if told_total != level.total:
            detail = f"off by {told_total - level.total} minor units"
            findings.append(Finding(FindingRule.CONTROL_TOTALS_MATCH, record.line, detail))
        if told_records != level.records:
            findings.append(
                Finding(FindingRule.CONTROL_COUNTS_MATCH, record.line, f"{level.records} records")
            )
        if kind != "03" and number(parts[1], record.line, blank=0) != level.children:
            findings.append(Finding(FindingRule.CONTROL_COUNTS_MATCH, record.line, "accounts or groups"))
        if kind == "03":
            self._findings.extend(findings)
            self._statements.append(self._statement(self._opened(record)))
        elif findings and self._statements:
            last = self._statements[-1]
            self._statements[-1] = replace(last, findings=(*last.findings, *findings))
        self._open.pop()
        if self._open:
            # A control's total is what its parent adds up, right or wrong.
            self._levels[self._open[-1]].total += told_total
            self._levels[self._open[-1]].children += 1
        self._ended = not self._open

    def _opened(self, record: _Record) -> _Account:
        if self._account is None:
            raise StatementRefused(StatementRule.STATEMENT_HAS_ACCOUNT, record.line, "no account")
        return self._account

    def _statement(self, account: _Account) -> Statement:
        balances = {summary.code: summary.amount for summary in reversed(account.summaries)}
        opening, closing = balances.get(_OPENING), balances.get(_CLOSING)
        entries = tuple(self._entry(account, line, found) for line, found in account.movements)
        if opening is None or closing is None:
            self._find(FindingRule.BALANCES_ARE_GIVEN, account.line, "opening or closing is missing")
        else:
            booked = (entry for entry in entries if entry.status is EntryStatus.BOOK)
            gap = closing - opening - sum(e.amount_minor if e.credit else -e.amount_minor for e in booked)
            if gap:
                self._find(FindingRule.BALANCES_ADD_UP, account.line, f"off by {gap} minor units")
        return Statement(
            account=account.number,
            statement_id=f"{self._file_id}-{self._as_of:%Y%m%d}" if self._as_of else self._file_id,
            sequence=None,
            currency=account.currency,
            opening_minor=opening,
            closing_minor=closing,
            opened_on=self._as_of,
            closed_on=self._as_of,
            entries=entries,
            findings=tuple(self._findings),
        )

    def _entry(self, account: _Account, line: int, found: Movement) -> Entry:
        code = int(found.code)
        status = self._status
        if code not in _CREDITS and code not in _DEBITS:
            self._find(FindingRule.TYPE_CODE_HAS_DIRECTION, line, f"type code {found.code}")
            status = EntryStatus.INFO
        if found.amount == 0:
            self._find(FindingRule.AMOUNT_IS_POSITIVE, line, "amount is zero")
        text = found.text
        returned = found.code in _RETURNS
        named = _REASON.search(text or "") if returned else None
        entry = empty_entry(amount_minor=found.amount, currency=account.currency, credit=code not in _DEBITS)
        entry = entry._replace(
            entry_ref=found.bank_reference,
            end_to_end_id=found.customer_reference,
            status=status,
            booked_on=self._as_of,
            value_on=found.value_on or self._as_of,
            remittance_text=text,
            reversal=found.code in _REVERSALS,
            bank_code=found.code,
            return_reason=(named[0] if named else f"BAI{found.code}") if returned else None,
        )
        return self._keys.of_entry(account.number, entry)

    def _find(self, rule: FindingRule, line: int, detail: str) -> None:
        self._findings.append(Finding(rule, line, detail))


def _records(lines: list[str]) -> Iterator[_Record]:
    """Join continuations to their records; an unmarked line continues one that has no end mark."""
    current: _Record | None = None
    for place, line in enumerate(lines, 1):
        text = line.strip("\ufeff\x1a \t")
        if not text:
            continue
        match = _RECORD.fullmatch(text)
        if match is None:
            raise StatementRefused(StatementRule.RECORD_IS_KNOWN, place, "no such record type")
        kind, body = match[1], match[2] or ""
        if kind != "88":
            if current is not None:
                yield current
            current = _Record(place, kind, (body,))
            continue
        if current is None or current.kind in {"49", "98", "99"}:
            raise StatementRefused(StatementRule.CONTINUATION_FOLLOWS_RECORD, place, "nothing that can go on")
        if len(current.parts) >= _PARTS_MAX:
            raise StatementRefused(StatementRule.FILE_FITS_LIMIT, place, "too many continuations")
        current = replace(current, parts=(*current.parts, body))
    if current is not None:
        yield current


def _field(text: str, place: int) -> str:
    parts = text.split("/", 1)[0].split(",")
    return parts[place].strip() if place < len(parts) else ""
