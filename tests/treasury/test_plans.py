"""What an index of the book is for: the plan of the query that has it, over some hundred receipts."""

from __future__ import annotations

import pytest

from bookrunner.app import Application
from bookrunner.db import load
from tests.attack.world import Connect
from tests.pages.world import OFFERING, World, digest
from tests.stages import Built

STATEMENTS, ENTRIES = 30, 40


def statement(number: int, opening: int) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Return a statement with entries that nobody is asked for."""
    entries: list[dict[str, object]] = [
        {
            "id": f"rcp_{number}x{place}",
            "key": f"key-{number}-{place}",
            "amount": 100,
            "currency": "USD",
            "booked_on": "2026-03-02",
            "value_on": "2026-03-02",
            "reference": None,
            "fingerprint": digest(f"{number} {place}").hex(),
            "sender": "a sender",
            "line_sha256": digest(f"line {number} {place}").hex(),
        }
        for place in range(ENTRIES)
    ]
    head = {
        "id": f"stm_plan{number}",
        "account": "GB33BUKB20201555555555",
        "bank_id": f"plan {number}",
        "file_sha256": digest(f"plan {number}").hex(),
        "opening_minor": opening,
        "closing_minor": opening + ENTRIES * 100,
        "closed_on": "2026-03-02",
        "currency": "USD",
    }
    return head, entries


@pytest.fixture
def stocked(application: Application, built: Built) -> World:
    """Return the world of the pages with many statements more."""
    world, balance = World(application), built.balance_minor
    for number in range(STATEMENTS):
        head, entries = statement(number, balance)
        world.treasury.import_statement(actor="fund", offering=OFFERING, statement=head, entries=entries)
        balance += ENTRIES * 100
    return world


def test_the_receipts_of_a_statement_are_found_by_it(stocked: World, connect: Connect) -> None:
    """The page of statements and the API count the receipts of each; none may read the whole book."""
    connect("admin").execute(b"analyze treasury.receipt, treasury.statement")
    for package, query in (
        ("bookrunner.pages.treasury", "statements"),
        ("bookrunner.api", "bank_statements"),
    ):
        with stocked.database.transaction("treasury") as transaction:
            asked = {"offering": OFFERING, "after": None, "statement": None, "most": 50}
            found = transaction.execute("explain " + getattr(load(package), query).sql, asked).fetchall()
        plan = "\n".join(str(next(iter(row.values())) if isinstance(row, dict) else row[0]) for row in found)
        assert "receipt_of_statement" in plan, plan
        assert "Seq Scan on receipt" not in plan, plan
