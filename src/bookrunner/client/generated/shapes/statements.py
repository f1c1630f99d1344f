# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: statements."""

from __future__ import annotations

from bookrunner.client.records import Record, Sent


class AcceptedStatement(Sent):
    """A statement that may stand beside a fact of the compliance record, why, and under which
    programme.
    """

    because: str
    fact: str
    programme: str
    statement: str


class Contradiction(Record):
    """A statement of an investor, and the fact of the record that contradicts it."""

    code: str
    fact: str
    investor_id: str
    kind: str
    offering_id: str
    sentence: str


class Contradictions(Record):
    """Contradictions that nobody has accepted; compliance is told the programme too."""

    contradictions: list[Contradiction]
    programme: str | None = None


class Withdrawn(Sent):
    """Why an acceptance ends, and under which programme."""

    because: str
    programme: str
