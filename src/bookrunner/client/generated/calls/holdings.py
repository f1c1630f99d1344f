# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: holdings."""

from __future__ import annotations

from collections.abc import Iterator

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.holdings import Holding, Holdings
from bookrunner.client.transport import Call, Transport, every


class HoldingsCalls:
    """The operations of holdings."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_holdings(
        self, offer: str, *, investor: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Holdings:
        """List the master securityholder file by id, each holder with its lots and the linked wallet."""
        return self._transport.record(
            Holdings,
            OPERATIONS["list_holdings"],
            Call(path={"offer": offer}, query={"investor": investor, "cursor": cursor, "limit": limit}),
        )

    def each_of_holdings(
        self, offer: str, *, investor: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Iterator[Holding]:
        """Yield every record of :meth:`list_holdings`, page by page."""

        def page(at: str | None) -> tuple[list[Holding], str | None]:
            found = self.list_holdings(offer, investor=investor, cursor=at or cursor, limit=limit)
            return found.holdings, found.next

        return every(page)
