"""The records of a NACHA file: 94 columns each, cut at fixed places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from bookrunner.adapters.bank.errors import TEXT_BYTES_MAX, StatementRefused, StatementRule, check_size

WIDTH: Final = 94
LINES_MAX: Final = 1_500_000
PADDING: Final = "9" * WIDTH

_DIGITS: Final = re.compile(r"[0-9]{1,20}", re.ASCII)
_LINE_CHARACTERS_MAX: Final = 101
_WEIGHTS: Final = (3, 7, 1)


@dataclass(frozen=True, slots=True)
class Record:
    """One record with its line; columns are counted from 1, as in the rules."""

    line: int
    text: str

    @property
    def kind(self) -> str:
        """Return the record type, the first column."""
        return self.text[:1]

    def column(self, first: int, last: int) -> str:
        """Return the text of some columns, without blanks around it."""
        return self.text[first - 1 : last].strip()

    def number(self, first: int, last: int, *, blank: int | None = None) -> int:
        """Return the number in some columns; refuses ``amount_is_decimal``."""
        text = self.column(first, last)
        if not text and blank is not None:
            return blank
        if _DIGITS.fullmatch(text) is None:
            raise StatementRefused(StatementRule.AMOUNT_IS_DECIMAL, self.line, f"columns {first} to {last}")
        return int(text)

    def day(self, first: int, last: int) -> date | None:
        """Return a date written YYMMDD; None where the bank wrote zeros, blanks or no date.

        The columns of a batch header hold free text in real files.
        """
        text = self.column(first, last)
        if re.fullmatch(r"[0-9]{6}", text, re.ASCII) is None or text == "000000":
            return None
        try:
            return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
        except ValueError:
            return None


def records(raw: bytes) -> Iterator[Record]:
    """Yield the records of a file, padding left out.

    Lines may end with CRLF, LF or nothing, lack their trailing blanks or have a few too many. Refuses
    ``file_fits_limit``, ``encoding_is_supported`` and ``record_is_known``.
    """
    text = _decoded(raw)
    if "\n" not in text.strip() and "\r" not in text.strip() and len(text.strip()) > _LINE_CHARACTERS_MAX:
        lines: Iterator[str] = (text[at : at + WIDTH] for at in range(0, len(text), WIDTH))
    else:
        lines = iter(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    for number, line in enumerate(lines, 1):
        if number > LINES_MAX:
            raise StatementRefused(StatementRule.FILE_FITS_LIMIT, number, "too many lines")
        cut = line.rstrip(" \t\0\x1a")
        if not cut or cut.strip("9") == "":
            continue
        if len(cut) > WIDTH:
            raise StatementRefused(StatementRule.RECORD_IS_KNOWN, number, f"more than {WIDTH} columns")
        if cut[0] not in "156789":
            raise StatementRefused(StatementRule.RECORD_IS_KNOWN, number, "no such record type")
        yield Record(number, cut.ljust(WIDTH))


def check_digit(eight: str) -> str:
    """Return the ninth digit of a routing number, which makes its weighted sum a multiple of ten."""
    total = sum(int(digit) * _WEIGHTS[place % 3] for place, digit in enumerate(eight))
    return str(-total % 10)


def is_routing(nine: str) -> bool:
    """Tell whether this is a routing number with its check digit."""
    return re.fullmatch(r"[0-9]{9}", nine, re.ASCII) is not None and check_digit(nine[:8]) == nine[8]


def _decoded(raw: bytes) -> str:
    check_size(raw, TEXT_BYTES_MAX)
    if b"\0" in raw[:WIDTH]:
        raise StatementRefused(StatementRule.ENCODING_IS_SUPPORTED, 1, "not a text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Columns are characters, and old hosts write one byte for each.
        return raw.decode("latin-1")
