# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: breaks."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.breaks import Assignment, BreakAcceptance, BreakActed, BreakAnswer
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class BreaksCalls:
    """The operations of breaks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def accept_break(
        self,
        offer: str,
        break_id: str,
        body: BreakAcceptance,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> BreakActed:
        """Accept an explained break with a reason, as another person than who explained it."""
        return self._transport.record(
            BreakActed,
            OPERATIONS["accept_break"],
            Call(
                path={"offer": offer, "break_id": break_id},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def answer_break(
        self,
        offer: str,
        break_id: str,
        body: BreakAnswer,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> BreakActed:
        """Say why a break is, or what was put right, as its person; the next run looks again."""
        return self._transport.record(
            BreakActed,
            OPERATIONS["answer_break"],
            Call(
                path={"offer": offer, "break_id": break_id},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def assign_break(
        self,
        offer: str,
        break_id: str,
        body: Assignment,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> BreakActed:
        """Give a break to a person of its owner, on the version that was seen."""
        return self._transport.record(
            BreakActed,
            OPERATIONS["assign_break"],
            Call(
                path={"offer": offer, "break_id": break_id},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )
