# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: banking."""

from __future__ import annotations

from bookrunner.client.records import Exact, Record, Sent


class BankStatement(Record):
    """A bank statement as it was posted, and how many of its receipts are in which state."""

    account: str
    bank_statement_id: str
    closed_on: str
    closing: Exact
    entries: int
    file_sha256: str
    id: str
    opening: Exact
    receipts: dict[str, int]
    status: str
    version: str


class BankStatements(Record):
    """Bank statements by id; `next` is the cursor that continues, null at the end."""

    bank_statements: list[BankStatement]
    next: str | None


class NewBankFile(Sent):
    """One statement as the bank wrote it, in base64: camt.053, camt.054, MT940, BAI2 or CSV."""

    content: str


class StatementPosted(Record):
    """A bank file that was posted whole."""

    file_sha256: str
    id: str
    offer: str
    status: str
    version: str
