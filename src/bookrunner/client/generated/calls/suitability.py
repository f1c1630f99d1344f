# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: suitability."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.suitability import (
    Limit,
    NewQuestionnaire,
    Questionnaire,
    QuestionnairePublished,
    Suitability,
    SuitabilityAnswered,
)
from bookrunner.client.transport import Call, Transport


class SuitabilityCalls:
    """The operations of suitability."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def show_limit(self, offer: str, *, investor: str) -> Limit:
        """Return what an investor may commit: the limit, used of it, remaining; null for no limit.

        Over all crowdfunding offers of twelve months (17 CFR 227.100(a)(2)); refused where nothing is
        stated of income and net worth.
        """
        return self._transport.record(
            Limit, OPERATIONS["show_limit"], Call(path={"offer": offer}, query={"investor": investor})
        )

    def show_questionnaire(self, offer: str) -> Questionnaire:
        """Return the questions in force in their order, each with what it is asked after."""
        return self._transport.record(
            Questionnaire, OPERATIONS["show_questionnaire"], Call(path={"offer": offer})
        )

    def publish_questionnaire(
        self, offer: str, body: NewQuestionnaire, *, idempotency_key: str | None = None
    ) -> QuestionnairePublished:
        """Publish the next version; answers to an earlier one no longer count."""
        return self._transport.record(
            QuestionnairePublished,
            OPERATIONS["publish_questionnaire"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def answer_suitability(
        self, offer: str, body: Suitability, *, idempotency_key: str | None = None
    ) -> SuitabilityAnswered:
        """Answer the questions in force for an investor; what is missing or not asked is named."""
        return self._transport.record(
            SuitabilityAnswered,
            OPERATIONS["answer_suitability"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )
