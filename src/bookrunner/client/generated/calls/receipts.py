# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: receipts."""

from __future__ import annotations

from collections.abc import Iterator

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.receipts import (
    NewReceiptAct,
    Receipt,
    ReceiptActed,
    ReceiptCleared,
    ReceiptDecision,
    Receipts,
)
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport, every


class ReceiptsCalls:
    """The operations of receipts."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_receipts(
        self,
        offer: str,
        *,
        status: str | None = None,
        investment: str | None = None,
        bank_statement: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Receipts:
        """List what arrived for an offer by id, with the proposal that waits for each."""
        return self._transport.record(
            Receipts,
            OPERATIONS["list_receipts"],
            Call(
                path={"offer": offer},
                query={
                    "status": status,
                    "investment": investment,
                    "bank_statement": bank_statement,
                    "cursor": cursor,
                    "limit": limit,
                },
            ),
        )

    def each_of_receipts(
        self,
        offer: str,
        *,
        status: str | None = None,
        investment: str | None = None,
        bank_statement: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Receipt]:
        """Yield every record of :meth:`list_receipts`, page by page."""

        def page(at: str | None) -> tuple[list[Receipt], str | None]:
            found = self.list_receipts(
                offer,
                status=status,
                investment=investment,
                bank_statement=bank_statement,
                cursor=at or cursor,
                limit=limit,
            )
            return found.receipts, found.next

        return every(page)

    def get_receipt(self, offer: str, receipt: str) -> Receipt:
        """Return one receipt; its ETag is the version that a proposal or a confirmation is made on."""
        return self._transport.record(
            Receipt, OPERATIONS["get_receipt"], Call(path={"offer": offer, "receipt": receipt})
        )

    def clear_receipt(
        self, offer: str, receipt: str, *, if_match: ETag, idempotency_key: str | None = None
    ) -> ReceiptCleared:
        """Confirm a matched receipt as final on the version that was seen, before its rail makes it so."""
        return self._transport.record(
            ReceiptCleared,
            OPERATIONS["clear_receipt"],
            Call(
                path={"offer": offer, "receipt": receipt}, if_match=if_match, idempotency_key=idempotency_key
            ),
        )

    def propose_on_receipt(
        self,
        offer: str,
        receipt: str,
        body: NewReceiptAct,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ReceiptActed:
        """Propose what is done with a receipt on the version that was seen; another person decides."""
        return self._transport.record(
            ReceiptActed,
            OPERATIONS["propose_on_receipt"],
            Call(
                path={"offer": offer, "receipt": receipt},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def decide_on_receipt(
        self,
        offer: str,
        receipt: str,
        receipt_proposal: str,
        body: ReceiptDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ReceiptActed:
        """Carry a proposal out, or decline it, on its version; whoever proposed it may only decline."""
        return self._transport.record(
            ReceiptActed,
            OPERATIONS["decide_on_receipt"],
            Call(
                path={"offer": offer, "receipt": receipt, "receipt_proposal": receipt_proposal},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )
