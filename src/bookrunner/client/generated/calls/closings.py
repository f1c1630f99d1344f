# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: closings."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.closings import (
    CaseDecision,
    ClosingCases,
    ClosingDryRun,
    ClosingFrozen,
    Closings,
    NewClosing,
)
from bookrunner.client.generated.shapes.shared import Acted
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class ClosingsCalls:
    """The operations of closings."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_closing_cases(self, offer: str) -> ClosingCases:
        """List the investments that closings left out for want of a countersignature, oldest first."""
        return self._transport.record(
            ClosingCases, OPERATIONS["list_closing_cases"], Call(path={"offer": offer})
        )

    def decide_closing_case(
        self, offer: str, case: str, body: CaseDecision, *, if_match: ETag, idempotency_key: str | None = None
    ) -> Acted:
        """Decide whether it goes into the next closing or is refunded; on the version that was seen."""
        return self._transport.record(
            Acted,
            OPERATIONS["decide_closing_case"],
            Call(
                path={"offer": offer, "case": case},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def list_closings(self, offer: str) -> Closings:
        """List the closings of an offer by number."""
        return self._transport.record(Closings, OPERATIONS["list_closings"], Call(path={"offer": offer}))

    def freeze_closing(
        self, offer: str, body: NewClosing, *, if_match: ETag, idempotency_key: str | None = None
    ) -> ClosingFrozen:
        """Freeze a closing of the list that a dry run showed; its issuance starts with it.

        The books are compared first, and the chain with them where its node answers; a repetition, or a
        list that has changed, compares nothing. Every member passes the gate in this transaction; otherwise
        nothing is frozen.
        """
        return self._transport.record(
            ClosingFrozen,
            OPERATIONS["freeze_closing"],
            Call(path={"offer": offer}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )

    def dry_run_closing(self, offer: str) -> ClosingDryRun:
        """Say who would be in a closing and what each one lacks; writes nothing.

        The ETag stands for exactly this list: a closing that names it is refused once the list has changed.
        """
        return self._transport.record(
            ClosingDryRun, OPERATIONS["dry_run_closing"], Call(path={"offer": offer})
        )
