"""Server-sent events: a hint for each event of the feed. One reader serves every stream that is open."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from bookrunner.api.caller import Called
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.core.credentials import KEEPERS
from bookrunner.core.log import place_of, warn
from bookrunner.db import Row, Within

POLL_SECONDS: Final = 0.5
KEEP_ALIVE_SECONDS: Final = 15.0
LIFE_SECONDS: Final = 900.0
KEYS_SECONDS: Final = 1.0
AT_ONCE: Final = 500
KEPT: Final = 2000
_Last = Annotated[str | None, Header(pattern="^[0-9]{1,18}$")]
_After = Annotated[int | None, Query(ge=0, le=2**62)]


class Reader:
    """Reads the feed on, while a stream is open, and wakes all of them; ``closing`` ends every stream.

    The newest events are kept in memory, so that a stream that follows asks the database for nothing. Which
    keys are in force is asked for all streams together: behind each part of the feed, and once a second.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.closing = False
        self._gateway = gateway
        self._kept: deque[Row] = deque(maxlen=KEPT)
        self._end = 0
        self._open: Counter[bytes] = Counter()
        self._ended: AbstractSet[bytes] = frozenset()
        self._asked_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Condition()
        self._starting = asyncio.Lock()

    async def place(self, after: int | None) -> int:
        """Return where a stream begins: a place of the feed, its end when none is given.

        It is known before the answer begins: whatever happens after that is told.
        """
        async with self._starting:
            end = self._end if self._task is not None else await self._end_of_feed()
        return end if after is None else min(after, end)

    async def follow(self, place: int, key: bytes) -> AsyncIterator[str]:
        """Yield a hint for each event behind a place.

        ``key`` is the digest of the key or token that follows; the stream ends with it.
        """
        self._open[key] += 1
        # It was admitted a moment ago: it may be in force again since the reader looked.
        self._ended -= {key}
        try:
            await self._start()
            yield f"retry: 2000\nid: {place}\n\n"
            ends = asyncio.get_running_loop().time() + LIFE_SECONDS
            while self._serves(key) and asyncio.get_running_loop().time() < ends:
                await self._wait(place, key)
                rows, place = await self._behind(place, key)
                for row in rows:
                    yield _hint(row)
                if not rows and self._serves(key):
                    yield ": still here\n\n"
        except Exception as fault:  # noqa: BLE001 - the edge of a request that has its answer already
            # Who follows opens it again, and goes on where it was.
            warn("a stream of events ends", kind=type(fault).__name__)
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    def _serves(self, key: bytes) -> bool:
        return not self.closing and self._task is not None and key not in self._ended

    async def _behind(self, place: int, key: bytes) -> tuple[Sequence[Row], int]:
        """Return the next events behind a place, and the place that they lead to.

        They come from memory where they are kept, else from the database.
        """
        end = self._end
        if place >= end or not self._serves(key):
            return [], place
        if self._kept and place >= self._kept[0]["seq"] - 1:
            return [row for row in self._kept if row["seq"] > place], end
        rows, ended = await self._read(place, frozenset({key}))
        if ended:
            self._ended |= ended
            return [], place
        # Fewer than a whole part: what is left up to the end is told to nobody.
        return rows, rows[-1]["seq"] if len(rows) == AT_ONCE else max(end, rows[-1]["seq"] if rows else end)

    async def _wait(self, place: int, key: bytes) -> None:
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS), self._moved:
                await self._moved.wait_for(lambda: not self._serves(key) or self._end > place)
        except TimeoutError:
            return

    async def _read_on(self) -> None:
        try:
            while self._open and not self.closing:
                try:
                    await self._step()
                except Exception as fault:  # noqa: BLE001 - the edge of a step: the reader goes on
                    warn("the stream of events waits", kind=type(fault).__name__, place=place_of(fault))
                await asyncio.sleep(POLL_SECONDS)
        finally:
            # Whatever ended it: streams end too, and the next one starts another reader.
            self._task = None
            async with self._moved:
                self._moved.notify_all()

    async def _step(self) -> None:
        """Read the next part of the feed and which keys have ended, and wake the streams for either."""
        followed = frozenset(self._open)
        now = asyncio.get_running_loop().time()
        is_due = now - self._asked_at >= KEYS_SECONDS
        rows, ended = await self._read(self._end, followed, always=is_due)
        if rows or is_due:
            self._asked_at, self._ended = now, ended
        if rows:
            self._kept.extend(rows)
            self._end = rows[-1]["seq"]
        if rows or ended:
            async with self._moved:
                self._moved.notify_all()

    async def _start(self) -> None:
        """Have one task read on from the end of the feed, whoever comes first."""
        async with self._starting:
            if self._task is None:
                self._end = await self._end_of_feed()
                self._kept.clear()
                self._task = asyncio.create_task(self._read_on())

    async def _end_of_feed(self) -> int:
        return int(await self._gateway.read_for("engine", lambda of: of.end_of_feed()))

    async def _read(
        self, place: int, followed: AbstractSet[bytes], *, always: bool = True
    ) -> tuple[Sequence[Row], AbstractSet[bytes]]:
        """Return the events behind a place, and the keys of ``followed`` that had ended when they were read.

        Without events keys are asked for only when ``always`` says so.
        """

        def work(of: Within) -> tuple[Sequence[Row], AbstractSet[bytes]]:
            rows: Sequence[Row] = of.hints(after=place, most=AT_ONCE)
            if not rows and not always:
                return rows, frozenset()
            standing = {bytes(row["digest"]) for row in of.keys_in_force(keys=list(followed))}
            return rows, followed - standing

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
        place = await reader.place(after if last_event_id is None else int(last_event_id))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        hints = reader.follow(place, caller.key_sha256)
        return StreamingResponse(hints, media_type="text/event-stream", headers=headers)

    return router


def _hint(row: Mapping[str, object]) -> str:
    told = {name: row[name] for name in ("kind", "scope", "subject", "version")}
    return f"id: {row['seq']}\nevent: event\ndata: {json.dumps(told, separators=(',', ':'))}\n\n"
