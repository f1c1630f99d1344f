# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: events."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import AwareDatetime

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.events import Anchored, Anchors, Event, Events, Recorded
from bookrunner.client.transport import Call, Transport, every


class EventsCalls:
    """The operations of events."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_anchors(self) -> Anchors:
        """List the anchors, the newest first, what is on its way, and when the next one is due.

        The data of each transaction is the mark followed by the root of its seal.
        """
        return self._transport.record(Anchors, OPERATIONS["list_anchors"], Call())

    def show_anchor(self, record: str, *, version: int, scope: str | None = None) -> Anchored:
        """Return the seal of an event and the first anchored seal that covers it, for each of its scopes."""
        return self._transport.record(
            Anchored,
            OPERATIONS["show_anchor"],
            Call(path={"record": record}, query={"version": version, "scope": scope}),
        )

    def list_events(self, *, after: int | None = None, limit: int | None = None) -> Events:
        """Return the events after a sequence number; `next` is what to send as `after` next time.

        Numbers are given after the commit and have no gap: who has read up to a number has missed nothing.
        """
        return self._transport.record(
            Events, OPERATIONS["list_events"], Call(query={"after": after, "limit": limit})
        )

    def each_of_events(self, *, after: int | None = None, limit: int | None = None) -> Iterator[Event]:
        """Yield every record of :meth:`list_events`, page by page."""

        def page(at: int | None) -> tuple[list[Event], int | None]:
            found = self.list_events(after=at or after, limit=limit)
            return found.events, found.next

        return every(page)

    def read_record(
        self,
        record: str,
        *,
        scope: str | None = None,
        at: AwareDatetime | None = None,
        version: int | None = None,
    ) -> Recorded:
        """Return a record as the books had it at a moment, or one of its versions, and every change of it.

        Without either it is as it stands now. `late` are versions that had happened by then and were
        recorded later. What events leave out is named in `withheld` and shown by a look that is on record.
        """
        return self._transport.record(
            Recorded,
            OPERATIONS["read_record"],
            Call(path={"record": record}, query={"scope": scope, "at": at, "version": version}),
        )
