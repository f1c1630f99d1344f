"""A keeper's verbs and lookups: each call is one transaction under that keeper's own login."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

import psycopg

from bookrunner.core.credentials import KEEPERS
from bookrunner.core.ids import new_id
from bookrunner.core.log import traces
from bookrunner.db import catalog
from bookrunner.db.pools import Database
from bookrunner.db.queries import Queries, load
from bookrunner.db.refusals import translated

BATCH = 500

# The logins that write under a trace; an issuer writes nothing, and people's accounts are followed by nobody.
_NOTING = frozenset({*KEEPERS, "reconciliation"})

Arguments = dict[str, object]
Step = tuple[str, Arguments]
# What a book does with the rows of arguments of a verb before it runs.
Prepare = Callable[["Within", str, Sequence[Arguments]], Sequence[Arguments]]


class Keeper:
    """The verbs of one book, by the names in its ``queries.sql``.

    ``keeper.verb(actor=…, …)`` runs one verb in one transaction; ``request`` names the write and is made up
    when it is not given. Lists of mappings and mappings go in as JSON. Raises what `Database.transaction`
    raises. ``prepare`` may change the rows of arguments of a verb before it runs, in the same transaction.
    """

    def __init__(self, database: Database, login: str, package: str, prepare: Prepare | None = None) -> None:
        self.database = database
        self.login = login
        self._prepare = prepare
        self._queries = load(package)

    def __getattr__(self, verb: str) -> KeeperVerb:
        return KeeperVerb(self, verb)

    @property
    def queries(self) -> Queries:
        """What :meth:`Within.using` lends inside a transaction of the same login."""
        return self._queries

    @contextmanager
    def together(self) -> Iterator[Within]:
        """Lend the verbs inside one transaction that the block decides."""
        with self.database.transaction(self.login) as transaction:
            yield Within(transaction, self._queries, self._prepare)

    @contextmanager
    def alone(self) -> Iterator[Within]:
        """Lend the verbs for one call; where a book prepares its arguments, both share a transaction."""
        database = self.database
        lent = database.statement if self._prepare is None else database.transaction
        with lent(self.login) as connection:
            yield Within(connection, self._queries, self._prepare)


class KeeperVerb:
    """One verb of a keeper: called, it is one transaction."""

    def __init__(self, keeper: Keeper, name: str) -> None:
        self._keeper = keeper
        self._name = name

    def __call__(self, **arguments: object) -> Any:  # noqa: ANN401
        """Run the verb and return what its query returns."""
        with self._keeper.alone() as within:
            return getattr(within, self._name)(**arguments)

    def each(self, rows: Iterable[Arguments], *, at_once: int = BATCH) -> Iterator[Any]:
        """Run the verb for each row of arguments and yield the answers in order.

        ``at_once`` rows share a transaction; a refusal undoes those and ends the run. What was yielded is
        committed. Rows are read as they are needed.
        """
        waiting = iter(rows)
        while batch := list(islice(waiting, at_once)):
            with self._keeper.together() as within:
                answers = getattr(within, self._name).each(batch)
            yield from answers


class Within:
    """The verbs of one book inside a transaction that is already open."""

    def __init__(
        self, transaction: psycopg.Connection, queries: Queries, prepare: Prepare | None = None
    ) -> None:
        self.transaction = transaction
        self._queries = queries
        self._prepare = prepare

    def __getattr__(self, verb: str) -> VerbWithin:
        return VerbWithin(self.transaction, getattr(self._queries, verb), partial(self._ready, verb))

    def using(self, queries: Queries) -> Within:
        """Lend other queries in the same transaction; their arguments go in as they are given."""
        return Within(self.transaction, queries)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Undo the block alone when it raises; what was done before it in the transaction stays."""
        with translated(), self.transaction.transaction():
            yield

    def in_order(self, steps: Iterable[Step]) -> None:
        """Run steps one after the other without waiting between them; their answers are dropped.

        A refusal ends the whole transaction.
        """
        with self.transaction.pipeline():
            for text, arguments in steps:
                self.transaction.execute(text, arguments)

    def _ready(self, verb: str, rows: Iterable[Arguments]) -> list[Arguments]:
        """Return rows as the driver takes them; an act that names its actor gets a request id."""
        given: Sequence[Arguments] = [_named(row) for row in rows]
        if given and self._prepare is not None:
            given = self._prepare(self, verb, given)
        if (trace := traces.here()) is not None:
            self._note(given, trace)
        return [{key: _as_json(value) for key, value in row.items()} for row in given]

    def _note(self, rows: Sequence[Arguments], trace: str) -> None:
        """Note under which trace these rows are written, beside what they write."""
        named = [(row["actor"], row["request"]) for row in rows if "actor" in row and "request" in row]
        if named and self.transaction.info.user in _NOTING:
            actors, requests = (list(column) for column in zip(*named, strict=True))
            catalog.note_traces(self.transaction, actors, requests, trace)


class VerbWithin:
    """One verb inside an open transaction."""

    def __init__(
        self,
        transaction: psycopg.Connection,
        query: Any,  # noqa: ANN401
        ready: Callable[[Iterable[Arguments]], list[Arguments]],
    ) -> None:
        self._transaction = transaction
        self._query = query
        self._ready = ready

    def __call__(self, **arguments: object) -> Any:  # noqa: ANN401
        """Run the verb and return what its query returns."""
        (given,) = self._ready([arguments])
        return self._query(self._transaction, **given)

    def each(self, rows: Iterable[Arguments]) -> list[Any]:
        """Run a verb of one value for each row of arguments; none waits for the answer before it."""
        given = self._ready(rows)
        if not given:
            return []
        with self._transaction.cursor() as cursor:
            cursor.executemany(self._query.sql, given, returning=True)
            return [_value(result) for result in cursor.results()]

    def step(self, **arguments: object) -> Step:
        """Return the call for `Within.in_order`; of the verb itself nothing runs here."""
        (given,) = self._ready([arguments])
        return self._query.sql, given


def _named(arguments: Arguments) -> Arguments:
    return {"request": new_id("req"), **arguments} if "actor" in arguments else arguments


def _value(result: psycopg.Cursor[Any]) -> object:
    row = result.fetchone()
    return None if row is None else row[0]


def _as_json(value: object) -> object:
    if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
        return json.dumps(value)
    return value
