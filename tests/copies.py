"""Databases of tests: each a copy of what somebody has built once, made when it is first entered."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psycopg

from bookrunner.db import Endpoint
from bookrunner.db.catalog import clone_database, drop_database


@dataclass(slots=True)
class Copies:
    """Stages of a database that tests have asked for more than once."""

    stages: dict[str, tuple[Endpoint, object]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def stage(
        self, base: Endpoint, key: str, build: Callable[[Opener], object]
    ) -> tuple[Endpoint, object] | None:
        """Return the database of a stage and what its builder left, or None the first time it is asked for.

        A stage that only one test wants would be built and copied for nothing.
        """
        if key not in self.asked:
            self.asked.add(key)
            return None
        if key not in self.stages:
            endpoint = base.of(f"stage_{secrets.token_hex(6)}")
            copy_of(base, endpoint)
            with opening(endpoint) as connect:
                left = build(connect)
            self.stages[key] = (endpoint, left)
        return self.stages[key]


@dataclass(slots=True)
class _Source:
    """What a fresh database is copied from, until it is made."""

    endpoint: Endpoint
    is_made: bool = False
    making: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Fresh(Endpoint):
    """A database that is made when somebody asks for a way into it."""

    source: _Source = field(kw_only=True, repr=False, compare=False)

    def start_from(self, endpoint: Endpoint) -> bool:
        """Choose what the database will be a copy of; returns False when it is made already."""
        if not self.source.is_made:
            self.source.endpoint = endpoint
        return not self.source.is_made

    def make(self) -> None:
        """Make the database, once."""
        with self.source.making:
            if not self.source.is_made:
                copy_of(self.source.endpoint, Endpoint(self._admin, self.secrets, self.embedded))
                self.source.is_made = True

    @property
    def database(self) -> str:
        """The name of the database, which exists from now on."""
        self.make()
        return Endpoint.database.fget(self)  # type: ignore[attr-defined, no-any-return]

    def admin_dsn(self) -> str:
        """Return the administrator's connection string."""
        self.make()
        return self._admin

    def owner_dsn(self) -> str:
        """Return the owner's connection string."""
        self.make()
        return Endpoint.owner_dsn(self)

    def dsn(self, login: str) -> str:
        """Return the connection string of ``login``."""
        self.make()
        return Endpoint.dsn(self, login)

    def url(self, login: str) -> str:
        """Return the URL of ``login``."""
        self.make()
        return Endpoint.url(self, login)

    def __reduce__(self) -> tuple[type[Endpoint], tuple[object, ...]]:
        """Go to another process as the plain endpoint of a database that is made."""
        self.make()
        return Endpoint, (self._admin, self.secrets, self.embedded)

    def of(self, database: str) -> Endpoint:
        """Return the endpoint of another database on the same server."""
        return Endpoint(self._admin, self.secrets, self.embedded).of(database)


class Opener:
    """Opens raw autocommit connections to one database as a login, ``owner`` or ``admin``."""

    def __init__(self, endpoint: Endpoint, opened: ExitStack, copies: Copies | None = None) -> None:
        self._endpoint, self._opened, self._copies = endpoint, opened, copies

    def __call__(self, login: str) -> psycopg.Connection:
        """Open one connection; it is closed with the opener."""
        ways = {"admin": self._endpoint.admin_dsn, "owner": self._endpoint.owner_dsn}
        dsn = ways[login]() if login in ways else self._endpoint.dsn(login)
        connection = psycopg.connect(dsn, autocommit=True)
        self._opened.callback(connection.close)
        return connection

    def staged(self, key: str, build: Callable[[Opener], object]) -> object | None:
        """Let the database start where ``build`` ends, and return what it left; None when it cannot."""
        if self._copies is None or not isinstance(self._endpoint, Fresh) or self._endpoint.source.is_made:
            return None
        base = self._endpoint.source.endpoint
        found = self._copies.stage(base, f"{base.database} {key}", build)
        if found is None or not self._endpoint.start_from(found[0]):
            return None
        return found[1]


@contextmanager
def opening(endpoint: Endpoint, copies: Copies | None = None) -> Iterator[Opener]:
    """Lend an opener, and close what it opened."""
    with ExitStack() as opened:
        yield Opener(endpoint, opened, copies)


@contextmanager
def fresh(source: Endpoint) -> Iterator[Fresh]:
    """Lend a database that will be a copy of ``source``, and drop it."""
    there = source.of(f"test_{secrets.token_hex(6)}")
    made = Fresh(there.admin_dsn(), there.secrets, there.embedded, source=_Source(source))
    yield made
    if made.source.is_made:
        drop_database(source.of("postgres").admin_dsn(), made.database)


def copy_of(source: Endpoint, endpoint: Endpoint) -> None:
    """Make the database of ``endpoint`` as a copy of another one."""
    clone_database(source.of("postgres").admin_dsn(), endpoint.database, source.database)
