"""A keeper's verbs and lookups: each call is one transaction under that keeper's own login."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from bookrunner.core.ids import new_id
from bookrunner.db.pools import Database
from bookrunner.db.queries import Queries, load

# What a book does with the arguments of a verb before it runs.
Prepare = Callable[["Within", str, dict[str, object]], dict[str, object]]


class Keeper:
    """The verbs of one book, by the names in its ``queries.sql``.

    ``keeper.verb(actor=…, …)`` runs one verb in one transaction; ``request`` names the write and is made up
    when it is not given. Lists of mappings and mappings go in as JSON. Raises what `Database.transaction`
    raises. ``prepare`` may change the arguments of a verb before it runs, in the same transaction.
    """

    def __init__(self, database: Database, login: str, package: str, prepare: Prepare | None = None) -> None:
        self.database = database
        self.login = login
        self._prepare = prepare
        self._queries = load(package)

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def act(**arguments: object) -> object:
            with self.database.transaction(self.login) as transaction:
                return Within(transaction, self._queries, self._prepare).run(verb, arguments)

        return act

    @contextmanager
    def together(self) -> Iterator[Within]:
        """Lend the verbs inside one transaction that the block decides."""
        with self.database.transaction(self.login) as transaction:
            yield Within(transaction, self._queries, self._prepare)


class Within:
    """The verbs of one book inside a transaction that is already open."""

    def __init__(
        self, transaction: psycopg.Connection, queries: Queries, prepare: Prepare | None = None
    ) -> None:
        self.transaction = transaction
        self._queries = queries
        self._prepare = prepare

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        return lambda **arguments: self.run(verb, arguments)

    def run(self, verb: str, arguments: dict[str, object]) -> object:
        """Run one query of the book; an act that names its actor gets a request id."""
        if "actor" in arguments:
            arguments.setdefault("request", new_id("req"))
        if self._prepare is not None:
            arguments = self._prepare(self, verb, arguments)
        prepared = {key: _as_json(value) for key, value in arguments.items()}
        return getattr(self._queries, verb)(self.transaction, **prepared)


def _as_json(value: object) -> object:
    if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
        return json.dumps(value)
    return value
