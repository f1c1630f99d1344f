# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: register."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.register import (
    MandateDecision,
    Mandates,
    NewMandate,
    NewRescission,
    Repayment,
    Rescissions,
)
from bookrunner.client.generated.shapes.shared import ServicingActed
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class RegisterCalls:
    """The operations of register."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_payee_mandates(self, offer: str) -> Mandates:
        """List the mandates of payees that wait or are in force, those that wait first."""
        return self._transport.record(
            Mandates, OPERATIONS["list_payee_mandates"], Call(path={"offer": offer})
        )

    def propose_payee_mandate(
        self, offer: str, body: NewMandate, *, idempotency_key: str | None = None
    ) -> ServicingActed:
        """Propose who receives what a holder is paid, and open the payee's screening.

        Refuses `mandate_is_of_a_holder` and `one_mandate_is_proposed`.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["propose_payee_mandate"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def decide_payee_mandate(
        self,
        offer: str,
        mandate: str,
        body: MandateDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ServicingActed:
        """Put a mandate in force or decline it, as a person who is neither holder nor payee."""
        return self._transport.record(
            ServicingActed,
            OPERATIONS["decide_payee_mandate"],
            Call(
                path={"offer": offer, "mandate": mandate},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def list_rescissions(self, offer: str) -> Rescissions:
        """List the transfers that are taken back, those that wait first, with who owes the price."""
        return self._transport.record(
            Rescissions, OPERATIONS["list_rescissions"], Call(path={"offer": offer})
        )

    def ask_rescission(
        self, offer: str, body: NewRescission, *, idempotency_key: str | None = None
    ) -> ServicingActed:
        """Ask that a registered transfer is taken back; its order is decided like any other.

        Refuses `rescinded_units_are_with_the_taker` and a transfer that is not registered.
        """
        return self._transport.record(
            ServicingActed,
            OPERATIONS["ask_rescission"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def record_repayment(
        self,
        offer: str,
        rescission: str,
        body: Repayment,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ServicingActed:
        """Record that the price of a transfer that was taken back was paid back, on evidence."""
        return self._transport.record(
            ServicingActed,
            OPERATIONS["record_repayment"],
            Call(
                path={"offer": offer, "rescission": rescission},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )
