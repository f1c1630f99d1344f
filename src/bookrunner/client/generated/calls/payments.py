# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: payments."""

from __future__ import annotations

from collections.abc import Iterator

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.payments import Payment, Payments
from bookrunner.client.transport import Call, Transport, every


class PaymentsCalls:
    """The operations of payments."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_payments(
        self,
        offer: str,
        *,
        status: str | None = None,
        investment: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Payments:
        """List the attempts of investors to pay by id, with reference, what is due and what came."""
        return self._transport.record(
            Payments,
            OPERATIONS["list_payments"],
            Call(
                path={"offer": offer},
                query={"status": status, "investment": investment, "cursor": cursor, "limit": limit},
            ),
        )

    def each_of_payments(
        self,
        offer: str,
        *,
        status: str | None = None,
        investment: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Payment]:
        """Yield every record of :meth:`list_payments`, page by page."""

        def page(at: str | None) -> tuple[list[Payment], str | None]:
            found = self.list_payments(
                offer, status=status, investment=investment, cursor=at or cursor, limit=limit
            )
            return found.payments, found.next

        return every(page)
