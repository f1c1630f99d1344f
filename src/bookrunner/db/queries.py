"""Loads the ``queries.sql`` of a package: each ``-- name:`` line becomes a method on the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Protocol

import aiosql
from aiosql.adapters.pyformat import PyFormatAdapter
from psycopg import Connection
from psycopg.rows import dict_row

Row = Mapping[str, Any]
_AT_ONCE = 1_000


class Queries(Protocol):
    """The queries of one package, each a method under its own name."""

    def __getattr__(self, name: str) -> Callable[..., Any]: ...


class _Adapter(PyFormatAdapter):
    """Runs a query when it is called: the library's own adapter waits until its rows are read."""

    def process_sql(self, query_name: str, op_type: object, sql: str) -> str:
        """Let a file say ``%`` as SQL means it, not as a placeholder."""
        return str(super().process_sql(query_name, op_type, sql.replace("%", "%%")))  # type: ignore[no-untyped-call]

    def select(  # type: ignore[override]
        self, conn: Connection[Any], query_name: str, sql: str, *rest: dict[str, Any]
    ) -> Sequence[Row]:
        """Return all rows as mappings."""
        return list(super().select(conn, query_name, sql, *rest))

    def insert_returning(  # type: ignore[override]
        self, conn: Connection[Any], query_name: str, sql: str, *rest: dict[str, Any]
    ) -> Row | None:
        """Return the one row that the statement returns as a mapping."""
        row: Row | None = self.select_one(conn, query_name, sql, *rest)  # type: ignore[no-untyped-call]
        return row


@cache
def load(package: str) -> Queries:
    """Return the queries of ``package``: its ``queries.sql``, or all files of its folder ``queries``.

    ``queries.name(connection, key=value)`` runs at once. No suffix: a list of mappings; ``^``: one mapping or
    None; ``$``: one value; ``!``: the number of rows; ``<!``: the returned mapping; ``#``: a script. Raises
    FileNotFoundError when the package has neither.
    """
    text = "\n".join(file.read_text(encoding="utf-8") for file in _query_files(files(package)))
    loaded: Queries = aiosql.from_str(
        text, _Adapter, mandatory_parameters=False, kwargs={"row_factory": dict_row}
    )
    return loaded


@contextmanager
def stepped(
    connection: Connection[Any], query: Callable[..., Any], **values: object
) -> Iterator[tuple[Sequence[str], Iterator[Row]]]:
    """Lend the names of a query's columns and its rows, of which the server hands over a few at a time.

    ``query`` is one of `load` and returns rows; the connection is inside a transaction.
    """
    text: str = query.sql  # type: ignore[attr-defined]
    with connection.cursor("stepped", row_factory=dict_row) as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(text.encode(), values)
        yield [column.name for column in cursor.description or ()], iter(cursor)


def _query_files(home: Traversable) -> Iterator[Traversable]:
    folder = home / "queries"
    if not folder.is_dir():
        yield home / "queries.sql"
        return
    yield from sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
