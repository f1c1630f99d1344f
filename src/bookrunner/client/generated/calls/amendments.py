# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: amendments."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.amendments import (
    AmendmentActed,
    AmendmentDecision,
    Amendments,
    Answer,
    NewAmendment,
    Reconfirmations,
)
from bookrunner.client.generated.shapes.shared import InvestmentActed
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class AmendmentsCalls:
    """The operations of amendments."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_reconfirmations(self, investment: str) -> Reconfirmations:
        """List what an investor was asked after material changes, until when, with the answers."""
        return self._transport.record(
            Reconfirmations, OPERATIONS["list_reconfirmations"], Call(path={"investment": investment})
        )

    def answer_reconfirmation(
        self, investment: str, reconfirmation: str, body: Answer, *, idempotency_key: str | None = None
    ) -> InvestmentActed:
        """Answer a material change inside its window."""
        return self._transport.record(
            InvestmentActed,
            OPERATIONS["answer_reconfirmation"],
            Call(
                path={"investment": investment, "reconfirmation": reconfirmation},
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def list_amendments(self, offer: str) -> Amendments:
        """List the amendments of an offer by number, with how the investors have answered."""
        return self._transport.record(Amendments, OPERATIONS["list_amendments"], Call(path={"offer": offer}))

    def propose_amendment(
        self, offer: str, body: NewAmendment, *, idempotency_key: str | None = None
    ) -> AmendmentActed:
        """Propose an amendment; a second key decides it."""
        return self._transport.record(
            AmendmentActed,
            OPERATIONS["propose_amendment"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def decide_amendment(
        self,
        offer: str,
        amendment: str,
        body: AmendmentDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> AmendmentActed:
        """Announce a material change, record another one, or decline it, on the version that was seen."""
        return self._transport.record(
            AmendmentActed,
            OPERATIONS["decide_amendment"],
            Call(
                path={"offer": offer, "amendment": amendment},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )
