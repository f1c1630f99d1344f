# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.endpoints import (
    Deliveries,
    Delivery,
    Disablement,
    Endpoint,
    Endpoints,
    NewEndpoint,
    Registered,
    Resent,
    Rotation,
    Span,
    Switched,
    Tested,
)
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport, every


class EndpointsCalls:
    """The operations of endpoints."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_webhook_endpoints(self, *, after: str | None = None, limit: int | None = None) -> Endpoints:
        """List endpoints by id; `next` continues the list as `after`, and is null at its end."""
        return self._transport.record(
            Endpoints, OPERATIONS["list_webhook_endpoints"], Call(query={"after": after, "limit": limit})
        )

    def each_of_webhook_endpoints(
        self, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Endpoint]:
        """Yield every record of :meth:`list_webhook_endpoints`, page by page."""

        def page(at: str | None) -> tuple[list[Endpoint], str | None]:
            found = self.list_webhook_endpoints(after=at or after, limit=limit)
            return found.endpoints, found.next

        return every(page)

    def register_webhook_endpoint(
        self, body: NewEndpoint, *, idempotency_key: str | None = None
    ) -> Registered:
        """Register an endpoint; its secret is in this answer and never again."""
        return self._transport.record(
            Registered,
            OPERATIONS["register_webhook_endpoint"],
            Call(body=body, idempotency_key=idempotency_key),
        )

    def read_webhook_endpoint(self, endpoint: str) -> Endpoint:
        """Return one endpoint with its secrets' states and public keys."""
        return self._transport.record(
            Endpoint, OPERATIONS["read_webhook_endpoint"], Call(path={"endpoint": endpoint})
        )

    def list_webhook_deliveries(
        self,
        endpoint: str,
        *,
        before: int | None = None,
        status: Literal["waiting", "delivered", "parked"] | None = None,
        limit: int | None = None,
    ) -> Deliveries:
        """List what was sent to an endpoint or waits, the newest first, each with its last try."""
        return self._transport.record(
            Deliveries,
            OPERATIONS["list_webhook_deliveries"],
            Call(path={"endpoint": endpoint}, query={"before": before, "status": status, "limit": limit}),
        )

    def read_webhook_delivery(self, endpoint: str, delivery: str) -> Delivery:
        """Return one message with every try."""
        return self._transport.record(
            Delivery,
            OPERATIONS["read_webhook_delivery"],
            Call(path={"endpoint": endpoint, "delivery": delivery}),
        )

    def resend_webhook_delivery(
        self, endpoint: str, delivery: str, *, idempotency_key: str | None = None
    ) -> Resent:
        """Have one message sent again, under the same id."""
        return self._transport.record(
            Resent,
            OPERATIONS["resend_webhook_delivery"],
            Call(path={"endpoint": endpoint, "delivery": delivery}, idempotency_key=idempotency_key),
        )

    def disable_webhook_endpoint(
        self, endpoint: str, body: Disablement, *, if_match: ETag, idempotency_key: str | None = None
    ) -> Switched:
        """Send nothing to an endpoint any more."""
        return self._transport.record(
            Switched,
            OPERATIONS["disable_webhook_endpoint"],
            Call(path={"endpoint": endpoint}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )

    def enable_webhook_endpoint(
        self, endpoint: str, *, if_match: ETag, idempotency_key: str | None = None
    ) -> Switched:
        """Send to an endpoint again, from the end of the feed on."""
        return self._transport.record(
            Switched,
            OPERATIONS["enable_webhook_endpoint"],
            Call(path={"endpoint": endpoint}, if_match=if_match, idempotency_key=idempotency_key),
        )

    def resend_webhook_deliveries(
        self, endpoint: str, body: Span, *, idempotency_key: str | None = None
    ) -> Resent:
        """Have the messages of a part of the feed sent again, also of events that the endpoint missed."""
        return self._transport.record(
            Resent,
            OPERATIONS["resend_webhook_deliveries"],
            Call(path={"endpoint": endpoint}, body=body, idempotency_key=idempotency_key),
        )

    def rotate_webhook_secret(
        self, endpoint: str, body: Rotation, *, if_match: ETag, idempotency_key: str | None = None
    ) -> Registered:
        """Make a new secret; the earlier ones sign beside it until the overlap is over."""
        return self._transport.record(
            Registered,
            OPERATIONS["rotate_webhook_secret"],
            Call(path={"endpoint": endpoint}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )

    def test_webhook_endpoint(self, endpoint: str, *, idempotency_key: str | None = None) -> Tested:
        """Have a message of no event sent."""
        return self._transport.record(
            Tested,
            OPERATIONS["test_webhook_endpoint"],
            Call(path={"endpoint": endpoint}, idempotency_key=idempotency_key),
        )
