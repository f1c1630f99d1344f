"""Bank statements by upload: what the file was, what of it is new, and what does not add up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import File, UploadFile

from bookrunner.adapters.bank import EntryStatus, Statement
from bookrunner.adapters.bank.errors import XML_BYTES_MAX, check_size
from bookrunner.adapters.bank.files import AnyFormatReader, recognise
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.intake import import_statement

FORMATS = {
    "camt": "ISO 20022 camt",
    "payment": "ISO 20022 payment message",
    "bai2": "BAI2",
    "mt940": "SWIFT MT940",
    "nacha": "NACHA",
}
_MOST_FINDINGS = 50


@dataclass(slots=True)
class _Keeping:
    """Reads a statement of any format and keeps what it read for the page."""

    kept: list[Statement] = field(default_factory=list)

    def read(self, raw: bytes) -> Statement:
        """Return the only statement of a file."""
        statement = AnyFormatReader().read(raw)
        self.kept.append(statement)
        return statement


def file_of(paper: Annotated[UploadFile | None, File()] = None) -> bytes:
    """Read the file of the form; refuses ``file_fits_limit``."""
    raw = b"" if paper is None else paper.file.read(XML_BYTES_MAX + 1)
    check_size(raw, XML_BYTES_MAX)
    return raw


def import_file(database: Database, offering: str, raw: bytes, actor: str) -> dict[str, Any]:
    """Import a statement whole and return what the page tells of it; refuses as `import_statement` does."""
    reader = _Keeping()
    shape = recognise(raw)
    added = import_statement(Desk(database), reader, offering, raw, actor=actor)
    (statement,) = reader.kept
    credits_booked = sum(
        1
        for entry in statement.entries
        if entry.credit and not entry.reversal and entry.status is EntryStatus.BOOK and entry.amount_minor
    )
    return {
        "format": FORMATS[shape.value],
        "statement": statement,
        "added": added,
        "known": credits_booked - added,
        "others": len(statement.entries) - credits_booked,
        "findings": statement.findings[:_MOST_FINDINGS],
    }
