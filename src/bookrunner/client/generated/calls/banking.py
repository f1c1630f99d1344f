# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: banking."""

from __future__ import annotations

from collections.abc import Iterator

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.banking import (
    BankStatement,
    BankStatements,
    NewBankFile,
    StatementPosted,
)
from bookrunner.client.transport import Call, Transport, every


class BankingCalls:
    """The operations of banking."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_bank_statements(
        self, offer: str, *, cursor: str | None = None, limit: int | None = None
    ) -> BankStatements:
        """List the bank statements that were posted for an offer by id, with the states of their receipts."""
        return self._transport.record(
            BankStatements,
            OPERATIONS["list_bank_statements"],
            Call(path={"offer": offer}, query={"cursor": cursor, "limit": limit}),
        )

    def each_of_bank_statements(
        self, offer: str, *, cursor: str | None = None, limit: int | None = None
    ) -> Iterator[BankStatement]:
        """Yield every record of :meth:`list_bank_statements`, page by page."""

        def page(at: str | None) -> tuple[list[BankStatement], str | None]:
            found = self.list_bank_statements(offer, cursor=at or cursor, limit=limit)
            return found.bank_statements, found.next

        return every(page)

    def post_bank_statement(
        self, offer: str, body: NewBankFile, *, idempotency_key: str | None = None
    ) -> StatementPosted:
        """Post a statement whole and match its receipts by the rules; the same entry is posted once.

        It is refused when it was posted before, lacks a balance or does not add up. Files of more than 3 MB
        are posted at the console or by the command line.
        """
        return self._transport.record(
            StatementPosted,
            OPERATIONS["post_bank_statement"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def get_bank_statement(self, offer: str, bank_statement: str) -> BankStatement:
        """Return one bank statement; its receipts are those that name it."""
        return self._transport.record(
            BankStatement,
            OPERATIONS["get_bank_statement"],
            Call(path={"offer": offer, "bank_statement": bank_statement}),
        )
