"""Live hints: a stream that says only that something changed, never what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from bookrunner.db import Database, load
from bookrunner.pages.shell.routing import Router

POLL_SECONDS = 0.5
KEEP_ALIVE_SECONDS = 15.0
EVENT = "offer-changed"


class Followed(Protocol):
    """What a stream follows: how far each topic has come, and whether the server stops."""

    @property
    def closing(self) -> bool:
        """Whether every stream ends now."""
        ...

    def reached(self, topic: str, /) -> int:
        """Return the feed sequence that a topic has reached."""
        ...


@dataclass(slots=True)
class Hints:
    """The latest feed sequence of each offer, read at most twice a second however many pages are open.

    ``closing`` ends every stream, so that a server can stop.
    """

    database: Database
    closing: bool = False
    _known: dict[str, tuple[int, float]] = field(default_factory=dict)

    def reached(self, offering: str) -> int:
        """Return the feed sequence that this offer has reached; 0 before its first published event."""
        known, read_at = self._known.get(offering, (0, 0.0))
        if read_at and time.monotonic() - read_at < POLL_SECONDS:
            return known
        with self.database.transaction("engine") as transaction:
            found = int(load("bookrunner.pages").reached(transaction, offering=offering, after=known))
        self._known[offering] = (found, time.monotonic())
        return found


async def stream(hints: Followed, topic: str) -> AsyncIterator[str]:
    """Yield the sequence at once, then at each change; a comment keeps the line open in between."""
    sent: int | None = None
    spoke_at = 0.0
    while not hints.closing:
        reached = await run_in_threadpool(hints.reached, topic)
        if reached != sent:
            yield f"id: {reached}\nevent: {EVENT}\ndata: {reached}\n\n"
            sent, spoke_at = reached, time.monotonic()
        elif time.monotonic() - spoke_at > KEEP_ALIVE_SECONDS:
            yield ": still here\n\n"
            spoke_at = time.monotonic()
        await asyncio.sleep(POLL_SECONDS)


def streaming(hints: Followed, topic: str) -> StreamingResponse:
    """Return the answer that streams the hints of a topic."""
    return StreamingResponse(
        stream(hints, topic),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def routes(hints: Hints) -> Router:
    """Return the route of the stream: ``GET /live/{offering}``."""
    router = Router()

    @router.get("/live/{offering}")
    async def live(offering: str) -> StreamingResponse:
        # What cannot be followed is refused while the answer still has a status.
        await run_in_threadpool(hints.reached, offering)
        return streaming(hints, offering)

    return router
