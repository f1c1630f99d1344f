# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: institutions."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, JsonValue

from bookrunner.client.records import Exact, Record, Sent


class AllocationMove(Sent):
    """What a person of ours decides on a request: to take it up for review, or to cancel it for a
    reason.
    """

    status: Literal["under_internal_review", "cancelled"]
    because: str | None = None


class EscrowOpened(Record):
    """An allocation whose escrow is open, and by when it settles."""

    id: str
    investment: str
    offer: str
    settlement_due_at: str
    status: str
    version: str


class InstitutionalAllocation(Record):
    """What an institution asks for, and how far it has come."""

    amount: Exact
    cancelled_by: str | None
    entity: str
    id: str
    intake: str | None
    investment: str | None
    is_overdue: bool
    reviewed_by: str | None
    settlement_due_at: str | None
    status: str
    tranche: str
    version: str


class InstitutionalAllocations(Record):
    """Requests in the order in which they came."""

    institutional_allocations: list[InstitutionalAllocation]


class Score(Record):
    """What a model advised, from which facts; rules alone decide."""

    facts_used: JsonValue
    inputs_sha256: str
    model: str
    parts: JsonValue
    prompt_version: str
    reasons: JsonValue
    score: int
    scored_at: str
    tier: str | None


class Intake(Record):
    """A request of an institution, how it was scored, and the rule that it failed, if any."""

    allocation: str | None
    amount: Exact
    asked_at: str
    entity: str
    failed_rule: str | None
    id: str
    offer: str
    rules_met: JsonValue
    score: Score | None
    status: str
    tranche: str
    version: str


class NewEscrow(Sent):
    """Which allocation, the entity's confirmed investment in it, and by when its money settles."""

    allocation: str
    investment: str
    offer: str
    settlement_due_at: AwareDatetime


class NewInstitutional(Sent):
    """What an institution asks for: an amount of one tranche."""

    amount: Exact
    entity: str
    tranche: str


class NewIntake(Sent):
    """What an institution asks for, and what it says of itself; never who it is."""

    amount: Exact
    offer: str
    tranche: str
    statement: str | None = None
