"""Query files become methods that run when they are called and answer with mappings."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bookrunner.db import Server, load

PLAIN = """
-- name: all_things()
-- Every thing.
select n, n % 2 = 0 as is_even, 'a%b' as label from generate_series(1, 3) as n;

-- name: one_thing(n)^
-- One thing, or none.
select n from generate_series(1, 3) as n where n = :n;

-- name: how_many()$
-- How many there are.
select count(*)::int from generate_series(1, 3);

-- name: make(n)!
-- Makes one and tells how many rows were written.
insert into pg_temp.made (n) values (:n);

-- name: make_and_tell(n)<!
-- Makes one and returns it.
insert into pg_temp.made (n) values (:n::int) returning n, n + 1 as next;
"""


@pytest.fixture
def package(tmp_path: Path) -> Iterator[str]:
    """Return an importable package whose folder ``queries`` holds one file."""
    home = tmp_path / "planted_queries"
    (home / "queries").mkdir(parents=True)
    (home / "__init__.py").write_text('"""Planted."""\n')
    (home / "queries" / "plain.sql").write_text(PLAIN)
    sys.path.insert(0, str(tmp_path))
    yield "planted_queries"
    sys.path.remove(str(tmp_path))
    sys.modules.pop("planted_queries", None)


def test_each_kind_of_query_answers_in_its_way(package: str, server: Server) -> None:
    queries = load(package)
    with psycopg.connect(server.endpoint.admin_dsn()) as connection:
        connection.execute("create temporary table made (n int)")
        assert queries.all_things(connection)[1] == {"n": 2, "is_even": True, "label": "a%b"}
        assert queries.one_thing(connection, n=2) == {"n": 2}
        assert queries.one_thing(connection, n=9) is None
        assert queries.how_many(connection) == 3
        assert queries.make(connection, n=1) == 1
        assert queries.make_and_tell(connection, n=5) == {"n": 5, "next": 6}
        made = connection.execute("select n from made order by n").fetchall()
    assert made == [(1,), (5,)]


def test_package_without_queries_is_refused() -> None:
    with pytest.raises(FileNotFoundError):
        load("bookrunner.core")
