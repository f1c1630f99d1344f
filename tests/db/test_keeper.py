"""A keeper's verbs run under its own login, one transaction each unless they are taken together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from bookrunner.core.errors import Refused
from bookrunner.db import Arguments, Database, Keeper, Within

QUERIES = """
-- name: note(actor, request, detail)$
-- Keeps a note and says under whose login.
select scene.keep(:actor, :request, cast(:detail as jsonb));

-- name: notes()
-- Every note.
select actor, request, detail from scene.note order by id;
"""

SCENE = """
create schema scene;
create table scene.note (
    id integer generated always as identity primary key,
    actor text not null,
    request text not null unique,
    detail jsonb
);
create function scene.keep(p_actor text, p_request text, p_detail jsonb) returns text
language sql security definer set search_path = pg_catalog, pg_temp as $$
    insert into scene.note (actor, request, detail) values (p_actor, p_request, p_detail)
    returning session_user;
$$;
grant usage on schema scene to portal, treasury;
grant select on scene.note to portal, treasury;
grant execute on function scene.keep to portal;
revoke execute on function scene.keep from public;
"""


class Abandoned(Exception):
    """Ends a transaction without keeping it."""


@pytest.fixture
def package(tmp_path: Path) -> Iterator[str]:
    """Return an importable package with the queries."""
    home = tmp_path / "planted_keeper"
    home.mkdir()
    (home / "__init__.py").write_text('"""Planted."""\n')
    (home / "queries.sql").write_text(QUERIES)
    sys.path.insert(0, str(tmp_path))
    yield "planted_keeper"
    sys.path.remove(str(tmp_path))
    sys.modules.pop("planted_keeper", None)


@pytest.fixture
def portal(package: str, database: Database, connect: Callable[[str], psycopg.Connection]) -> Keeper:
    """Return the portal as the keeper of a small scene."""
    connect("owner").execute(SCENE)
    return Keeper(database, "portal", package)


def test_a_verb_runs_under_the_keepers_login_and_is_kept(portal: Keeper) -> None:
    assert portal.note(actor="usr_1", request="req_1", detail={"a": [1]}) == "portal"
    assert portal.notes() == [{"actor": "usr_1", "request": "req_1", "detail": {"a": [1]}}]


def test_an_act_without_a_request_gets_one_of_its_own(portal: Keeper) -> None:
    for _ in range(2):
        portal.note(actor="usr_1", detail=[{"a": 1}])
    first, second = (note["request"] for note in portal.notes())
    assert first.startswith("req_")
    assert second.startswith("req_")
    assert first != second


def _note_and_abandon(keeper: Keeper) -> None:
    with keeper.together() as within:
        within.note(actor="usr_1", detail=None)
        assert len(within.notes()) == 1
        raise Abandoned


def test_verbs_taken_together_are_kept_or_lost_together(portal: Keeper) -> None:
    with pytest.raises(Abandoned):
        _note_and_abandon(portal)
    assert portal.notes() == []
    with portal.together() as within:
        within.note(actor="usr_1", detail=None)
        within.note(actor="usr_1", detail=None)
    assert len(portal.notes()) == 2


def test_another_keeper_reads_but_may_not_act(portal: Keeper, package: str) -> None:
    treasury = Keeper(portal.database, "treasury", package)
    assert treasury.notes() == []
    with pytest.raises(Refused, match="login_may_not_do_this"):
        treasury.note(actor="usr_1", detail=None)
    assert portal.notes() == []


def test_an_unknown_verb_is_an_error_of_the_program(portal: Keeper) -> None:
    with pytest.raises(AttributeError):
        portal.forget(actor="usr_1")


def test_a_verb_for_many_rows_answers_in_order_and_commits_each_batch(portal: Keeper) -> None:
    rows = [{"actor": "usr_1", "request": f"req_{n}", "detail": {"n": n}} for n in range(5)]
    assert list(portal.note.each(rows, at_once=2)) == ["portal"] * 5
    assert [note["detail"]["n"] for note in portal.notes()] == list(range(5))


def test_a_refusal_among_many_rows_undoes_its_batch_and_keeps_the_ones_before(portal: Keeper) -> None:
    requests = ["req_1", "req_2", "req_3", "req_1", "req_5"]
    rows = [{"actor": "usr_1", "request": request, "detail": None} for request in requests]
    with pytest.raises(Refused, match="note_request_key"):
        list(portal.note.each(rows, at_once=2))
    assert [note["request"] for note in portal.notes()] == ["req_1", "req_2"]


def test_steps_run_in_their_order_and_a_refusal_undoes_them_all(portal: Keeper) -> None:
    with portal.together() as within:
        within.in_order(within.note.step(actor="usr_1", request=f"req_{n}", detail=None) for n in range(3))
    assert [note["request"] for note in portal.notes()] == ["req_0", "req_1", "req_2"]
    with pytest.raises(Refused, match="note_request_key"), portal.together() as within:
        within.in_order(within.note.step(actor="usr_1", request=f"req_{n}", detail=None) for n in (7, 2, 8))
    assert len(portal.notes()) == 3


def _counting(within: Within, verb: str, rows: Sequence[Arguments]) -> Sequence[Arguments]:
    """Say in each note how many stand already, and that it has its request."""
    if verb != "note":
        return rows
    stand = len(within.notes())
    return [row | {"detail": {"after": stand, "named": "request" in row}} for row in rows]


def test_every_way_to_call_a_verb_is_prepared(portal: Keeper, package: str) -> None:
    prepared = Keeper(portal.database, "portal", package, _counting)
    prepared.note(actor="usr_1", detail=None)
    assert list(prepared.note.each(({"actor": "usr_1", "detail": None} for _ in range(3)), at_once=2)) == (
        ["portal"] * 3
    )
    with prepared.together() as within:
        within.note(actor="usr_1", detail=None)
        within.note.each([{"actor": "usr_1", "detail": None}])
        within.in_order(within.note.step(actor="usr_1", detail=None) for _ in range(2))
    stood = [note["detail"] for note in portal.notes()]
    assert [detail["after"] for detail in stood] == [0, 1, 1, 3, 4, 5, 6, 7]
    assert all(detail["named"] for detail in stood)


def test_what_prepares_a_verb_may_refuse_it(portal: Keeper, package: str) -> None:
    def refuse(_: Within, verb: str, rows: Sequence[Arguments]) -> Sequence[Arguments]:
        if verb == "note" and any(row["detail"] is None for row in rows):
            raise Refused("note_says_something", "there is no detail")
        return rows

    prepared = Keeper(portal.database, "portal", package, refuse)
    rows: list[Arguments] = [{"actor": "usr_1", "detail": detail} for detail in ({"a": 1}, None)]
    with pytest.raises(Refused, match="note_says_something"):
        list(prepared.note.each(rows))
    assert portal.notes() == []


def test_the_callers_rows_stay_as_they_were(portal: Keeper) -> None:
    row: Arguments = {"actor": "usr_1", "detail": {"a": 1}}
    list(portal.note.each([row, row]))
    assert row == {"actor": "usr_1", "detail": {"a": 1}}
    assert len(portal.notes()) == 2
