"""What every login is refused, whatever the books define."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import psycopg
import pytest
from psycopg import errors, sql

from bookrunner.db import LOGINS, Endpoint

LONG_HOLDER = """
import sys, psycopg
with psycopg.connect(sys.argv[1]) as connection:
    connection.execute("select pg_advisory_xact_lock(7)")
    print("held", flush=True)
    connection.execute("select pg_sleep(50)")
"""

ATTACKS = [
    "set role bookrunner_owner",
    "set role engine_or_other",
    "set session authorization bookrunner_admin",
    "set session_replication_role = replica",
    "create schema mine",
    "create table public.mine ()",
    "create temporary table mine ()",
    "create function public.mine() returns int language sql as 'select 1'",
    "create table dbos.mine ()",
    "create function dbos.mine() returns int language sql as 'select 1'",
    "create or replace function dbos.enqueue_workflow(text) returns text language sql as 'select $1'",
    "alter table dbos.workflow_status disable trigger all",
    "create rule mine as on insert to dbos.workflow_status do nothing",
    "create role mine",
    "alter role treasury password 'mine'",
    "create database mine",
    "copy (select 1) to program 'true'",
    "select pg_read_file('/etc/passwd')",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'bookrunner_admin' limit 1",
    "alter system set fsync = off",
]


@pytest.mark.parametrize("login", LOGINS)
def test_login_is_refused(login: str, connect: Callable[[str], psycopg.Connection]) -> None:
    others = {"engine_or_other": next(name for name in LOGINS if name != login)}
    connect("admin")
    connection = connect(login)
    for attack in ATTACKS:
        statement = attack.replace("engine_or_other", others["engine_or_other"])
        if login == "treasury" and "treasury" in statement:
            continue
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(statement.encode())
        refused = (errors.InsufficientPrivilege, errors.InvalidParameterValue)
        assert isinstance(caught.value, refused), f"{statement}: {caught.value!r}"


@pytest.mark.parametrize("other", ["postgres", "template1"])
def test_login_enters_no_other_database(endpoint: Endpoint, other: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(endpoint.of(other).dsn("portal"))


def test_only_the_workflow_login_reads_its_tables(connect: Callable[[str], psycopg.Connection]) -> None:
    for login in LOGINS:
        connection = connect(login)
        if login == "workflow":
            connection.execute("select count(*) from dbos.workflow_status")
        else:
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute("select count(*) from dbos.workflow_status")


def test_owner_enqueues_a_workflow_that_its_login_sees(connect: Callable[[str], psycopg.Connection]) -> None:
    connect("owner").execute(
        "select dbos.enqueue_workflow('close', 'closings', array[to_json('ofr_1'::text)],"
        " workflow_id => 'close-ofr_1-1', queue_partition_key => 'ofr_1')"
    )
    row = connect("workflow").execute("select workflow_uuid, status from dbos.workflow_status").fetchone()
    assert row == ("close-ofr_1-1", "ENQUEUED")


def test_nobody_logs_in_as_the_owner(connect: Callable[[str], psycopg.Connection]) -> None:
    row = (
        connect("admin")
        .execute("select rolcanlogin, rolsuper from pg_roles where rolname = 'bookrunner_owner'")
        .fetchone()
    )
    assert row == (False, False)


@pytest.mark.parametrize("login", LOGINS)
def test_a_day_is_the_same_in_every_session(
    login: str, endpoint: Endpoint, connect: Callable[[str], psycopg.Connection]
) -> None:
    elsewhere = "alter database {} set timezone = 'Pacific/Kiritimati'"
    connect("admin").execute(sql.SQL(elsewhere).format(sql.Identifier(endpoint.database)))
    assert connect("admin").execute("show timezone").fetchone() == ("Pacific/Kiritimati",)
    assert connect(login).execute("show timezone").fetchone() == ("UTC",)


def test_what_a_dead_client_asked_for_holds_no_lock_for_long(
    endpoint: Endpoint, connect: Callable[[str], psycopg.Connection]
) -> None:
    """Its statement would go on for 50 s; whoever waits for a lock gives up after 10."""
    arguments = [sys.executable, "-c", LONG_HOLDER, endpoint.dsn("treasury")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        asked = "select count(*) from pg_stat_activity where query = 'select pg_sleep(50)'"
        deadline = time.monotonic() + 60
        while connect("admin").execute(asked.encode()).fetchone() != (1,):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        holder.kill()
    next_one = connect("treasury")
    with next_one.transaction():
        next_one.execute("select pg_advisory_xact_lock(7)")
