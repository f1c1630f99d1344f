# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: institutions."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.institutions import (
    AllocationMove,
    EscrowOpened,
    InstitutionalAllocations,
    Intake,
    NewEscrow,
    NewInstitutional,
    NewIntake,
)
from bookrunner.client.generated.shapes.shared import Acted
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class InstitutionsCalls:
    """The operations of institutions."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def take_institution_in(self, body: NewIntake, *, idempotency_key: str | None = None) -> Intake:
        """Score a request of the institution behind the key and enter it, or send it to a review.

        The same key again scores nothing anew. Without a scorer it answers 503, and nothing is scored.
        """
        return self._transport.record(
            Intake, OPERATIONS["take_institution_in"], Call(body=body, idempotency_key=idempotency_key)
        )

    def get_intake(self, offer: str, intake: str) -> Intake:
        """Return a request of the institution behind the key, as it stands."""
        return self._transport.record(
            Intake, OPERATIONS["get_intake"], Call(path={"offer": offer, "intake": intake})
        )

    def initiate_escrow(self, body: NewEscrow, *, idempotency_key: str | None = None) -> EscrowOpened:
        """Open the escrow of an allocation under internal review; the same key again changes nothing."""
        return self._transport.record(
            EscrowOpened, OPERATIONS["initiate_escrow"], Call(body=body, idempotency_key=idempotency_key)
        )

    def list_institutional_allocations(self, offer: str) -> InstitutionalAllocations:
        """List the requests of institutions in the order in which they came."""
        return self._transport.record(
            InstitutionalAllocations,
            OPERATIONS["list_institutional_allocations"],
            Call(path={"offer": offer}),
        )

    def request_institutional_allocation(
        self, offer: str, body: NewInstitutional, *, idempotency_key: str | None = None
    ) -> Acted:
        """Ask for an allocation of one tranche for a cleared entity; one request of it may be pending."""
        return self._transport.record(
            Acted,
            OPERATIONS["request_institutional_allocation"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def move_institutional_allocation(
        self,
        offer: str,
        allocation: str,
        body: AllocationMove,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> Acted:
        """Take a request up for review, or cancel it for a reason; on the version that was seen."""
        return self._transport.record(
            Acted,
            OPERATIONS["move_institutional_allocation"],
            Call(
                path={"offer": offer, "allocation": allocation},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )
