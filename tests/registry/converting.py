# ruff: noqa: S608 - names and ids come from this file
"""A convertible with its holders and the class that it becomes, in the register alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.db import Database, Keeper
from tests.attack.world import CHAIN, Connect, World, digest
from tests.registry.transferring import Transferring

PROPOSER, CLERK, SECOND = "issuer.iris", "agent.theo", "agent.tess"
AGENT_KEY = b"\x09" * 20
UNDELIVERED = 40
INTEREST = {"interest_ppm": 80_000, "interest_from": "2025-01-01", "year_days": 365}
LOWER = {
    "principal_minor": 50_000,
    "round_price_minor": 1_000,
    "discount_ppm": 200_000,
    "valuation_cap_minor": 500_000_000,
    "diluted_units": 700_000,
    **INTEREST,
}
Line = dict[str, object]


class Note:
    """A convertible of 31, 70 and 91 units and, in two lots of a taker, 10; and the class that it becomes."""

    def __init__(self, connect: Connect, database: Database, kind: type[World] = World) -> None:
        self.into = World(connect, "two")
        self.into.numbers = (3,)  # type: ignore[assignment]
        self.into.build("registered")
        self.world = kind(connect)
        self.world.numbers = (31, 70, 101)  # type: ignore[assignment]
        self.world.build("registered")
        self.where = {"offering": self.world.offering}
        self._looks = 0
        self.register: Keeper = registry.keeper(database)
        self.keeper: Keeper = registry.conversions_of(database)
        self.moves = Transferring(self.world, database)
        self.moves.seller = "ivr_one101"
        self.moves.free_lots()
        self.taker = self.moves.taker()
        for units in (4, 6):
            self.moves.registered(self.taker, units)
        self.holders = ["ivr_one101", "ivr_one31", "ivr_one70", self.taker]
        self._count = 0

    def propose(self, **changed: object) -> str:
        """Propose a conversion, with some of its terms changed."""
        self._count += 1
        conversion = f"cnv_{self._count}"
        asked = {
            "into": self.into.offering,
            "formula": "lower_price",
            "bears_interest": True,
            "fractions": "cash",
            "effective_at": (clock.now() - timedelta(minutes=1)).isoformat(),
            "authority_sha256": digest("resolution").hex(),
            "authority_reference": "resolution 7",
            **changed,
        }
        self.keeper.propose_conversion(actor=PROPOSER, **self.where, conversion=conversion, asked=asked)
        return conversion

    def confirm(self, conversion: str, said: Mapping[str, object], by: str = CLERK) -> None:
        """Confirm inputs from a paper."""
        for name, value in said.items():
            told = {"name": name, "source": "note purchase agreement", "source_sha256": digest("npa").hex()}
            told["day" if name == "interest_from" else "amount"] = value  # type: ignore[assignment]
            self.keeper.confirm_input(actor=by, **self.where, conversion=conversion, said=told)

    def version(self, conversion: str) -> int:
        """Return the version that somebody sees now."""
        rows = self.keeper.conversions(**self.where)
        return int(next(row["version"] for row in rows if row["conversion_id"] == conversion))

    def decide(
        self, conversion: str, *, by: str = SECOND, is_approved: bool = True, because: str = ""
    ) -> str:
        """Decide a conversion as another person."""
        told = {"is_approved": is_approved, "because": because, "seen": self.version(conversion)}
        self.keeper.decide_conversion(actor=by, **self.where, conversion=conversion, **told)
        return conversion

    def agreed(self, said: dict[str, object] = LOWER, **changed: object) -> str:
        """Propose, confirm and approve."""
        conversion = self.propose(**changed)
        self.confirm(conversion, said)
        return self.decide(conversion)

    def enter_holders(self, holders: Iterable[str]) -> None:
        """Clear holders for the new class and link a wallet of each."""
        call, offering = self.into.call, self.into.offering
        for holder in holders:
            call("compliance.open_clearance", offering, f"clr_two_{holder}", holder)
            mapping, address = [offering, f"wmp_two_{holder}"], digest(f"new {holder}")[:20]
            call("registry.open_mapping", *mapping, holder, CHAIN, address, f"wlc_{holder}@1", "key")
            call("registry.mark_screened", *mapping, "scr_one@1")
            call("registry.approve_wallet", *mapping)
            call("registry.link_wallet", *mapping, actor="usr_agent")

    def control(self, kind: str, offering: str, **terms: object) -> str:
        """Ask for a control action, approve it and find the chain as it wants it."""
        self._count += 1
        action = {"offering": offering, "action": f"cta_{self._count}"}
        asked = {"kind": kind, "because": "a conversion", **terms}
        self.register.ask_control(actor=CLERK, **action, asked=asked)
        self.register.decide_control(actor=SECOND, **action, is_approved=True, because="")
        version = self.register.control_plan(**action)["version"]
        self.register.submit_control(actor="process", **action, version=version, steps="[]")
        return str(action["action"])

    def close(self) -> None:
        """End both sales, and pause both securities."""
        admin = self.world.login("admin")
        with admin.transaction():
            for table, status in (("engine.offer", "closed_successfully"), ("engine.closing", "certified")):
                admin.execute(f"alter table {table} disable trigger user".encode())
                admin.execute(f"update {table} set status = '{status}'".encode())
                admin.execute(f"alter table {table} enable trigger user".encode())
        for offering in (self.world.offering, self.into.offering):
            self.control("pause", offering)

    def hindrances(self, conversion: str) -> list[str]:
        """Return what keeps a conversion from beginning."""
        return [row["rule"] for row in self.keeper.conversion_hindrances(**self.where, conversion=conversion)]

    def look(self) -> None:
        """Record that the chain has of the new class what the register says, and UNDELIVERED units beside."""
        into = self.into.offering
        asked = "select coalesce(sum(units), 0)::bigint from registry.address_units where offering_id = %s"
        ((units,),) = self.world.login("owner").execute(asked, [into]).fetchall()
        self._looks += 1
        seen = {"block_number": 9, "block_hash": digest(f"look {self._looks}").hex()}
        seen |= {"minted": units + UNDELIVERED, "undelivered": UNDELIVERED}
        self.world.call("registry.compare_records", into, seen)

    def begin(self, conversion: str, undelivered: int = UNDELIVERED) -> None:
        """Begin a conversion with so many units of the new class that nobody has bought."""
        self.look()
        on = {**self.where, "conversion": conversion}
        self.keeper.begin_conversion(actor="process", **on, undelivered=undelivered)

    def open_lines(self, conversion: str) -> dict[str, list[Line]]:
        """Return the wallets that are to be changed, as lines of transactions of each class."""
        found: dict[str, list[Line]] = {}
        for row in self.keeper.open_wallets(**self.where, conversion=conversion):
            line = {"of": self.world.offering, "conversion": conversion, "units": row["units"]}
            line["address"] = bytes(row["address"]).hex()
            found.setdefault(row["offering_id"], []).append(line)
        return found

    def sign(self, name: str, offering: str, lines: list[Line]) -> str:
        """Store a transaction with these lines; return its id."""
        call = self.world.call
        call("registry.open_key", CHAIN, AGENT_KEY, "agent")
        with self.world.login("registry").transaction():
            stored = {
                "id": f"txn_{name}",
                "intent": f"int_{name}",
                "purpose": "conversion",
                "chain_id": CHAIN,
                "sender": AGENT_KEY.hex(),
                "nonce": call("registry.take_nonce", CHAIN, AGENT_KEY),
                "max_fee": 2_000_000_000,
                "priority_fee": 1_000_000_000,
                "hash": digest(name).hex(),
                "raw": "00",
            }
            call("registry.record_transaction", offering, stored, lines)
        return f"txn_{name}"

    def final(self, transaction: str, offering: str, lines: list[Line]) -> int:
        """Let the chain make a transaction final that did these lines; return how many were new."""
        logs = [
            {"address": line["address"], "units": line["units"], "ordinal": n} for n, line in enumerate(lines)
        ]
        block = {"number": 9, "hash": digest("block").hex(), "incarnation": digest("genesis").hex()}
        posted: int = self.world.call("registry.finalize", offering, transaction, block, json.dumps(logs))
        return posted

    def carry(self, conversion: str) -> None:
        """Let the chains do everything that is open of a begun conversion, and look at them again."""
        for offering, lines in self.open_lines(conversion).items():
            self.final(self.sign(f"{conversion}{offering}", offering, lines), offering, lines)
        self.look()

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a question to the register."""
        return self.world.login("registry").execute(query.encode()).fetchall()

    def split(self, offering: str) -> None:
        """Let units of a class have been split two for one, now."""
        self._count += 1
        admin = self.world.login("admin")
        with admin.transaction():
            admin.execute(b"alter table registry.split disable trigger user")
            admin.execute(
                b"insert into registry.split (offering_id, split_id, status, new_units, for_units, fractions,"
                b" currency, effective_at, authority_sha256, authority_reference, proposed_by, decided_by,"
                b" authorised_before, authorised_after, begun_at, executed_at, version, chain_head)"
                b" values (%s, %s, 'executed', 2, 1, 'round_up', 'USD', now(), sha256('x'), 'resolution 6',"
                b" 'issuer.iris', 'agent.tess', 1, 2, now(), clock_timestamp(), 1, 'x')",
                [offering, f"spl_{self._count}"],
            )
            admin.execute(b"alter table registry.split enable trigger user")

    def working(self, conversion: str) -> dict[str, tuple[int, ...]]:
        """Return what each holder has and gets."""
        rows = self.keeper.conversion_working(**self.where, conversion=conversion)
        names = ("units_before", "principal_minor", "interest_minor", "units_after", "cash_minor")
        return {row["investor_id"]: tuple(row[name] for name in names) for row in rows}

    def units(self, offering: str) -> dict[str, int]:
        """Return what each holder of a class has in the register."""
        return dict(
            self.ask(f"select investor_id, units from registry.holding where offering_id = '{offering}'")  # type: ignore[arg-type]
        )

    def supply_differs(self, delivered: int) -> tuple[int, int]:
        """Return how many totals of the new class differ from such a supply, in books and to comparisons."""
        seen = {"block_number": 9, "block_hash": "09" * 32, "undelivered": UNDELIVERED}
        chain = json.dumps({"lines": {}, "delivered": delivered})
        supply = "select from reconciliation.holdings('ofr_two', null, %s) d where d.kind = %s"
        told = [chain, "supply_is_not_the_control_book"]
        looked = len(self.world.login("admin").execute(supply.encode(), told).fetchall())
        with self.world.login("registry").transaction(force_rollback=True):
            seen["minted"] = delivered + UNDELIVERED
            return self.world.call("registry.compare_records", "ofr_two", seen), looked

    def differing(self) -> list[tuple[Any, ...]]:
        """Return totals that are not equal, and holdings that are not their postings and lots."""
        return self.ask(
            "select offering_id, kind from registry.comparison where left_units <> right_units"
            " union all select offering_id, holding_id from registry.holding_parts"
            " where units <> posted_units or units <> lot_units"
        )
