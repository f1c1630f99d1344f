"""Read a comma-separated statement whose head declares account, balances and the mapping of its columns.

The head is lines of ``#name,value``: ``bookrunner-csv`` with the name and the version of a mapping, then
``account``, ``currency``, ``statement``, ``opening`` and ``closing``, the last two with a day and an amount.
A mapping says which column is which fact; a changed one is another version, so that a file is always read as
it was declared.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Final

from bookrunner.adapters.bank.dedupe import Keys
from bookrunner.adapters.bank.entries import (
    BankFile,
    Entry,
    FileFormat,
    Finding,
    FindingRule,
    Statement,
)
from bookrunner.adapters.bank.errors import StatementRefused, StatementRule
from bookrunner.adapters.bank.plain.text import empty_entry, known_currency, lines_of
from bookrunner.core import money
from bookrunner.core.errors import Refused

MARK: Final = "#bookrunner-csv"
_HEAD: Final = ("account", "currency", "statement", "opening", "closing")
_ISO: Final = "%Y-%m-%d"
_FAULTS_MAX: Final = 20
_BALANCE: Final = 2


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    form: str


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    cells: Mapping[str, str]


class CsvReader:
    """Reads declared comma-separated statements; every line that cannot be read is named."""

    def read_file(self, raw: bytes) -> BankFile:
        """Return the one statement of a file; refuses ``mapping_is_declared`` and what a line breaks."""
        head, table, start = _split(lines_of(raw))
        columns = _mapping(head)
        unit = known_currency(_told(head, "currency")[0], 1)
        lines = _lines(table, start, columns)
        return BankFile(format=FileFormat.CSV, statements=(_statement(head, lines, columns, unit),))


@cache
def mappings() -> Mapping[tuple[str, str], Mapping[str, _Column]]:
    """Return the columns of each declared mapping, by name and version."""
    text = (files(__package__) / "mappings.csv").read_text(encoding="utf-8")
    found: dict[tuple[str, str], dict[str, _Column]] = {}
    for row in csv.DictReader(text.splitlines()):
        key = (row["mapping"], row["version"])
        found.setdefault(key, {})[row["field"]] = _Column(row["column"], row["form"])
    return found


def _split(lines: Sequence[str]) -> tuple[dict[str, list[str]], list[str], int]:
    head: dict[str, list[str]] = {}
    for place, line in enumerate(lines):
        if not line.startswith("#"):
            return head, list(lines[place:]), place + 1
        name, *values = next(csv.reader([line]))
        if name.strip() in head:
            raise StatementRefused(StatementRule.RECORD_IS_KNOWN, place + 1, "declared twice")
        head[name.strip()] = [value.strip() for value in values]
    return head, [], len(lines)


def _mapping(head: Mapping[str, Sequence[str]]) -> Mapping[str, _Column]:
    found = mappings().get((*head.get(MARK, ()),))  # type: ignore[arg-type]
    if found is None:
        raise StatementRefused(StatementRule.MAPPING_IS_DECLARED, 1, "no such mapping and version")
    for name in _HEAD:
        if not any(head.get(f"#{name}", ())):
            rule = (
                StatementRule.STATEMENT_HAS_ACCOUNT
                if name == "account"
                else StatementRule.MAPPING_IS_DECLARED
            )
            raise StatementRefused(rule, 1, f"the head does not tell {name}")
    return found


def _told(head: Mapping[str, Sequence[str]], name: str) -> Sequence[str]:
    return head[f"#{name}"]


def _lines(table: Sequence[str], start: int, columns: Mapping[str, _Column]) -> list[_Line]:
    reader = csv.reader(table, strict=True)
    found: list[_Line] = []
    try:
        titles = [title.strip() for title in next(reader, [])]
        lacking = [column.name for column in columns.values() if column.name not in titles]
        if lacking or len(set(titles)) != len(titles):
            raise StatementRefused(
                StatementRule.MAPPING_IS_DECLARED, start, "the columns are not the mapping's"
            )
        for cells in reader:
            number = start + reader.line_num - 1
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(titles):
                raise StatementRefused(StatementRule.RECORD_IS_KNOWN, number, "not as many cells as columns")
            found.append(_Line(number, dict(zip(titles, (cell.strip() for cell in cells), strict=True))))
    except csv.Error:
        number = start + reader.line_num - 1
        raise StatementRefused(StatementRule.RECORD_IS_KNOWN, number, "quotes out of form") from None
    return found


def _statement(
    head: Mapping[str, Sequence[str]],
    lines: Sequence[_Line],
    columns: Mapping[str, _Column],
    unit: money.Currency,
) -> Statement:
    account, keys = _told(head, "account")[0], Keys()
    entries: list[Entry] = []
    faults: list[StatementRefused] = []
    for line in lines:
        try:
            entries.append(keys.of_entry(account, _entry(line, columns, unit)))
        except StatementRefused as fault:
            faults.append(fault)
    if faults:
        _refuse_all(faults)
    (opened_on, opening), (closed_on, closing) = (
        _balance(head, name, unit) for name in ("opening", "closing")
    )
    return Statement(
        account=account,
        statement_id=_told(head, "statement")[0],
        sequence=None,
        currency=unit.code,
        opening_minor=opening,
        closing_minor=closing,
        opened_on=opened_on,
        closed_on=closed_on,
        entries=tuple(entries),
        findings=tuple(_findings(lines, entries, closing - opening)),
    )


def _refuse_all(faults: Sequence[StatementRefused]) -> None:
    """Refuse the file by its first fault, and name the lines of the others with their rules."""
    first, *others = faults
    named = "; ".join(f"line {fault.line}: {fault.rule}" for fault in others[:_FAULTS_MAX])
    more = f" and {len(others) - _FAULTS_MAX} more" if len(others) > _FAULTS_MAX else ""
    told = first.detail.partition(": ")[2] + (f"; {named}{more}" if named else "")
    raise StatementRefused(StatementRule(first.rule), first.line, told)


def _findings(lines: Sequence[_Line], entries: Sequence[Entry], moved: int) -> list[Finding]:
    found: list[Finding] = []
    seen: set[str] = set()
    for line, entry in zip(lines, entries, strict=True):
        if entry.amount_minor == 0:
            found.append(Finding(FindingRule.AMOUNT_IS_POSITIVE, line.number, "amount is zero"))
        if entry.dedupe_key in seen:
            found.append(Finding(FindingRule.DEDUPE_KEY_IS_UNIQUE, line.number, entry.dedupe_key))
        seen.add(entry.dedupe_key)
    gap = moved - sum(e.amount_minor if e.credit else -e.amount_minor for e in entries)
    if gap:
        found.append(Finding(FindingRule.BALANCES_ADD_UP, 1, f"off by {gap} minor units"))
    return found


def _entry(line: _Line, columns: Mapping[str, _Column], unit: money.Currency) -> Entry:
    told = {name: line.cells[column.name] for name, column in columns.items()}
    signed = _moved(told, line.number, unit)
    booked_on = _day(told["booked_on"], columns["booked_on"].form, line.number)
    value = told.get("value_on")
    return empty_entry(amount_minor=abs(signed), currency=unit.code, credit=signed >= 0)._replace(
        booked_on=booked_on,
        value_on=_day(value, columns["value_on"].form, line.number) if value else booked_on,
        entry_ref=told.get("bank_reference") or None,
        remittance_text=told.get("text") or None,
        debtor_name=(told.get("payer") or None) if signed >= 0 else None,
        debtor_account=(told.get("payer_account") or None) if signed >= 0 else None,
        creditor_name=(told.get("payer") or None) if signed < 0 else None,
        creditor_account=(told.get("payer_account") or None) if signed < 0 else None,
    )


def _moved(told: Mapping[str, str], number: int, unit: money.Currency) -> int:
    """Return the signed minor units of a line; one of two columns is filled where there are two."""
    if "amount" in told:
        return _minor(told["amount"], number, unit)
    debit, credit = told["debit"], told["credit"]
    if bool(debit) == bool(credit):
        raise StatementRefused(StatementRule.DIRECTION_IS_GIVEN, number, "debit and credit, or neither")
    minor = _minor(debit or credit, number, unit)
    if minor < 0:
        raise StatementRefused(StatementRule.AMOUNT_IS_DECIMAL, number, "a sign beside its direction")
    return -minor if debit else minor


def _balance(head: Mapping[str, Sequence[str]], name: str, unit: money.Currency) -> tuple[date, int]:
    values = _told(head, name)
    if len(values) != _BALANCE:
        raise StatementRefused(StatementRule.RECORD_IS_KNOWN, 1, f"{name} has a day and an amount")
    return _day(values[0], _ISO, 1), _minor(values[1], 1, unit)


def _minor(text: str, number: int, unit: money.Currency) -> int:
    try:
        return money.parse(text, unit).minor
    except Refused as refusal:
        raise StatementRefused(StatementRule(refusal.rule), number, refusal.detail) from None


def _day(text: str, form: str, number: int) -> date:
    try:
        return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise StatementRefused(
            StatementRule.DATE_IS_ISO, number, "no such day in the mapping's form"
        ) from None
