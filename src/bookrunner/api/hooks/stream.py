"""Server-sent events: a hint for each event of the feed. One reader serves every stream that is open."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from bookrunner.api.caller import Called
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.core.credentials import KEEPERS
from bookrunner.core.errors import BookrunnerError
from bookrunner.core.log import warn
from bookrunner.db import Row, Within

POLL_SECONDS: Final = 0.5
KEEP_ALIVE_SECONDS: Final = 15.0
LIFE_SECONDS: Final = 900.0
AT_ONCE: Final = 500
KEPT: Final = 2000
_Last = Annotated[str | None, Header(pattern="^[0-9]{1,18}$")]
_After = Annotated[int | None, Query(ge=0, le=2**62)]


class Reader:
    """Reads the feed on, while a stream is open, and wakes all of them; ``closing`` ends every stream.

    The newest events are kept in memory, so that a stream that follows asks the database for nothing.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.closing = False
        self._gateway = gateway
        self._kept: deque[Row] = deque(maxlen=KEPT)
        self._end = 0
        self._open = 0
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Condition()
        self._starting = asyncio.Lock()

    async def follow(self, after: int | None) -> AsyncIterator[str]:
        """Yield a hint for each event behind a place, the end of the feed when none is given."""
        self._open += 1
        try:
            await self._start()
            place = min(self._end if after is None else after, self._end)
            yield f"retry: 2000\nid: {place}\n\n"
            ends = asyncio.get_running_loop().time() + LIFE_SECONDS
            while not self.closing and asyncio.get_running_loop().time() < ends:
                await self._wait(place)
                rows = await self._behind(place)
                for row in rows:
                    place = row["seq"]
                    yield _hint(row)
                if not rows:
                    yield ": still here\n\n"
        except BookrunnerError as fault:
            # Who follows opens it again, and goes on where it was.
            warn("a stream of events ends", kind=type(fault).__name__)
        finally:
            self._open -= 1

    async def _behind(self, place: int) -> Sequence[Row]:
        """Return the next events behind a place: of memory where they are kept, else of the database."""
        if place >= self._end:
            return []
        if self._kept and place >= self._kept[0]["seq"] - 1:
            return [row for row in self._kept if row["seq"] > place]
        return await self._read(place)

    async def _wait(self, place: int) -> None:
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS), self._moved:
                await self._moved.wait_for(lambda: self.closing or self._end > place)
        except TimeoutError:
            return

    async def _read_on(self) -> None:
        while self._open and not self.closing:
            rows: Sequence[Row] = []
            try:
                rows = await self._read(self._end)
            except BookrunnerError as fault:
                warn("the stream of events waits", kind=type(fault).__name__)
            if rows:
                self._kept.extend(rows)
                self._end = rows[-1]["seq"]
                async with self._moved:
                    self._moved.notify_all()
            await asyncio.sleep(POLL_SECONDS)
        self._task = None
        async with self._moved:
            self._moved.notify_all()

    async def _start(self) -> None:
        """Have one task read on from the end of the feed, whoever comes first."""
        async with self._starting:
            if self._task is None:
                found = await self._gateway.read_for("engine", lambda of: of.end_of_feed())
                self._end = int(found)
                self._kept.clear()
                self._task = asyncio.create_task(self._read_on())

    async def _read(self, place: int) -> Sequence[Row]:
        def work(of: Within) -> Sequence[Row]:
            found: Sequence[Row] = of.hints(after=place, most=AT_ONCE)
            return found

        return await self._gateway.read_for("engine", work)


def routes(gateway: Gateway, reader: Reader) -> APIRouter:
    """Return the route of the stream."""
    router = Router(prefix="/v1/events", tags=["events"])
    told = {"text/event-stream": {"schema": {"type": "string"}}}

    @router.get(
        "/stream",
        operation_id="follow_events",
        response_model=None,
        response_class=StreamingResponse,
        responses={
            200: {"description": "Hints, one for each event, until the stream ends.", "content": told}
        },
    )
    async def follow(caller: Called, last_event_id: _Last = None, after: _After = None) -> StreamingResponse:
        """Stream place, kind, scope, subject and version of each event; ``Last-Event-ID`` goes on behind one.

        A hint may come twice and a stream ends by itself: what counts is the feed.
        """
        await gateway.admitted(caller, *KEEPERS)
        place = after if last_event_id is None else int(last_event_id)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(reader.follow(place), media_type="text/event-stream", headers=headers)

    return router


def _hint(row: Mapping[str, object]) -> str:
    told = {name: row[name] for name in ("kind", "scope", "subject", "version")}
    return f"id: {row['seq']}\nevent: event\ndata: {json.dumps(told, separators=(',', ':'))}\n\n"
