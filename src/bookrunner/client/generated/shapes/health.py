# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: health."""

from __future__ import annotations

from bookrunner.client.records import Record


class Alive(Record):
    """The process answers."""

    status: str


class Ready(Record):
    """The database answers; how many events wait for the feed, since when; how many emergencies stand."""

    emergencies: int
    events_waiting: int
    oldest_since: str | None
    status: str


class Release(Record):
    """The release that answers."""

    version: str


class Resource(Record):
    """The API as a resource of an OAuth authorization server (RFC 9728, 2)."""

    authorization_servers: list[str]
    bearer_methods_supported: list[str]
    resource: str
    scopes_supported: list[str]
