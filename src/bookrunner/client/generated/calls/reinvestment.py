# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: reinvestment."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.reinvestment import (
    ElectionGiven,
    Elections,
    NewElection,
    NewPlan,
    PlanActed,
    PlanDecision,
    Plans,
    ReinvestedRun,
)
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class ReinvestmentCalls:
    """The operations of reinvestment."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get_reinvestment(self, offer: str, distribution: str) -> ReinvestedRun:
        """Return what a distribution reinvests of each holder with an election, or why it pays it in cash."""
        return self._transport.record(
            ReinvestedRun,
            OPERATIONS["get_reinvestment"],
            Call(path={"offer": offer, "distribution": distribution}),
        )

    def list_reinvestment_elections(self, offer: str) -> Elections:
        """List what each holder elected last, with the first record date that it counts for."""
        return self._transport.record(
            Elections, OPERATIONS["list_reinvestment_elections"], Call(path={"offer": offer})
        )

    def elect_reinvestment(
        self, offer: str, body: NewElection, *, idempotency_key: str | None = None
    ) -> ElectionGiven:
        """Record what part of its distributions a holder wants in units; it counts from its moment on.

        Refuses `election_for_another_names_its_paper`, `election_is_of_a_holder`,
        `election_is_under_a_plan_in_force` and `election_is_kept_when_it_is_given`. Whoever records it for
        somebody else neither drafts nor approves a distribution that counts it.
        """
        return self._transport.record(
            ElectionGiven,
            OPERATIONS["elect_reinvestment"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def list_reinvestment_plans(self, offer: str) -> Plans:
        """List the plans of an offer, the newest first, with the units that are promised and issued."""
        return self._transport.record(
            Plans, OPERATIONS["list_reinvestment_plans"], Call(path={"offer": offer})
        )

    def propose_reinvestment_plan(
        self, offer: str, body: NewPlan, *, idempotency_key: str | None = None
    ) -> PlanActed:
        """Propose a plan on the issuer's authority; another person puts it in force.

        Refuses `one_plan_is_proposed` and `plan_price_is_in_the_currency_of_the_offer`.
        """
        return self._transport.record(
            PlanActed,
            OPERATIONS["propose_reinvestment_plan"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def decide_reinvestment_plan(
        self, offer: str, plan: str, body: PlanDecision, *, if_match: ETag, idempotency_key: str | None = None
    ) -> PlanActed:
        """Put a plan in force or decline it as another person, ask for its end, or decide that as another.

        Refuses `plan_needs_two_people`, `plan_begins_after_its_cut_off`, `plan_is_of_a_class_with_a_token`,
        `plan_is_of_the_units_as_proposed`, `end_of_a_plan_is_proposed_first` and
        `plan_is_ended_by_two_people`.
        """
        return self._transport.record(
            PlanActed,
            OPERATIONS["decide_reinvestment_plan"],
            Call(
                path={"offer": offer, "plan": plan},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )
