# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: health."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.health import Alive, Ready, Release, Resource
from bookrunner.client.transport import Call, Transport


class HealthCalls:
    """The operations of health."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get_resource_metadata(self) -> Resource:
        """Say which OpenID provider's tokens are taken, and for which scopes (RFC 9728)."""
        return self._transport.record(Resource, OPERATIONS["get_resource_metadata"], Call())

    def is_alive(self) -> Alive:
        """Answer as long as the process does."""
        return self._transport.record(Alive, OPERATIONS["is_alive"], Call())

    def get_metrics(self) -> bytes:
        """Return what an operator watches, in the text that Prometheus reads; for a key of the auditors."""
        return self._transport.content(OPERATIONS["get_metrics"], Call())

    def is_ready(self) -> Ready:
        """Answer when the database does, with waiting events and standing emergencies; else 503."""
        return self._transport.record(Ready, OPERATIONS["is_ready"], Call())

    def get_version(self) -> Release:
        """Return the release."""
        return self._transport.record(Release, OPERATIONS["get_version"], Call())
