"""Connections that an event loop drives by itself: one statement, one transaction, one round trip."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from functools import cache

import psycopg
from psycopg import errors, pq

from bookrunner.db.endpoint import Endpoint
from bookrunner.db.pools import connection_options
from bookrunner.db.refusals import DatabaseUnavailable, translate

Value = str | int | bytes | list[str] | None
TextRow = Mapping[str, str]

_NAMED = re.compile(r"%\((\w+)\)s|%%")


class Lanes:
    """A few connections of one login on the running event loop, opened as they are needed.

    A thread of its own costs a request more than the statement's bytes do; here a statement is sent and its
    answer read where the request is served. Belongs to the loop of its first use.
    """

    def __init__(self, endpoint: Endpoint, login: str, most: int = 8) -> None:
        self._endpoint = endpoint
        self._login = login
        self._left = most
        self._free: deque[_Lane] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def run(self, name: str, sql: str, arguments: Mapping[str, Value]) -> TextRow:
        """Run one statement with ``%(name)s`` parameters and return its one row, each column as text.

        The statement is carried to its end even when the caller goes away. Errors come out as those of
        ``Database.transaction``.
        """
        numbered, order = _numbered(sql)
        values = [_text(arguments[each]) for each in order]
        lane = await self._lane()
        try:
            answer = lane.send(name if self._endpoint.embedded else "", numbered, values)
        except psycopg.Error as fault:
            self._end(lane)
            raise translate(fault) from None
        answer.add_done_callback(lambda _: self._give_back(lane))
        result = await asyncio.shield(answer)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise translate(errors.error_from_result(result)) from None
        return {
            (result.fname(place) or b"").decode(): (result.get_value(0, place) or b"").decode()
            for place in range(result.nfields)
        }

    def close(self) -> None:
        """Close the connections that are free."""
        while self._free:
            self._free.popleft().close()

    async def _lane(self) -> _Lane:
        while True:
            while self._free:
                lane = self._free.pop()
                if lane.is_open:
                    return lane
                self._left += 1
            if self._left:
                return await self._opened()
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._next()
                raise

    async def _opened(self) -> _Lane:
        self._left -= 1
        opening = asyncio.ensure_future(self._connected())
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # A caller that went away leaves its lane to the next one.
            opening.add_done_callback(self._unclaimed)
            raise

    async def _connected(self) -> _Lane:
        dsn = self._endpoint.dsn(self._login)
        options = connection_options(self._login)
        try:
            connection = await asyncio.to_thread(lambda: psycopg.connect(dsn, **options))
        except psycopg.Error as fault:
            self._left += 1
            self._next()
            raise translate(fault) from None
        return _Lane(connection, asyncio.get_running_loop())

    def _unclaimed(self, opening: asyncio.Future[_Lane]) -> None:
        if not opening.cancelled() and opening.exception() is None:
            self._give_back(opening.result())

    def _give_back(self, lane: _Lane) -> None:
        if lane.is_open:
            self._free.append(lane)
            self._next()
        else:
            self._end(lane)

    def _end(self, lane: _Lane) -> None:
        lane.close()
        self._left += 1
        self._next()

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return


class _Lane:
    """One connection and the one statement that is under way on it."""

    def __init__(self, connection: psycopg.Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._connection = connection
        self._wire = connection.pgconn
        self._wire.nonblocking = 1
        self._loop = loop
        self._socket = self._wire.socket
        self._prepared: set[str] = set()
        self._answer: asyncio.Future[pq.abc.PGresult] | None = None
        self._result: pq.abc.PGresult | None = None
        # What follows when the statement has been prepared: its name and values.
        self._then: tuple[str, list[bytes | None]] | None = None
        self.is_open = True
        loop.add_reader(self._socket, self._read)

    def send(self, name: str, sql: bytes, values: list[bytes | None]) -> asyncio.Future[pq.abc.PGresult]:
        """Send a statement, prepared under its name when it has one, and return its answer to come."""
        self._answer = self._loop.create_future()
        if name and name not in self._prepared:
            self._wire.send_prepare(name.encode(), sql)
            self._then = (name, values)
        elif name:
            self._then = None
            self._wire.send_query_prepared(name.encode(), values)
        else:
            self._then = None
            self._wire.send_query_params(sql, values)
        self._flush()
        return self._answer

    def close(self) -> None:
        """Leave the loop and close the connection."""
        if self.is_open:
            self.is_open = False
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        self._connection.close()

    def _flush(self) -> None:
        if self._wire.flush():
            self._loop.add_writer(self._socket, self._write)

    def _write(self) -> None:
        with suppress(psycopg.Error):
            if self._wire.flush():
                return
        self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            self._wire.consume_input()
            while not self._wire.is_busy():
                result = self._wire.get_result()
                if result is None:
                    self._ended()
                    return
                self._result = result
        except psycopg.Error as fault:
            self._lost(str(fault).partition("\n")[0])

    def _ended(self) -> None:
        """Take the whole answer of a step: the statement's, or that of its preparation before it."""
        result, self._result = self._result, None
        if self._wire.status != pq.ConnStatus.OK and result is None:
            self._lost("the session was ended")
            return
        if self._then is not None and result is not None and result.status == pq.ExecStatus.COMMAND_OK:
            name, values = self._then
            self._then = None
            self._prepared.add(name)
            self._wire.send_query_prepared(name.encode(), values)
            self._flush()
            return
        if self._wire.status != pq.ConnStatus.OK:
            self.close()
        answer, self._answer = self._answer, None
        if answer is not None and result is not None:
            answer.set_result(result)

    def _lost(self, why: str) -> None:
        self.close()
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.set_exception(DatabaseUnavailable(why))


@cache
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """Return the statement with ``$1`` for its first named parameter and so on, and their names in order."""
    order: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = found[1]
        return "%" if name is None else f"${order.setdefault(name, len(order) + 1)}"

    return _NAMED.sub(number, sql).encode(), tuple(order)


def _text(value: Value) -> bytes | None:
    """Write a value as PostgreSQL reads it in text."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    if isinstance(value, list):
        quoted = (each.replace("\\", "\\\\").replace('"', '\\"') for each in value)
        return ("{" + ",".join(f'"{each}"' for each in quoted) + "}").encode()
    return str(value).encode()
