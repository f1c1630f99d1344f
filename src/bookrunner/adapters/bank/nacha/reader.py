"""Read NACHA files: credits, debits, returns (addenda 99) and notifications of change (98)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from bookrunner.adapters.bank.dedupe import Keys
from bookrunner.adapters.bank.entries import (
    BankFile,
    Batch,
    ChangeNotice,
    Entry,
    EntryStatus,
    FileFormat,
    Finding,
    FindingRule,
    Statement,
)
from bookrunner.adapters.bank.errors import StatementRefused, StatementRule
from bookrunner.adapters.bank.nacha.changes import change_notice
from bookrunner.adapters.bank.nacha.records import Record, is_routing, records
from bookrunner.adapters.bank.nacha.totals import Totals
from bookrunner.adapters.bank.timing.returns import find_return_code

_CURRENCY: Final = "USD"
_ADVICE: Final = "ADV"
_INTERNATIONAL: Final = "IAT"
_CREDIT_DIGITS: Final = "01234"
_CREDITS_ONLY, _DEBITS_ONLY = "220", "225"


@dataclass(slots=True)
class _Line:
    """One entry with the addenda that follow it."""

    record: Record
    addenda: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    """One batch while it is read."""

    header: Record
    lines: list[_Line] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)
    findings: list[Finding] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.header.column(51, 53)


class NachaReader:
    """Reads NACHA files into one statement per batch, under the originating company's id.

    The entries are ``PDNG``: a file tells what the network moves, the account's statement what was
    booked. ``credit`` is the direction on the receiver's account; for a return, on the originator's.
    """

    def read_file(self, raw: bytes) -> BankFile:
        """Return the batches of one file; refuses one whose controls are absent or do not match."""
        reading = _Reading()
        for record in records(raw):
            reading.take(record)
        return reading.close()


class _Reading:
    """The state of reading one file."""

    def __init__(self) -> None:
        self._header: Record | None = None
        self._control: Record | None = None
        self._group: _Group | None = None
        self._totals = Totals()
        self._batches = 0
        self._statements: list[Statement] = []
        self._changes: list[ChangeNotice] = []
        self._keys = Keys()

    def take(self, record: Record) -> None:
        """Take the next record; refuses one that has no place here."""
        if self._control is not None or (self._header is None) == (record.kind != "1"):
            raise _incomplete(record, "record outside the file's header and control")
        if record.kind == "1":
            self._header = record
        elif record.kind == "5":
            self._open(record)
        elif record.kind in "67":
            self._take_line(record)
        elif record.kind == "8":
            self._close_batch(record)
        else:
            self._close_file(record)

    def close(self) -> BankFile:
        """Return what was read."""
        if self._header is None or self._control is None:
            raise StatementRefused(StatementRule.FILE_IS_COMPLETE, 0, "header or control is missing")
        return BankFile(
            format=FileFormat.NACHA, statements=tuple(self._statements), changes=tuple(self._changes)
        )

    def _open(self, record: Record) -> None:
        if self._group is not None:
            raise _incomplete(record, "batch inside a batch")
        self._group = _Group(record)
        if self._group.kind == _ADVICE:
            raise StatementRefused(StatementRule.BATCH_IS_SUPPORTED, record.line, "accounting advice")

    def _opened(self, record: Record) -> _Group:
        if self._group is None:
            raise _incomplete(record, "outside a batch")
        return self._group

    def _take_line(self, record: Record) -> None:
        group = self._opened(record)
        if record.kind == "7":
            if not group.lines:
                raise StatementRefused(
                    StatementRule.CONTINUATION_FOLLOWS_RECORD, record.line, "addenda without entry"
                )
            group.lines[-1].addenda.append(record)
            group.totals.lines += 1
            return
        group.lines.append(_Line(record))
        group.totals.add_entry(record.number(4, 11), record.number(30, 39), credit=_is_credit(record))

    def _close_batch(self, record: Record) -> None:
        group = self._opened(record)
        finding = group.totals.check_batch(record)
        if finding is not None:
            group.findings.append(finding)
        self._totals.add(group.totals)
        self._batches += 1
        self._group = None
        entries = [self._entry(group, line, place) for place, line in enumerate(group.lines, 1)]
        self._changes.extend(notice for line in group.lines for notice in _notices(group, line))
        self._statements.append(
            Statement(
                account=group.header.column(41, 50) or group.header.column(80, 87),
                statement_id=f"{self._identity()}-{group.header.column(88, 94)}",
                sequence=None,
                currency=_CURRENCY,
                opening_minor=None,
                closing_minor=None,
                opened_on=None,
                closed_on=None,
                entries=tuple(entry for entry in entries if entry is not None),
                findings=tuple(group.findings),
            )
        )

    def _close_file(self, record: Record) -> None:
        if self._group is not None:
            raise _incomplete(record, "batch without control")
        finding = self._totals.check_file(record, self._batches)
        if finding is not None and self._statements:
            self._statements[-1] = _with(self._statements[-1], finding)
        self._control = record

    def _identity(self) -> str:
        header = self._header
        return "" if header is None else header.column(14, 23) + header.column(24, 34).replace(" ", "")

    def _entry(self, group: _Group, line: _Line, place: int) -> Entry | None:
        record, header = line.record, group.header
        if any(addenda.column(2, 3) == "98" for addenda in line.addenda):
            return None
        _check(group, line)
        # A contested return repeats the return and its dishonour; the last one holds.
        returned = next((a for a in reversed(line.addenda) if a.column(2, 3) == "99"), None)
        original, reason = (returned.column(7, 21), returned.column(4, 6)) if returned else (None, None)
        trace, credit = record.column(80, 94), _is_credit(record)
        reference = (
            f"{original}/{reason}" if returned else f"{self._identity()}-{header.column(88, 94)}-{trace}"
        )
        account = group.header.column(41, 50) or group.header.column(80, 87)
        receiver = _receiver(group, line)
        # The receiver is the payer of a debit, and of a debit that came back.
        pays = not credit
        entry = Entry(
            entry_ref=reference if trace.strip("0") or returned else None,
            end_to_end_id=record.column(40, 54) if group.kind != _INTERNATIONAL else None,
            uetr=None,
            amount_minor=record.number(30, 39),
            currency=_CURRENCY,
            credit=credit,
            reversal=header.column(54, 63).upper() == "REVERSAL",
            status=EntryStatus.PDNG,
            booked_on=None,
            value_on=header.day(70, 75),
            remittance_structured=None,
            remittance_text=_remittance(line),
            debtor_name=receiver[0] if pays else header.column(5, 20) or None,
            debtor_account=receiver[1] if pays else None,
            debtor_agent=record.column(4, 12) if pays else None,
            bank_code=f"{group.kind}-{record.column(2, 3)}",
            return_reason=reason,
            dedupe_key="",
            line_sha256="",
            creditor_name=(header.column(5, 20) or None) if pays else receiver[0],
            creditor_account=None if pays else receiver[1],
            original_reference=original,
            batch=Batch(header.column(88, 94), group.kind, place, len(group.lines)),
        )
        return self._keys.of_entry(account, entry)


def _notices(group: _Group, line: _Line) -> list[ChangeNotice]:
    notices = []
    for addenda in line.addenda:
        if addenda.column(2, 3) == "98":
            notice, is_known = change_notice(addenda)
            notices.append(notice)
            if not is_known:
                group.findings.append(
                    Finding(FindingRule.RETURN_CODE_IS_KNOWN, addenda.line, "unknown change code")
                )
    return notices


def _check(group: _Group, line: _Line) -> None:
    record, service = line.record, group.header.column(2, 4)
    found = group.findings
    if service == (_DEBITS_ONLY if _is_credit(record) else _CREDITS_ONLY):
        found.append(Finding(FindingRule.ENTRY_FITS_BATCH_CLASS, record.line, f"batch class {service}"))
    if not is_routing(record.column(4, 12)):
        found.append(Finding(FindingRule.ROUTING_NUMBER_IS_VALID, record.line, "check digit"))
    if not record.column(80, 94).strip("0"):
        found.append(Finding(FindingRule.ENTRY_HAS_TRACE, record.line, "no trace number"))
    for addenda in line.addenda:
        if addenda.column(2, 3) == "99" and find_return_code(addenda.column(4, 6)) is None:
            found.append(Finding(FindingRule.RETURN_CODE_IS_KNOWN, addenda.line, "unknown return code"))


def _is_credit(record: Record) -> bool:
    code = record.column(2, 3)
    if re.fullmatch(r"[2-5][0-9]", code, re.ASCII) is None:
        raise StatementRefused(StatementRule.DIRECTION_IS_GIVEN, record.line, "no such transaction code")
    return code[1] in _CREDIT_DIGITS


def _receiver(group: _Group, line: _Line) -> tuple[str | None, str | None]:
    """Return the receiver's name, and the account as routing number and number."""
    record = line.record
    number, name = record.column(13, 29), record.column(55, 76)
    if group.kind == _INTERNATIONAL:
        number = record.column(40, 74)
        name = next((a.column(47, 81) for a in line.addenda if a.column(2, 3) == "10"), "")
    return name or None, f"{record.column(4, 12)}-{number}" if number else None


def _remittance(line: _Line) -> str | None:
    texts = (addenda.column(4, 83) for addenda in line.addenda if addenda.column(2, 3) == "05")
    return " ".join(text for text in texts if text) or None


def _with(statement: Statement, finding: Finding) -> Statement:
    return replace(statement, findings=(*statement.findings, finding))


def _incomplete(record: Record, detail: str) -> StatementRefused:
    return StatementRefused(StatementRule.FILE_IS_COMPLETE, record.line, detail)
