"""One small offering, played once to its closed investments; what a test breaks is rolled back."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from bookrunner.db import Endpoint
from bookrunner.db.catalog import clone_database, drop_database
from tests.attack.world import STEPS, World

RUN = "select reconciliation.run('reconciliation', 'req_look', %s, %s, %s, %s)"
LISTED = """
select comparison, kind, subject_id, about, owner, status from reconciliation.break
where offering_id = %s and status <> 'verified' order by kind, subject_id
"""


class Books(World):
    """An offering whose investors claim the wallets that are linked, and that knows what the chain shows."""

    def linked(self) -> None:
        for n in self.numbers:
            self.claim_wallet(self.id("wlc", n), self.id("ivr", n), self.address(n))
        super().linked()

    def shown(self, **changed: int) -> dict[str, Any]:
        """Return what the chain shows: what was delivered, with the units of some addresses changed."""
        units = {self.address(n).hex(): n for n in self.numbers} | changed
        lines = {address: held for address, held in units.items() if held}
        return {"lines": lines, "delivered": sum(self.numbers)}

    def play(self) -> None:
        """Take every step, compare after each one, and close."""
        for step in STEPS:
            getattr(self, step)()
            found = self.call("reconciliation.run", self.offering, f"run_{self.label}_{step}", None)
            assert found == [], (step, found)
        self.call("engine.mark_issued", self.offering, self.closing)


@pytest.fixture(scope="module")
def books(template: Endpoint) -> Iterator[Books]:
    """Return the offering of a module, whose tests roll back what they do."""
    maintenance = template.of("postgres").admin_dsn()
    endpoint = template.of(f"books_{secrets.token_hex(6)}")
    clone_database(maintenance, endpoint.database, template.database)
    ways = {"admin": endpoint.admin_dsn, "owner": endpoint.owner_dsn}
    with ExitStack() as opened:

        def open_as(login: str) -> psycopg.Connection:
            dsn = ways[login]() if login in ways else endpoint.dsn(login)
            connection = psycopg.connect(dsn, autocommit=True)
            opened.callback(connection.close)
            return connection

        made = Books(open_as, "rec")
        made.play()
        yield made
    drop_database(maintenance, endpoint.database)


@contextmanager
def undone(connection: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Lend a transaction that leaves nothing behind."""
    with connection.transaction(force_rollback=True):
        yield connection


def look(
    connection: psycopg.Connection, books: Books, chain: object = None, only: list[str] | None = None
) -> list[tuple[str, ...]]:
    """Run the comparisons as their login; return the breaks that stand."""
    shown = None if chain is None else Jsonb(chain)
    connection.execute("set local session authorization reconciliation")
    connection.execute(RUN, [books.offering, f"run_{secrets.token_hex(8)}", shown, only])
    found = connection.execute(LISTED, [books.offering]).fetchall()
    connection.execute("reset session authorization")
    return found
