"""What only an administrator asks or orders: databases, passwords, the settings that durability rests on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from bookrunner.db import queries, refusals

_queries = queries.load(__name__)

MUST_BE_ON = ("fsync", "full_page_writes", "synchronous_commit")


@contextmanager
def session(dsn: str) -> Iterator[psycopg.Connection]:
    """Open one autocommit connection outside any pool; errors come out translated."""
    with refusals.translated(), psycopg.connect(dsn, autocommit=True, connect_timeout=10) as connection:
        yield connection


def unsafe_settings(dsn: str, *, embedded: bool = True) -> list[str]:
    """Return a sentence for each setting that gives up durability or lets a session in without a password.

    Checksums and host rules are judged only on an embedded server: elsewhere they are the operator's.
    """
    with session(dsn) as connection:
        names = (*MUST_BE_ON, "data_checksums") if embedded else MUST_BE_ON
        values = {name: _queries.setting(connection, name=name) for name in names}
        lax = _queries.lax_host_rules(connection) if embedded else 0
    findings = [f"{name} is {value}" for name, value in values.items() if value != "on"]
    if lax:
        findings.append(f"{lax} lines of pg_hba.conf admit a session without a scram password")
    return findings


def server_version(dsn: str) -> str:
    """Return the version of the running server, such as 18.4."""
    with session(dsn) as connection:
        return str(_queries.server_version(connection))


def has_database(dsn: str, name: str) -> bool:
    """Tell whether the server has the database ``name``."""
    with session(dsn) as connection:
        return bool(_queries.database_exists(connection, name=name))


def ensure_database(dsn: str, name: str) -> None:
    """Make the database ``name`` when there is none; ``dsn`` points to another database of the server."""
    with session(dsn) as connection:
        if not _queries.database_exists(connection, name=name):
            _order(connection, _queries.create_statement(connection, name=name, template="template1"))


def close_side_doors(dsn: str) -> None:
    """Shut the databases that come with a server to everybody but its administrator."""
    with session(dsn) as connection:
        _queries.close_side_doors(connection)


def clone_database(dsn: str, name: str, template: str) -> None:
    """Copy the database ``template``, to which nobody may be connected, as ``name``."""
    with session(dsn) as connection:
        _order(connection, _queries.create_statement(connection, name=name, template=template))


def drop_database(dsn: str, name: str) -> None:
    """Drop the database ``name`` if it exists, ending its sessions."""
    with session(dsn) as connection:
        _order(connection, _queries.drop_statement(connection, name=name))


def set_password(connection: psycopg.Connection, login: str, password: str) -> None:
    """Give ``login`` its password; only the scram verifier, computed here, travels to the server."""
    verifier = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
    statement = _queries.password_statement(connection, login=login, verifier=verifier.decode())
    _order(connection, statement)


def lock_migrations(connection: psycopg.Connection) -> None:
    """Wait until no other deployment migrates this database; the lock ends with the connection."""
    _queries.lock_migrations(connection)


def migration_heads(dsn: str) -> list[str]:
    """Return the migrations that the database has reached; empty when none ever ran."""
    with session(dsn) as connection:
        if not _queries.is_migrated(connection):
            return []
        return [str(row["version_num"]) for row in _queries.migration_heads(connection)]


def note_traces(
    connection: psycopg.Connection, actors: list[object], requests: list[object], trace: str
) -> None:
    """Note the traceparent under which these requests of these actors write."""
    _queries.note_traces(connection, actors=actors, requests=requests, trace=trace)


def _order(connection: psycopg.Connection, statement: str) -> None:
    connection.execute(statement.encode())
