# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: statements."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.shared import InvestmentActed
from bookrunner.client.generated.shapes.statements import AcceptedStatement, Contradictions, Withdrawn
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class StatementsCalls:
    """The operations of statements."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def accept_statement(
        self, investment: str, body: AcceptedStatement, *, idempotency_key: str | None = None
    ) -> InvestmentActed:
        """Let a statement stand beside a fact of the record, for a reason, under the programme in force."""
        return self._transport.record(
            InvestmentActed,
            OPERATIONS["accept_statement"],
            Call(path={"investment": investment}, body=body, idempotency_key=idempotency_key),
        )

    def withdraw_acceptance(
        self,
        investment: str,
        acceptance: str,
        body: Withdrawn,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> InvestmentActed:
        """Let the contradiction stand again, on the version that was seen."""
        return self._transport.record(
            InvestmentActed,
            OPERATIONS["withdraw_acceptance"],
            Call(
                path={"investment": investment, "acceptance": acceptance},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def list_contradictions(self, investment: str) -> Contradictions:
        """List the statements of an investor that the record contradicts and nobody has accepted.

        Compliance is told the programme too, under which it decides on them.
        """
        return self._transport.record(
            Contradictions, OPERATIONS["list_contradictions"], Call(path={"investment": investment})
        )
