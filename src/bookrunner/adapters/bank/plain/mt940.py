"""Read SWIFT MT940 statements and MT942 interim reports.

Text between the tags (``:86:``) is a dialect of each bank; it is kept whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
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
from bookrunner.adapters.bank.plain.text import empty_entry, known_currency, lines_of
from bookrunner.core import money
from bookrunner.core.errors import Refused

_TAG: Final = re.compile(r":([0-9]{2}[A-Z]?):(.*)", re.ASCII | re.DOTALL)
_BALANCE: Final = re.compile(r"([CD])([0-9]{6})([A-Z]{3})([0-9]{1,15}(?:,[0-9]{0,5})?)", re.ASCII)
_MOVEMENT: Final = re.compile(
    r"(?P<value>[0-9]{6})(?P<entry>[0-9]{4})?(?P<sign>R?[CD]|E[CD])[A-Z]?"
    r"(?P<amount>[0-9]{1,15}(?:,[0-9]{0,5})?)(?P<type>[A-Z][A-Z0-9]{3})(?P<refs>[^\n]*)(?:\n(?P<more>.*))?",
    re.ASCII | re.DOTALL,
)
_ENVELOPE: Final = re.compile(r"^(?:\{[0-9]:[^{}]{0,200}\}|\{4:)+", re.ASCII)
"""The network's block headers, which may stand before the first tag of its line."""
_FLOOR: Final = re.compile(r"([A-Z]{3})[CD]?[0-9]{1,15}(?:,[0-9]{0,5})?", re.ASCII)
_NO_REFERENCE: Final = frozenset({"", "NONREF"})
_RETURNED: Final = "RTI"
_FULL_LINE: Final = 65
_ENDS: Final = frozenset({"-", "-}"})
_PIVOT_YEAR: Final = 80
_TEXT_CHARACTERS_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Tag:
    line: int
    name: str
    text: str


@dataclass(slots=True)
class _Draft:
    line: int
    statement_id: str
    account: str | None = None
    sequence: int | None = None
    currency: str | None = None
    opening: tuple[int, date] | None = None
    closing: tuple[int, date] | None = None
    interim: bool = False
    paged: bool = False
    entries: list[Entry] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class Mt940Reader:
    """Reads MT940 and MT942 files; the entries of an MT942 are ``PDNG``, a statement posts them."""

    def read_file(self, raw: bytes) -> BankFile:
        """Return every statement of a file in its order; refuses what is not sound."""
        reading = _Reading()
        for tag in _tags(lines_of(raw)):
            reading.take(tag)
        return BankFile(format=FileFormat.MT940, statements=reading.close())


class _Reading:
    """The state of reading one file."""

    def __init__(self) -> None:
        self._draft: _Draft | None = None
        self._statements: list[Statement] = []
        self._keys = Keys()
        self._seen: set[str] = set()
        self._takers = {
            "25": self._account,
            "25P": self._account,
            "28": self._number,
            "28C": self._number,
            "34F": self._floor,
            "60F": self._balance,
            "60M": self._balance,
            "61": self._movement,
            "62F": self._balance,
            "62M": self._balance,
            "86": self._text,
        }

    def take(self, tag: _Tag) -> None:
        """Take the next tag; tags that the reader has no use for are passed over."""
        if tag.name == "20":
            self._finish()
            self._draft = _Draft(tag.line, tag.text.strip())
            return
        taker = self._takers.get(tag.name)
        if taker is not None:
            if self._draft is None:
                raise _irregular(tag, "before the reference that opens a statement")
            taker(tag, self._draft)

    def close(self) -> tuple[Statement, ...]:
        """Return the statements; refuses ``file_has_statement`` when there is none."""
        self._finish()
        if not self._statements:
            raise StatementRefused(StatementRule.FILE_HAS_STATEMENT, 0, "no statement in the file")
        return tuple(self._statements)

    def _account(self, tag: _Tag, draft: _Draft) -> None:
        draft.account = "".join(tag.text.split()) or None

    def _number(self, tag: _Tag, draft: _Draft) -> None:
        number = re.match(r"[0-9]{1,15}", tag.text, re.ASCII)
        draft.sequence = int(number[0]) if number else None

    def _floor(self, tag: _Tag, draft: _Draft) -> None:
        match = _FLOOR.fullmatch(tag.text.strip())
        if match is None:
            raise _irregular(tag, "floor limit")
        draft.interim = True
        draft.currency = draft.currency or known_currency(match[1], tag.line).code

    def _balance(self, tag: _Tag, draft: _Draft) -> None:
        match = _BALANCE.fullmatch(tag.text.strip())
        if match is None:
            raise _irregular(tag, "balance")
        unit = known_currency(match[3], tag.line)
        if draft.currency is not None and draft.currency != unit.code:
            rule = StatementRule.STATEMENT_HAS_CURRENCY
            raise StatementRefused(rule, tag.line, "balances in two currencies")
        draft.currency = unit.code
        minor = _minor(match[4], unit, tag)
        signed = (minor if match[1] == "C" else -minor, _day(match[2], tag))
        draft.paged = draft.paged or tag.name.endswith("M")
        if tag.name.startswith("60"):
            draft.opening = draft.opening or signed
        else:
            draft.closing = signed

    def _movement(self, tag: _Tag, draft: _Draft) -> None:
        match = _MOVEMENT.fullmatch(tag.text)
        if match is None:
            raise _irregular(tag, "movement")
        if draft.currency is None:
            raise StatementRefused(StatementRule.STATEMENT_HAS_CURRENCY, tag.line, "no balance before this")
        unit = money.currency(draft.currency)
        sign = match["sign"]
        reversal, expected = sign.startswith("R"), sign.startswith("E")
        # The reversal of a credit takes money off the account.
        credit = sign.endswith("C") != reversal
        value_on = _day(match["value"], tag)
        entry = empty_entry(
            amount_minor=_minor(match["amount"], unit, tag), currency=unit.code, credit=credit
        )
        ours, _, banks = match["refs"].partition("//")
        more = " ".join((match["more"] or "").split())
        draft.entries.append(
            entry._replace(
                reversal=reversal,
                status=EntryStatus.PDNG if expected or draft.interim else EntryStatus.BOOK,
                booked_on=_entry_day(value_on, match["entry"], tag),
                value_on=value_on,
                entry_ref=_reference(banks),
                end_to_end_id=_reference(ours),
                bank_code=match["type"],
                return_reason=_RETURNED if match["type"].endswith(_RETURNED) else None,
                remittance_text=more or None,
            )
        )
        draft.lines.append(tag.line)

    def _text(self, tag: _Tag, draft: _Draft) -> None:
        if not draft.entries or draft.closing is not None:
            return
        last = draft.entries[-1]
        told = " ".join(filter(None, (last.remittance_text, _joined(tag.text))))
        draft.entries[-1] = last._replace(remittance_text=told or None)

    def _finish(self) -> None:
        draft, self._draft = self._draft, None
        if draft is None:
            return
        if draft.account is None:
            raise StatementRefused(StatementRule.STATEMENT_HAS_ACCOUNT, draft.line, "no account")
        if draft.currency is None:
            raise StatementRefused(StatementRule.STATEMENT_HAS_CURRENCY, draft.line, "no balance")
        entries = tuple(self._keys.of_entry(draft.account, entry) for entry in draft.entries)
        self._check(draft, entries)
        self._statements.append(
            Statement(
                account=draft.account,
                statement_id=draft.statement_id,
                sequence=draft.sequence,
                currency=draft.currency,
                opening_minor=draft.opening[0] if draft.opening else None,
                closing_minor=draft.closing[0] if draft.closing else None,
                opened_on=draft.opening[1] if draft.opening else None,
                closed_on=draft.closing[1] if draft.closing else None,
                entries=entries,
                findings=tuple(draft.findings),
            )
        )

    def _check(self, draft: _Draft, entries: tuple[Entry, ...]) -> None:
        found = draft.findings
        if draft.paged:
            found.append(Finding(FindingRule.MESSAGE_IS_ONE_PAGE, draft.line, "intermediate balance"))
        for line, entry in zip(draft.lines, entries, strict=True):
            if entry.amount_minor == 0:
                found.append(Finding(FindingRule.AMOUNT_IS_POSITIVE, line, "amount is zero"))
            if entry.status is EntryStatus.BOOK and entry.dedupe_key in self._seen:
                found.append(Finding(FindingRule.DEDUPE_KEY_IS_UNIQUE, line, entry.dedupe_key))
            self._seen.add(entry.dedupe_key)
        if draft.opening is not None and draft.closing is not None:
            booked = (entry for entry in entries if entry.status is EntryStatus.BOOK)
            moved = sum(e.amount_minor if e.credit else -e.amount_minor for e in booked)
            gap = draft.closing[0] - draft.opening[0] - moved
            if gap:
                detail = f"off by {gap} minor units"
                found.append(Finding(FindingRule.BALANCES_ADD_UP, draft.line, detail))
        elif not draft.interim:
            found.append(Finding(FindingRule.BALANCES_ARE_GIVEN, draft.line, "opening or closing is missing"))


