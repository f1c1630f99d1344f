"""Bank statements by upload: what the file was, what of it is new, and what does not add up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import File, UploadFile

from bookrunner.adapters.bank import BankFile, BankFileReader, EntryStatus, FileFormat, Statement
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.intake import import_returns, import_statement

FORMATS = {
    "camt": "ISO 20022 camt",
    "payment": "ISO 20022 payment message",
    "bai2": "BAI2",
    "mt940": "SWIFT MT940",
    "nacha": "NACHA",
    "csv": "CSV",
}
# The readers refuse what is larger.
_MOST_BYTES = 256 * 1024 * 1024
_MOST_FINDINGS = 50


@dataclass(slots=True)
class _Keeping:
    """Reads one file and keeps what it read for the page."""

    reader: BankFileReader
    kept: list[BankFile] = field(default_factory=list)

    def read(self, raw: bytes) -> Statement:
        """Return the only statement of a file."""
        self.kept.append(self.reader.read_file(raw))
        return self.kept[-1].only_statement()


def file_of(paper: Annotated[UploadFile | None, File()] = None) -> bytes:
    """Read the file of the form: as much as a reader takes, and one byte."""
    return b"" if paper is None else paper.file.read(_MOST_BYTES + 1)


def import_file(
    database: Database, reader: BankFileReader, on: tuple[str, str], raw: bytes
) -> dict[str, Any]:
    """Import a statement whole for (offering, actor) and return what the page tells of it.

    A file of returns without balances, NACHA or pacs.004, takes back the receipts that it names. Refuses as
    `import_statement` does.
    """
    keeping = _Keeping(reader)
    offering, actor = on
    told = reader.read_file(raw)
    if told.format in {FileFormat.NACHA, FileFormat.PAYMENT}:
        returns = [entry for part in told.statements for entry in part.entries if entry.return_reason]
        if returns:
            taken = import_returns(Desk(database), reader, offering, raw, actor=actor)
            return {"format": FORMATS[told.format.value], "returns": taken, "told": len(returns)}
    added = import_statement(Desk(database), keeping, offering, raw, actor=actor)
    statement = keeping.kept[0].only_statement()
    credits_booked = sum(
        1
        for entry in statement.entries
        if entry.credit and not entry.reversal and entry.status is EntryStatus.BOOK and entry.amount_minor
    )
    return {
        "format": FORMATS[keeping.kept[0].format.value],
        "statement": statement,
        "added": added,
        "known": credits_booked - added,
        "others": len(statement.entries) - credits_booked,
        "findings": statement.findings[:_MOST_FINDINGS],
    }
