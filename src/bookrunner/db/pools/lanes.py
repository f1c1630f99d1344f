"""Connections that an event loop drives by itself: one statement, one transaction, one round trip."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Final

import psycopg
from psycopg import errors, pq

from bookrunner.db.endpoint import Endpoint
from bookrunner.db.pools import connection_options
from bookrunner.db.refusals import DatabaseUnavailable, translate, unkept_text

Value = str | int | bytes | list[str] | None
TextRow = Mapping[str, str]

WARM: Final = 3
PATIENCE_SECONDS: Final = 0.005

_NAMED = re.compile(r"%\((\w+)\)s|%%")


class Lanes:
    """A few connections of one login on the running event loop, opened as they are needed.

    A thread of its own costs a request more than the statement's bytes do; here a statement is sent and its
    answer read where the request is served. Belongs to the loop of its first use.

    ``WARM`` lanes carry everything while they are quick: a session that has just answered has its plans in
    the processor's cache, one of eight in turn does not. A statement that has waited ``PATIENCE_SECONDS``
    takes a further lane, up to ``most``.
    """

    def __init__(self, endpoint: Endpoint, login: str, most: int = 8) -> None:
        self._endpoint = endpoint
        self._login = login
        self._most = most
        self._under_way = 0
        self._is_closed = False
        self._idle: deque[_Lane] = deque()
        # Each waits for a place: a lane, or None for one that is still to be opened.
        self._waiting: deque[asyncio.Future[_Lane | None]] = deque()

    async def run(self, name: str, sql: str, arguments: Mapping[str, Value]) -> TextRow:
        """Run one statement with ``%(name)s`` parameters and return its one row, each column as text.

        The statement is carried to its end even when the caller goes away. Errors come out as those of
        ``Database.transaction``.
        """
        numbered, order = _numbered(sql)
        values = [_text(arguments[each]) for each in order]
        place = await self._place()
        lane = place if place is not None and place.is_open else await self._opened()
        try:
            answer = lane.send(name if self._endpoint.embedded else "", numbered, values)
        except psycopg.Error as fault:
            lane.close()
            self._give_back(lane)
            raise translate(fault) from None
        answer.add_done_callback(lambda _: self._give_back(lane))
        result = await asyncio.shield(answer)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise translate(errors.error_from_result(result)) from None
        return {
            (result.fname(at) or b"").decode(): (result.get_value(0, at) or b"").decode()
            for at in range(result.nfields)
        }

    def close(self) -> None:
        """Close the connections that are free, and each other as soon as its statement has ended."""
        self._is_closed = True
        while self._idle:
            self._idle.popleft().close()

    async def _place(self) -> _Lane | None:
        if self._under_way < min(WARM, self._most):
            return self._taken()
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[_Lane | None] = loop.create_future()
        self._waiting.append(turn)
        patience = loop.call_later(PATIENCE_SECONDS, self._widen, turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._give_back(turn.result())
            raise
        finally:
            patience.cancel()

    def _taken(self) -> _Lane | None:
        self._under_way += 1
        return self._idle.pop() if self._idle else None

    def _widen(self, turn: asyncio.Future[_Lane | None]) -> None:
        if not turn.done() and self._under_way < self._most:
            self._waiting.remove(turn)
            turn.set_result(self._taken())

    async def _opened(self) -> _Lane:
        opening = asyncio.ensure_future(asyncio.to_thread(self._connected))
        try:
            connection = await asyncio.shield(opening)
        except psycopg.Error as fault:
            self._give_back(None)
            raise translate(fault) from None
        except asyncio.CancelledError:
            opening.add_done_callback(self._opened_for_nobody)
            raise
        return _Lane(connection, asyncio.get_running_loop())

    def _connected(self) -> psycopg.Connection:
        return psycopg.connect(self._endpoint.dsn(self._login), **connection_options(self._login))

    def _opened_for_nobody(self, opening: asyncio.Future[psycopg.Connection]) -> None:
        has_failed = opening.cancelled() or opening.exception() is not None
        self._give_back(None if has_failed else _Lane(opening.result(), opening.get_loop()))

    def _give_back(self, lane: _Lane | None) -> None:
        """Hand the place to whoever waits longest, with the lane in it unless that has ended."""
        if lane is not None and not lane.is_open:
            lane.close()
            lane = None
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(lane)
                return
        self._under_way -= 1
        if lane is not None:
            self._idle.append(lane)
        if self._is_closed:
            self.close()


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
    """Write a value as PostgreSQL reads it in text; refuses a NUL, at which the wire would cut a text off."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    if isinstance(value, list):
        quoted = (each.replace("\\", "\\\\").replace('"', '\\"') for each in value)
        value = "{" + ",".join(f'"{each}"' for each in quoted) + "}"
    text = str(value)
    if "\0" in text:
        raise unkept_text()
    return text.encode()
