# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: endpoints."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from bookrunner.client.records import Record, Sent


class Attempt(Record):
    """One try: when, how long, what came of it, and the SHA-256 of the answer."""

    answer_sha256: str | None
    attempt: int
    duration_ms: int
    outcome: str
    started_at: str
    status_code: int | None


class Delivery(Record):
    """One message: its id is the `webhook-id`; `attempts` has its last try, or every one."""

    attempts: list[Attempt]
    created_at: str
    due_at: str | None
    id: str
    kind: str
    scope: str
    sequence: int | None
    status: str
    subject: str
    tries: int
    version: int


class Deliveries(Record):
    """Messages, the newest first; `next` continues the list as `before`, null at its end."""

    deliveries: list[Delivery]
    next: int | None


class Disablement(Sent):
    """Why nothing is sent any more."""

    because: str


class SecretStanding(Record):
    """A secret without itself: next, active or retiring, until when, and when it signed last."""

    id: str
    last_used_at: str | None
    made_by: str
    public_key: str
    state: str
    valid_from: str
    valid_until: str | None


class Endpoint(Record):
    """An endpoint: what it hears of, how far it was told, what waits and what is parked."""

    disabled_because: str | None
    failing_since: str | None
    form: str
    held_by: str
    id: str
    issuer: str | None
    kinds: list[str]
    offers: list[str]
    parked: int
    registered_at: str
    registered_by: str
    secrets: list[SecretStanding]
    status: str
    told_until: int
    url: str
    version: str
    waiting: int


class Endpoints(Record):
    """Endpoints by id; `next` continues the list, null at its end."""

    endpoints: list[Endpoint]
    next: str | None


class NewEndpoint(Sent):
    """Where to send, and what: no kinds and no offers mean all that the key may hear of.

    `after` is a place in the feed to begin behind, its end when it is not given.
    """

    url: str
    after: int | None = None
    form: Literal["thin", "cloudevents"] | None = None
    kinds: list[str] | None = None
    offers: list[str] | None = None


class Registered(Record):
    """A new endpoint; `secret` is told this once, and null in the answer of a repetition."""

    id: str
    public_key: str | None
    secret: str | None
    status: str
    version: str


class Resent(Record):
    """How many messages go out again."""

    id: str
    sent: int
    status: str
    version: str


class Rotation(Sent):
    """When the new secret begins to sign, now when it is not said, and how long the earlier ones go on."""

    overlap_hours: int | None = None
    starts_at: AwareDatetime | None = None


class Span(Sent):
    """A part of the feed, both ends with it, of at most a thousand events."""

    first: int
    last: int


class Switched(Record):
    """An endpoint after an act."""

    id: str
    status: str
    version: str


class Tested(Record):
    """A test that waits to be sent."""

    endpoint: str
    id: str
    status: str
    version: str
