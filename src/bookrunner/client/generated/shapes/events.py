# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: events."""

from __future__ import annotations

from pydantic import JsonValue

from bookrunner.client.records import Record


class Anchor(Record):
    """A root that a final block of a chain holds."""

    anchored_at: str
    block: int | None
    chain: int
    root: str
    seal: int
    sealed_at: str
    transaction: str


class AnchoredPlace(Record):
    """Where an event is in the feed, its seal, and the first anchored seal that covers it, if any."""

    anchored_by: int | None
    chain: int | None
    scope: str
    seal: int | None
    seq: int
    transaction: str | None


class Anchored(Record):
    """What covers an event, once for each scope that has one of this name."""

    places: list[AnchoredPlace]


class WaitingAnchor(Record):
    """A root on its way to a chain."""

    attempts: int
    chain: int
    seal: int
    signed_at: str
    status: str
    transaction: str


class Anchors(Record):
    """Anchors, the newest first; the data of each transaction is the mark and the root."""

    anchors: list[Anchor]
    cadence: str | None
    due_at: str | None
    mark: str
    waiting: list[WaitingAnchor]


class Change(Record):
    """What a field said before a change and after it; null where it said nothing."""

    after: JsonValue
    before: JsonValue


class Event(Record):
    """One change of state: who made it, why, when it happened and when it was recorded.

    There is no payload where the text of the event is damaged.
    """

    actor: str
    caused_by: str | None
    hash: str
    keeper: str
    kind: str
    occurred_at: str
    payload: dict[str, JsonValue] | None
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


class RecordVersion(Record):
    """One version of a record: who made it, why, when it happened and when it was recorded."""

    actor: str
    caused_by: str | None
    changed: dict[str, Change]
    hash: str
    keeper: str
    kind: str
    occurred_at: str
    recorded_at: str
    request: str
    version: int


class Recorded(Record):
    """A record at a version, and every version of it; `withheld` names what its events leave out."""

    fields: dict[str, JsonValue]
    id: str
    late: list[int]
    machine: str
    scope: str
    version: int
    versions: list[RecordVersion]
    withheld: list[str]
