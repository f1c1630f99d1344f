"""One connection pool for each login, and the only way to open a transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from bookrunner.core.errors import BookrunnerError
from bookrunner.db import catalog, refusals
from bookrunner.db.endpoint import Endpoint

Pool = ConnectionPool[psycopg.Connection[Any]]

WAIT_SECONDS = 10.0
CONNECT_SECONDS = 5


class Closed(BookrunnerError):
    """The database was closed in this process."""


class Database:
    """The keepers' logins on one endpoint, each with a pool of its own that opens at its first use.

    Eight connections saturate two cores; 32 lower the rate and multiply the slowest waits.
    """

    def __init__(self, endpoint: Endpoint, *, max_size: int = 8) -> None:
        self.endpoint = endpoint
        self._max_size = max_size
        self._pools: dict[str, Pool] = {}
        self._guard = threading.Lock()
        self._closed = False

    @contextmanager
    def transaction(self, login: str) -> Iterator[psycopg.Connection]:
        """Lend a connection of ``login`` inside exactly one transaction, committed at the end of the block.

        An exception rolls it back. The driver's errors come out as Refused, GateClosed, Contention,
        DatabaseUnavailable or DatabaseFault.
        """
        with (
            refusals.translated(),
            self._pool(login).connection() as connection,
            connection.transaction(),
        ):
            yield connection

    @contextmanager
    def statement(self, login: str) -> Iterator[psycopg.Connection]:
        """Lend a connection of ``login`` for one statement, which is a transaction by itself.

        It saves the two round trips of a beginning and an end; a second statement would be a second
        transaction. Errors come out as those of `transaction`.
        """
        with refusals.translated(), self._pool(login).connection() as connection:
            yield connection

    def answers(self) -> bool:
        """Tell whether the server takes a new connection now; a pool would wait for one."""
        try:
            with catalog.session(self.endpoint.dsn("engine")):
                return True
        except refusals.DatabaseUnavailable:
            return False

    def close(self) -> None:
        """Close every pool; a later use raises Closed."""
        with self._guard:
            self._closed = True
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()

    def _pool(self, login: str) -> Pool:
        with self._guard:
            if self._closed:
                raise Closed(f"the pool of {login} is closed")
            if login not in self._pools:
                self._pools[login] = self._opened(login)
            return self._pools[login]

    def _opened(self, login: str) -> Pool:
        # Before pgbouncer 1.21 a prepared statement is lost between transactions, and a URL may lead to one.
        prepare = 5 if self.endpoint.embedded else None
        pool: Pool = ConnectionPool(
            self.endpoint.dsn(login),
            kwargs={**connection_options(login), "prepare_threshold": prepare},
            min_size=1,
            max_size=self._max_size,
            timeout=WAIT_SECONDS,
            name=login,
            open=False,
        )
        pool.open()
        return pool


def connection_options(login: str) -> dict[str, Any]:
    """Return what every connection of a login has in common."""
    return {
        "autocommit": True,
        "application_name": f"bookrunner {login}",
        "connect_timeout": CONNECT_SECONDS,
    }
