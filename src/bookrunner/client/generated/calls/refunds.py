# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: refunds."""

from __future__ import annotations

from collections.abc import Iterator

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.refunds import Refund, Refunds
from bookrunner.client.transport import Call, Transport, every


class RefundsCalls:
    """The operations of refunds."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_refunds(
        self, offer: str, *, status: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Refunds:
        """List what goes back by id: why, in which payout, and what the bank said of it."""
        return self._transport.record(
            Refunds,
            OPERATIONS["list_refunds"],
            Call(path={"offer": offer}, query={"status": status, "cursor": cursor, "limit": limit}),
        )

    def each_of_refunds(
        self, offer: str, *, status: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Iterator[Refund]:
        """Yield every record of :meth:`list_refunds`, page by page."""

        def page(at: str | None) -> tuple[list[Refund], str | None]:
            found = self.list_refunds(offer, status=status, cursor=at or cursor, limit=limit)
            return found.refunds, found.next

        return every(page)
