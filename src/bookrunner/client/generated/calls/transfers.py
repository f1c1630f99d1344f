# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: transfers."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.transfers import (
    Approval,
    MorePapers,
    NewTransfer,
    Refusal,
    Transfer,
    TransferActed,
    TransferRefusals,
    Transfers,
)
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class TransfersCalls:
    """The operations of transfers."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def why_not_transfer(self, offer: str, *, seller: str, buyer: str, units: str) -> TransferRefusals:
        """Return every rule that keeps these units from going now; none means that they may.

        A key of the portal is told what its holder's own side lacks, and never that the units may go.
        """
        return self._transport.record(
            TransferRefusals,
            OPERATIONS["why_not_transfer"],
            Call(path={"offer": offer}, query={"seller": seller, "buyer": buyer, "units": units}),
        )

    def list_transfers(self, offer: str, *, investor: str | None = None) -> Transfers:
        """List the requests of an offer, or of one holder, those that wait first."""
        return self._transport.record(
            Transfers, OPERATIONS["list_transfers"], Call(path={"offer": offer}, query={"investor": investor})
        )

    def request_transfer(
        self, offer: str, body: NewTransfer, *, idempotency_key: str | None = None
    ) -> TransferActed:
        """Take a request of a holder with its papers; its clock runs from its receipt."""
        return self._transport.record(
            TransferActed,
            OPERATIONS["request_transfer"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def read_transfer(self, offer: str, transfer: str, *, investor: str | None = None) -> Transfer:
        """Return one request with its papers, what is missing and its clock; of the holder that is named."""
        return self._transport.record(
            Transfer,
            OPERATIONS["read_transfer"],
            Call(path={"offer": offer, "transfer": transfer}, query={"investor": investor}),
        )

    def approve_transfer(
        self, offer: str, transfer: str, body: Approval, *, if_match: ETag, idempotency_key: str | None = None
    ) -> TransferActed:
        """Approve a screened request for the wallets that are linked now; whoever asked does not."""
        return self._transport.record(
            TransferActed,
            OPERATIONS["approve_transfer"],
            Call(
                path={"offer": offer, "transfer": transfer},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def present_transfer_papers(
        self,
        offer: str,
        transfer: str,
        body: MorePapers,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> TransferActed:
        """Add papers to a request, or present a returned one again; on the version that was seen."""
        return self._transport.record(
            TransferActed,
            OPERATIONS["present_transfer_papers"],
            Call(
                path={"offer": offer, "transfer": transfer},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def refuse_transfer(
        self, offer: str, transfer: str, body: Refusal, *, if_match: ETag, idempotency_key: str | None = None
    ) -> TransferActed:
        """Send a request back with what it lacks, reject it, or withdraw it for its holder.

        A key of the portal withdraws alone.
        """
        return self._transport.record(
            TransferActed,
            OPERATIONS["refuse_transfer"],
            Call(
                path={"offer": offer, "transfer": transfer},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )
