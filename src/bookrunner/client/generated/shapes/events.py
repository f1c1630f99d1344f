# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: events."""

from __future__ import annotations

from pydantic import JsonValue

from bookrunner.client.records import Record


class Event(Record):
    """One change of state: who made it, why, when it happened and when it was recorded."""

    actor: str
    caused_by: str | None
    hash: str
    keeper: str
    kind: str
    occurred_at: str
    payload: dict[str, JsonValue]
    recorded_at: str
    request: str
    scope: str
    seq: int
    subject: str
    version: int


class Events(Record):
    """Events in the one order of the feed; `next` is what to send as `after`."""

    events: list[Event]
    next: int