def _tags(lines: list[str]) -> Iterator[_Tag]:
    name, start = "", 0
    texts: list[str] = []
    length = 0
    for number, line in enumerate(lines, 1):
        bare = line.strip("\x01\x03 \t")
        if bare.startswith("{"):
            bare = _ENVELOPE.sub("", bare)
        match = _TAG.fullmatch(bare)
        if match is None and bare not in _ENDS:
            length += len(line)
            if length > _TEXT_CHARACTERS_MAX:
                raise StatementRefused(StatementRule.FILE_FITS_LIMIT, number, "text over 64 KiB")
            texts.append(line.rstrip())
            continue
        if name:
            yield _Tag(start, name, "\n".join(texts).rstrip())
        name, start, length = ("", number, 0) if match is None else (match[1], number, 0)
        texts = [] if match is None else [match[2].rstrip()]
    if name:
        yield _Tag(start, name, "\n".join(texts).rstrip())


def _minor(text: str, unit: money.Currency, tag: _Tag) -> int:
    whole, _, decimals = text.partition(",")
    kept = decimals.rstrip("0")
    plain = (whole.lstrip("0") or "0") + (f".{kept}" if kept else "")
    try:
        return money.parse(plain, unit).minor
    except Refused as refusal:
        raise StatementRefused(StatementRule(refusal.rule), tag.line, refusal.detail) from None


def _day(text: str, tag: _Tag) -> date:
    year = int(text[:2])
    century = 1900 if year >= _PIVOT_YEAR else 2000
    try:
        return date(century + year, int(text[2:4]), int(text[4:]))
    except ValueError:
        raise StatementRefused(StatementRule.DATE_IS_ISO, tag.line, "no such day") from None


def _entry_day(value_on: date, text: str | None, tag: _Tag) -> date:
    """Return the booking day, whose year is the one that brings it nearest to the value date."""
    if text is None:
        return value_on
    days = []
    for year in (value_on.year - 1, value_on.year, value_on.year + 1):
        try:
            days.append(date(year, int(text[:2]), int(text[2:])))
        except ValueError:
            continue
    if not days:
        raise StatementRefused(StatementRule.DATE_IS_ISO, tag.line, "no such day")
    return min(days, key=lambda day: abs(day - value_on))


def _reference(text: str) -> str | None:
    stripped = text.strip()
    return None if stripped.upper() in _NO_REFERENCE else stripped


def _joined(text: str) -> str:
    """Join the lines of a text; a full line was cut by its length, inside a word or not."""
    joined = ""
    for line in text.split("\n"):
        joined += line if len(line) >= _FULL_LINE else line + " "
    return " ".join(joined.split())


def _irregular(tag: _Tag, what: str) -> StatementRefused:
    return StatementRefused(StatementRule.RECORD_IS_KNOWN, tag.line, f"{what} out of form")
