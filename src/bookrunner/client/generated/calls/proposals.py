# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: proposals."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.proposals import (
    Confirmed,
    Declined,
    NewProposal,
    Proposal,
    Proposals,
    Seen,
)
from bookrunner.client.generated.shapes.shared import OfferActed
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class ProposalsCalls:
    """The operations of proposals."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_proposals(self) -> Proposals:
        """List the proposals for the keeper of the key, the newest first."""
        return self._transport.record(Proposals, OPERATIONS["list_proposals"], Call())

    def propose(self, body: NewProposal, *, idempotency_key: str | None = None) -> OfferActed:
        """Keep a call for a person to confirm; it has no effect before, and none after its time."""
        return self._transport.record(
            OfferActed, OPERATIONS["propose"], Call(body=body, idempotency_key=idempotency_key)
        )

    def get_proposal(self, proposal: str) -> Proposal:
        """Return one proposal, with the call that a confirmation makes."""
        return self._transport.record(Proposal, OPERATIONS["get_proposal"], Call(path={"proposal": proposal}))

    def confirm_proposal(
        self, proposal: str, body: Seen | None = None, *, if_match: ETag, idempotency_key: str | None = None
    ) -> Confirmed:
        """Confirm a proposal and make its call under your own key, once; a refusal of the call is returned.

        Whoever confirmed may do so again when the call was refused, or no answer came.
        """
        return self._transport.record(
            Confirmed,
            OPERATIONS["confirm_proposal"],
            Call(path={"proposal": proposal}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )

    def decline_proposal(
        self, proposal: str, body: Declined, *, if_match: ETag, idempotency_key: str | None = None
    ) -> OfferActed:
        """Decline a proposal; its call is never made."""
        return self._transport.record(
            OfferActed,
            OPERATIONS["decline_proposal"],
            Call(path={"proposal": proposal}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )
