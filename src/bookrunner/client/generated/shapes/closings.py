# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: closings."""

from __future__ import annotations

from typing import Literal

from bookrunner.client.generated.shapes.shared import Condition
from bookrunner.client.records import Exact, Record, Sent


class Candidate(Record):
    """Who would be in a closing, and what it lacks."""

    amount: Exact
    investment: str
    missing: list[Condition]
    units: str


class CaseDecision(Sent):
    """What becomes of an investment that a closing left out; counsel's decision names its archived
    file.
    """

    because: str
    status: Literal["to_be_included", "to_be_refunded", "decided_by_counsel"]
    evidence_sha256: str | None = None


class Closing(Record):
    """A closing, with the digests of its set and of its certificate once there is one."""

    certificate_sha256: str | None
    id: str
    offer: str
    ordinal: int
    proposed_by: str
    set_sha256: str | None
    status: str
    version: str


class ClosingCase(Record):
    """An investment that a closing left out for want of a countersignature, and what was decided on it."""

    closing: str
    decided_by: str | None
    evidence_sha256: str | None
    id: str
    investment: str
    opened_at: str
    status: str
    version: str


class ClosingCases(Record):
    """Cases, the oldest first."""

    closing_cases: list[ClosingCase]


class ClosingDryRun(Record):
    """What a closing would take now; a closing names this `version`."""

    candidates: list[Candidate]
    offer: str
    ready: int
    version: str


class ClosingFrozen(Record):
    """A closing after its freeze, with the digest of its set."""

    id: str
    members: int
    offer: str
    ordinal: int
    set_sha256: str
    status: str
    version: str


class Closings(Record):
    """Closings by number."""

    closings: list[Closing]


class NewClosing(Sent):
    """Who is in a closing: all candidates, those that lack nothing, or the named ones."""

    members: Literal["all", "ready"] | list[str]
