# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: allocation."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.allocation import (
    AllotmentDecided,
    AllotmentDryRun,
    Allotments,
    Cut,
    CutBack,
    NewAllotment,
    Policy,
    PolicyNamed,
    Queued,
    Units,
    Waiting,
    Waitlist,
    Wished,
)
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class AllocationCalls:
    """The operations of allocation."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def scale_back(
        self, investment: str, body: Cut, *, if_match: ETag, idempotency_key: str | None = None
    ) -> CutBack:
        """Cut one investment to fewer units, on the version that was seen; the excess goes back."""
        return self._transport.record(
            CutBack,
            OPERATIONS["scale_back"],
            Call(
                path={"investment": investment}, body=body, if_match=if_match, idempotency_key=idempotency_key
            ),
        )

    def name_allocation_policy(
        self, offer: str, body: Policy, *, idempotency_key: str | None = None
    ) -> PolicyNamed:
        """Name how an offer shares out its units, before its first order."""
        return self._transport.record(
            PolicyNamed,
            OPERATIONS["name_allocation_policy"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def list_allotments(self, offer: str) -> Allotments:
        """List the decided lists of an offer, line by line."""
        return self._transport.record(Allotments, OPERATIONS["list_allotments"], Call(path={"offer": offer}))

    def decide_allotment(
        self, offer: str, body: NewAllotment, *, if_match: ETag, idempotency_key: str | None = None
    ) -> AllotmentDecided:
        """Decide the list that a dry run showed; cut orders are refunded and sign again."""
        return self._transport.record(
            AllotmentDecided,
            OPERATIONS["decide_allotment"],
            Call(path={"offer": offer}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )

    def dry_run_allotment(self, offer: str, body: Wished | None = None) -> AllotmentDryRun:
        """Say who would get how many units and why; writes nothing.

        The ETag stands for this book: a decision that names it is refused once the book has changed.
        """
        return self._transport.record(
            AllotmentDryRun, OPERATIONS["dry_run_allotment"], Call(path={"offer": offer}, body=body)
        )

    def get_units(self, offer: str) -> Units:
        """Say how many units of an offer are reserved, allocated and free; the three sum to its units."""
        return self._transport.record(Units, OPERATIONS["get_units"], Call(path={"offer": offer}))

    def list_waitlist(self, offer: str) -> Waitlist:
        """List who waits or waited for units, in order."""
        return self._transport.record(Waitlist, OPERATIONS["list_waitlist"], Call(path={"offer": offer}))

    def join_waitlist(self, offer: str, body: Waiting, *, idempotency_key: str | None = None) -> Queued:
        """Wait for units that come free; nothing is due until then."""
        return self._transport.record(
            Queued,
            OPERATIONS["join_waitlist"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def leave_waitlist(self, offer: str, entry: str, *, idempotency_key: str | None = None) -> Queued:
        """Leave the waitlist."""
        return self._transport.record(
            Queued,
            OPERATIONS["leave_waitlist"],
            Call(path={"offer": offer, "entry": entry}, idempotency_key=idempotency_key),
        )
