"""Transactions, translation and repetition against the real server."""

from __future__ import annotations

import threading

import psycopg
import pytest
from psycopg import errors

from bookrunner.core.errors import GateClosed, Refused
from bookrunner.db import Contention, Database, DatabaseFault, DatabaseUnavailable, retrying
from bookrunner.db.pools import Closed
from bookrunner.db.refusals import translate

SCENE = """
create schema scene;
create table scene.thing (
    id integer primary key,
    name text not null,
    amount_minor bigint constraint amount_is_positive check (amount_minor > 0),
    parent integer constraint parent_exists references scene.thing
);
create function scene.refuse(state text, rule text, detail text) returns void language plpgsql as $$
begin
    raise exception using errcode = state, message = 'the rule is broken', detail = detail, constraint = rule;
end $$;
grant usage on schema scene to portal;
grant select, insert, update on scene.thing to portal;
grant execute on function scene.refuse to portal;
insert into scene.thing values (1, 'first', 5, null), (2, 'second', 5, null);
"""

GATE = (
    '{"act": "freeze_closing", "missing": [{"condition": "funds_are_cleared", "keeper": "treasury",'
    ' "since": "2026-03-01T10:00:00+00:00", "investment": "inv_1"}]}'
)


@pytest.fixture
def scene(database: Database, connect: object) -> Database:
    """Return a database with a small schema whose constraints a portal can break."""
    assert callable(connect)
    connect("owner").execute(SCENE)
    return database


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("insert into scene.thing values (3, 'x', 0, null)", "amount_is_positive"),
        ("insert into scene.thing values (1, 'x', 1, null)", "thing_pkey"),
        ("insert into scene.thing values (3, 'x', 1, 9)", "parent_exists"),
        ("insert into scene.thing values (3, null, 1, null)", "name_is_required"),
        ("delete from scene.thing", "login_may_not_do_this"),
        ("create table scene.other ()", "login_may_not_do_this"),
        ("select scene.refuse('BR201', 'fields_are_locked', 'name')", "fields_are_locked"),
        ("select scene.refuse('BR777', '', '')", "br777"),
    ],
)
def test_broken_rule_is_refused_by_name(scene: Database, statement: str, rule: str) -> None:
    with pytest.raises(Refused) as caught, scene.transaction("portal") as connection:
        connection.execute(statement.encode())
    assert caught.value.rule == rule


def test_refusal_does_not_quote_the_row(scene: Database) -> None:
    with pytest.raises(Refused) as caught, scene.transaction("portal") as connection:
        connection.execute("insert into scene.thing values (77, 'Ada Lovelace', -1, null)")
    assert "Ada" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_closed_gate_names_what_is_missing(scene: Database) -> None:
    with pytest.raises(GateClosed) as caught, scene.transaction("portal") as connection:
        connection.execute("select scene.refuse('BR409', 'gate_is_closed', %s)", [GATE])
    assert caught.value.act == "freeze_closing"
    (missing,) = caught.value.missing
    assert (missing.condition, missing.keeper, missing.investment_id) == (
        "funds_are_cleared",
        "treasury",
        "inv_1",
    )
    assert missing.since.isoformat() == "2026-03-01T10:00:00+00:00"


def test_block_is_one_transaction(scene: Database) -> None:
    def half_done() -> None:
        with scene.transaction("portal") as connection:
            connection.execute("insert into scene.thing values (3, 'x', 1, null)")
            raise KeyError("3")

    with pytest.raises(KeyError):
        half_done()
    with scene.transaction("portal") as connection:
        assert connection.execute("select count(*) from scene.thing").fetchone() == (2,)
        connection.execute("insert into scene.thing values (3, 'x', 1, null)")
    with scene.transaction("portal") as connection:
        assert connection.execute("select count(*) from scene.thing").fetchone() == (3,)


def test_deadlock_is_repeated_until_both_succeed(scene: Database) -> None:
    barrier, other_is_done = threading.Barrier(2), threading.Event()
    tries: list[int] = []

    def update_both(first: int, second: int) -> None:
        seen = False

        def work() -> None:
            nonlocal seen
            tries.append(first)
            # Whoever gave way comes back when the other has gone through: the two meet once.
            assert not seen or other_is_done.wait(timeout=10)
            with scene.transaction("portal") as connection:
                add = "update scene.thing set amount_minor = amount_minor + 1 where id = %s"
                connection.execute(add, [first])
                if not seen:
                    seen = True
                    barrier.wait(timeout=10)
                connection.execute(add, [second])

        retrying(work, attempts=None)
        other_is_done.set()

    threads = [threading.Thread(target=update_both, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    with scene.transaction("portal") as connection:
        rows = connection.execute("select amount_minor from scene.thing order by id").fetchall()
    assert rows == [(7,), (7,)]
    assert len(tries) == 3


def test_contention_is_raised_after_the_last_attempt() -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        raise translate(errors.SerializationFailure("busy"))

    with pytest.raises(Contention):
        retrying(work, attempts=3)
    assert len(tries) == 3


def test_other_faults_keep_their_sqlstate(database: Database) -> None:
    with pytest.raises(DatabaseFault) as caught, database.transaction("portal") as connection:
        connection.execute("select 1 / 0")
    assert caught.value.sqlstate == "22012"


def test_ended_session_is_unavailable_then_replaced(database: Database, connect: object) -> None:
    assert callable(connect)
    admin = connect("admin")

    def lose_the_session() -> None:
        with database.transaction("portal") as connection:
            admin.execute("select pg_terminate_backend(%s)", [connection.info.backend_pid])
            connection.execute("select 1")

    with pytest.raises(DatabaseUnavailable):
        lose_the_session()
    with database.transaction("portal") as connection:
        assert connection.execute("select session_user").fetchone() == ("portal",)


def test_each_login_has_its_own_session_and_limits(database: Database) -> None:
    for login, limit in (("portal", "1min"), ("treasury", "1min"), ("workflow", "0")):
        with database.transaction(login) as connection:
            row = connection.execute("select session_user, current_setting('statement_timeout')").fetchone()
        assert row == (login, limit)


def test_closed_database_is_refused(database: Database) -> None:
    database.close()
    with pytest.raises(Closed), database.transaction("portal"):
        pass


def test_error_without_sqlstate_is_unavailable() -> None:
    assert isinstance(translate(psycopg.OperationalError("no route")), DatabaseUnavailable)
