# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: ownership."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.ownership import StatedOwnership
from bookrunner.client.generated.shapes.shared import InvestorActed
from bookrunner.client.transport import Call, Transport


class OwnershipCalls:
    """The operations of ownership."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def certify_ownership(
        self, investor: str, body: StatedOwnership, *, idempotency_key: str | None = None
    ) -> InvestorActed:
        """Certify who is behind an entity; refused without an authority, over the whole, in a loop."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["certify_ownership"],
            Call(path={"investor": investor}, body=body, idempotency_key=idempotency_key),
        )
