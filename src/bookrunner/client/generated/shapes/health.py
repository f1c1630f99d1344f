# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: health."""

from __future__ import annotations

from bookrunner.client.records import Record


class Alive(Record):
    """The process answers."""

    status: str


class Ready(Record):
    """The database answers; how many events wait for the feed, and since when the oldest."""

    events_waiting: int
    oldest_since: str | None
    status: str


class Release(Record):
    """The release that answers."""

    version: str
