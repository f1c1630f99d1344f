"""What calls about webhooks say and answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from bookrunner.api.shapes import Because, OfferId, Shape
from bookrunner.api.shapes.moments import Moment

EndpointId = Annotated[str, StringConstraints(pattern="^whe_[0-9A-Za-z_]{1,64}$")]
DeliveryId = Annotated[str, StringConstraints(pattern="^whd_[0-9A-Za-z_]{1,64}$")]
KindName = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,59}\\.[a-z][a-z0-9_]{0,59}$")]
Place = Annotated[int, Field(ge=0, le=2**53)]
State = Literal["waiting", "delivered", "parked"]
SPAN = 1000


class NewEndpoint(Shape):
    """Where to send, and what: no kinds and no offers mean all that the key may hear of.

    ``after`` is a place in the feed to begin behind, its end when it is not given.
    """

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    kinds: Annotated[tuple[KindName, ...], Field(max_length=500, strict=False)] = ()
    offers: Annotated[tuple[OfferId, ...], Field(max_length=500, strict=False)] = ()
    form: Literal["thin", "cloudevents"] = "thin"
    after: Place | None = None


class Rotation(Shape):
    """When the new secret begins to sign, now when it is not said, and how long the earlier ones go on."""

    starts_at: Moment | None = None
    overlap_hours: Annotated[int, Field(ge=0, le=336)] = 48


class Disablement(Shape):
    """Why nothing is sent any more."""

    because: Because


class Span(Shape):
    """A part of the feed, both ends with it, of at most a thousand events."""

    first: Annotated[int, Field(ge=1, le=2**53)]
    last: Annotated[int, Field(ge=1, le=2**53)]


class Registered(TypedDict):
    """A new endpoint; ``secret`` is told this once, and null in the answer of a repetition."""

    id: str
    status: str
    secret: str | None
    public_key: str | None
    version: str


class Switched(TypedDict):
    """An endpoint after an act."""

    id: str
    status: str
    version: str


class Tested(TypedDict):
    """A test that waits to be sent."""

    id: str
    endpoint: str
    status: str
    version: str


class Resent(TypedDict):
    """How many messages go out again."""

    id: str
    status: str
    sent: int
    version: str


class SecretStanding(TypedDict):
    """A secret without itself: next, active or retiring, until when, and when it signed last."""

    id: str
    state: str
    public_key: str
    made_by: str
    valid_from: str
    valid_until: str | None
    last_used_at: str | None


class Endpoint(TypedDict):
    """An endpoint: what it hears of, how far it was told, what waits and what is parked."""

    id: str
    status: str
    url: str
    kinds: list[str]
    offers: list[str]
    form: str
    issuer: str | None
    registered_by: str
    held_by: str
    registered_at: str
    disabled_because: str | None
    failing_since: str | None
    told_until: int
    waiting: int
    parked: int
    secrets: list[SecretStanding]
    version: str


class Endpoints(TypedDict):
    """Endpoints by id; ``next`` continues the list, null at its end."""

    endpoints: list[Endpoint]
    next: str | None


class Attempt(TypedDict):
    """One try: when, how long, what came of it, and the SHA-256 of the answer."""

    attempt: int
    started_at: str
    duration_ms: int
    outcome: str
    status_code: int | None
    answer_sha256: str | None


class Delivery(TypedDict):
    """One message: its id is the ``webhook-id``; ``attempts`` has its last try, or every one."""

    id: str
    sequence: int | None
    kind: str
    scope: str
    subject: str
    version: int
    status: str
    tries: int
    due_at: str | None
    created_at: str
    attempts: list[Attempt]


class Deliveries(TypedDict):
    """Messages, the newest first; ``next`` continues the list as ``before``, null at its end."""

    deliveries: list[Delivery]
    next: int | None
