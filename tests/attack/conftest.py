"""One database for a whole module of attacks: every attack is rolled back, so all may share it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from bookrunner.db import Endpoint, make_roles
from bookrunner.db.catalog import clone_database, drop_database
from tests.attack.world import Connect


@pytest.fixture(scope="module")
def shared(template: Endpoint) -> Iterator[Connect]:
    """Return a function that opens connections to one copy of the template for the module's tests."""
    maintenance = template.of("postgres").admin_dsn()
    endpoint = template.of(f"attack_{secrets.token_hex(6)}")
    clone_database(maintenance, endpoint.database, template.database)
    make_roles(endpoint.admin_dsn())
    ways = {"admin": endpoint.admin_dsn, "owner": endpoint.owner_dsn}
    with ExitStack() as opened:

        def open_as(login: str) -> psycopg.Connection:
            dsn = ways[login]() if login in ways else endpoint.dsn(login)
            connection = psycopg.connect(dsn, autocommit=True)
            opened.callback(connection.close)
            return connection

        yield open_as
    drop_database(maintenance, endpoint.database)
