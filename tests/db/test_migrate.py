"""The database made by migrations equals the one made from the schema files."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bookrunner.core.errors import ConfigurationError
from bookrunner.db import Endpoint, MigrationFailed, Server, install, migrate, refuse_unmigrated
from bookrunner.db.catalog import drop_database, ensure_database
from bookrunner.db.embedded.binaries import wheel_binaries
from bookrunner.db.layout import Source, sources
from bookrunner.db.migrations import frozen


@contextmanager
def new_database(server: Server) -> Iterator[Endpoint]:
    """Lend a database with nothing in it."""
    maintenance = server.endpoint.of("postgres").admin_dsn()
    name = f"empty_{secrets.token_hex(6)}"
    ensure_database(maintenance, name)
    yield server.endpoint.of(name)
    drop_database(maintenance, name)


@pytest.fixture
def empty(server: Server) -> Iterator[Endpoint]:
    """Return the endpoint of a database with nothing in it."""
    with new_database(server) as endpoint:
        yield endpoint


@pytest.fixture
def installed(server: Server) -> Iterator[Endpoint]:
    """Return the endpoint of a database with the schema files and no grant of a test."""
    with new_database(server) as endpoint:
        install(endpoint.admin_dsn())
        yield endpoint


def schema_of(server: Server, endpoint: Endpoint) -> list[str]:
    """Return what ``pg_dump`` says of the schema, without the two bookkeepers' own tables."""
    program = Path(server.cluster.binaries.program("pg_dump"))
    if not program.exists():
        found = wheel_binaries()
        assert found is not None, "no pg_dump beside the server's programs"
        program = Path(found.program("pg_dump"))
    parts = conninfo_to_dict(endpoint.admin_dsn())
    dump = subprocess.run(
        [
            str(program),
            "--schema-only",
            "--exclude-schema=dbos",
            "--exclude-table=public.alembic_version",
            "-d",
            endpoint.database,
        ],
        env={
            "PGHOST": str(parts["host"]),
            "PGUSER": str(parts["user"]),
            "PGPASSWORD": str(parts["password"]),
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # Since its 2025 releases pg_dump brackets the output with a random word.
    return [line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


def test_migrations_equal_the_schema_files(server: Server, empty: Endpoint, installed: Endpoint) -> None:
    migrate(empty)
    assert schema_of(server, empty) == schema_of(server, installed)


def test_frozen_copies_equal_the_schema_files() -> None:
    assert [(copy.name, copy.text) for copy in frozen("0001")] == [
        (source.name, source.text) for source in sources()
    ]


def test_migrating_twice_changes_nothing(server: Server, empty: Endpoint) -> None:
    migrate(empty)
    before = schema_of(server, empty)
    migrate(empty)
    assert schema_of(server, empty) == before
    refuse_unmigrated(empty)


def test_unmigrated_database_is_refused(empty: Endpoint) -> None:
    with pytest.raises(ConfigurationError, match="has the migrations none"):
        refuse_unmigrated(empty)


def test_failing_file_is_named_with_its_line_and_nothing_stays(empty: Endpoint) -> None:
    good = Source("01_good.sql", "create schema halfway;\n")
    bad = Source("02_bad.sql", "-- A comment.\n\nselect no_such_function();\n")
    with pytest.raises(MigrationFailed, match=r"02_bad\.sql line 3: function no_such_function"):
        install(empty.admin_dsn(), [good, bad])
    with psycopg.connect(empty.admin_dsn()) as connection:
        row = connection.execute("select to_regnamespace('halfway') is null").fetchone()
    assert row == (True,)
