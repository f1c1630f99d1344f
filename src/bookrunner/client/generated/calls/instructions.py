# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: instructions."""

from __future__ import annotations

from collections.abc import Iterator

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.instructions import Instruction, Instructions
from bookrunner.client.transport import Call, Transport, every


class InstructionsCalls:
    """The operations of instructions."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_instructions(
        self, offer: str, *, status: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Instructions:
        """List the instructions to issue by id, each with the transaction that delivers it."""
        return self._transport.record(
            Instructions,
            OPERATIONS["list_instructions"],
            Call(path={"offer": offer}, query={"status": status, "cursor": cursor, "limit": limit}),
        )

    def each_of_instructions(
        self, offer: str, *, status: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Iterator[Instruction]:
        """Yield every record of :meth:`list_instructions`, page by page."""

        def page(at: str | None) -> tuple[list[Instruction], str | None]:
            found = self.list_instructions(offer, status=status, cursor=at or cursor, limit=limit)
            return found.instructions, found.next

        return every(page)
