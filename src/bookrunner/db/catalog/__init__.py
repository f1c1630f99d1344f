"""What only an administrator asks or orders: databases, passwords, the settings that durability rests on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from bookrunner.db import queries, refusals

_queries = queries.load(__name__)

MUST_BE_ON = ("fsync", "full_page_writes", "synchronous_commit")
# What makes the log of a server say what the rows and parameters of its statements hold.
_QUOTES_NO_ROW = {"log_error_verbosity": "terse", "log_parameter_max_length_on_error": "0"}
# Levels above those of an error.
_WITHOUT_ERRORS = frozenset({"log", "fatal", "panic"})
_WHOLE_FORMATS = frozenset({"csvlog", "jsonlog"})


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


def telling_settings(dsn: str) -> list[str]:
    """Return a sentence for each setting by which the server's log quotes rows, which hold personal data.

    A broken constraint quotes its row unless the log is terse, and the formats for machines quote it all the
    same (PostgreSQL, 19.8), unless errors of sessions are not logged at all. Statements that are logged
    bring their parameters.
    """
    with session(dsn) as connection:
        values = {name: _queries.setting(connection, name=name) for name in _QUOTES_NO_ROW}
        formats = str(_queries.setting(connection, name="log_destination"))
        is_logged = _queries.setting(connection, name="log_statement") != "none"
        is_timed = _queries.setting(connection, name="log_min_duration_statement") != "-1"
        length = _queries.setting(connection, name="log_parameter_max_length")
        hears_errors = _queries.setting(connection, name="log_min_messages") not in _WITHOUT_ERRORS
    findings = [
        f"{name} is {values[name]}, not {wanted}: the server's log quotes rows"
        for name, wanted in _QUOTES_NO_ROW.items()
        if hears_errors and values[name] != wanted
    ]
    whole = sorted(_WHOLE_FORMATS & {each.strip() for each in formats.split(",")})
    if hears_errors and whole:
        findings.append(f"log_destination has {' and '.join(whole)}: the server's log quotes rows")
    if (is_logged or is_timed) and length != "0":
        findings.append(f"log_parameter_max_length is {length}, not 0: logged statements bring their values")
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
    """Copy the database ``template``, to which nobody may be connected, as ``name``, for the same logins."""
    with session(dsn) as connection:
        _order(connection, _queries.create_statement(connection, name=name, template=template))
        _order(connection, _queries.admission_statement(connection, name=name, template=template))


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
