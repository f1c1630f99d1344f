"""An offering whose orders are followed to the unit."""

from __future__ import annotations

import hashlib
from typing import Any

from bookrunner.db import Database
from bookrunner.engine import Desk, Process
from tests.attack.world import PRICE, Connect, digest, proof
from tests.treasury.escrow import Escrow, refused

STANDING = """
select units_total, reserved_units, allocated_units, free_units, oversubscribed_units, waiting_units
from engine.unit_standing where offering_id = %s
"""
# Counted from the investments alone, beside the counter that the triggers keep.
COUNTED = """
select coalesce(sum(i.units), 0), (select units from engine.reservation r where r.offering_id = %s)
from engine.investment i
where i.offering_id = %s and i.status not in ('cancelled_by_investor', 'cancelled_by_manager')
"""


class Book(Escrow):
    """A world with a cap, a minimum and a policy; investor n orders n units."""

    def __init__(self, connect: Connect, label: str = "one", investors: int = 3, **terms: Any) -> None:  # noqa: ANN401
        super().__init__(connect, label, investors)
        self.cap = terms.pop("cap", 1_000)
        self.least = terms.pop("least", 1)
        self.policy = terms

    def published(self) -> None:
        super().published()
        if self.policy:
            names = ("policy", "most_units", "hold_minutes")
            self.call("engine.name_policy", self.offering, *(self.policy.get(name) for name in names))

    def sold_out(self) -> Book:
        """Open the offer and every order; the cap is meant to be their sum."""
        self.build("opened")
        return self

    def ordered(self) -> Book:
        """Take every step up to the countersignature, and let every investor confirm."""
        self.build("signed")
        self._each("engine.confirm", self._investment)
        return self

    def confirm_past_the_gate(self, investment: str) -> None:
        """Let the engine confirm one order as if its gate were open; the gate itself is tried elsewhere."""
        admin = self.login("admin")
        with admin.transaction():
            for right in (
                "usage on schema engine, audit",
                "all on all tables in schema engine, audit",
                "execute on all functions in schema engine, audit",
            ):
                admin.execute(f"grant {right} to engine".encode())
            admin.execute("set local session authorization engine")
            admin.execute("select audit.enter('usr_1', 'req_1')")
            admin.execute(
                "update engine.investment set status = 'confirmed' where investment_id = %s", [investment]
            )

    def check_units(self) -> tuple[int, ...]:
        """Assert that reserved, allocated and free units are the cap and nothing is counted wrong."""
        ((total, reserved, allocated, free, over, waiting),) = self.ask(STANDING, self.offering)
        assert reserved + allocated + free == total == self.cap
        assert min(reserved, allocated, free, over, waiting) >= 0
        ((live, counter),) = self.ask(COUNTED, self.offering, self.offering)
        assert counter is None or live == counter
        return reserved, allocated, free, over, waiting

    def dry_run(self, **wishes: int) -> dict[str, tuple[int, str]]:
        """Return units and reason of each order by investment."""
        rows = self.login("engine").execute(
            "select investment_id, units, because from engine.allot(%s, %s)", [self.offering, _json(wishes)]
        )
        return {name: (units, because) for name, units, because in rows.fetchall()}

    def version(self) -> str:
        """Return the version of the book."""
        row = self.login("engine").execute("select engine.book_version(%s)", [self.offering]).fetchone()
        assert row is not None
        return str(row[0])

    def decide(self, book: str | None = None, *, name: str = "first", **wishes: int) -> int:
        """Decide the list of the book as it stands, or as it was seen."""
        seen = self.version() if book is None else book
        arguments = [f"alm_{self.label}_{name}", seen, _json(wishes), "placement_agent", "as announced"]
        lines: int = self.call("engine.decide_allotment", self.offering, *arguments, actor="agent.ada")
        return lines

    def cut(self, n: int, units: int) -> None:
        """Cut one investment."""
        arguments = [f"alm_{self.label}_cut{n}_{units}", self.id("inv", n), units, "issuer", "less is needed"]
        self.call("engine.scale_back", self.offering, *arguments, actor="issuer.iris")

    def sign_again(self, n: int) -> None:
        """Sign and countersign the agreement that was sent to one investor last."""
        ((agreement, document),) = self.ask(
            "select agreement_id, document_sha256 from subscription.agreement"
            " where investment_id = %s and status = 'sent'",
            self.id("inv", n),
        )
        self.call("subscription.sign", self.offering, agreement, proof(bytes(document)))
        executed = hashlib.sha256(bytes(document) + b"\x22" * 64).digest()
        self.call("subscription.countersign", self.offering, agreement, proof(executed))

    def status(self, n: int) -> tuple[str, int]:
        """Return status and units of one investment."""
        ((status, units),) = self.ask(
            "select status, units from engine.investment where investment_id = %s", self.id("inv", n)
        )
        return status, units

    def kinds(self, subject: str) -> list[str]:
        """Return the kinds of the events of a subject, in order."""
        rows = self.ask("select kind from audit.event where subject = %s order by version", subject)
        return [kind for (kind,) in rows]

    def reactions(self, consumer: str) -> list[tuple[str, str]]:
        """Return result and detail of every answer of a consumer."""
        return self.ask("select result, detail from audit.reaction where consumer = %s", consumer)

    def backdate(self, table: str, change: str) -> None:
        """Let time pass in one table of this test's own database; its triggers look away for that."""
        admin = self.login("admin")
        for statement in (
            f"alter table {table} disable trigger user",
            f"update {table} set {change}",  # noqa: S608
            f"alter table {table} enable trigger user",
        ):
            admin.execute(statement.encode())


def process_of(database: Database) -> Process:
    """Return the process over a database."""
    return Process(Desk(database))


def _json(wishes: dict[str, int]) -> str | None:
    if not wishes:
        return None
    return "{" + ", ".join(f'"{name}": {units}' for name, units in wishes.items()) + "}"


__all__ = ["PRICE", "Book", "digest", "process_of", "refused"]
