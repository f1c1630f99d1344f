# ruff: noqa: S608 - names and ids come from this file
"""A class with a plan of reinvestment: short names for what its people, holders and the chain do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Keeper
from tests.attack.world import CHAIN, Connect, digest
from tests.servicing.buying import AGENT_KEY, Buyer
from tests.servicing.paying import pool, yesterday

PROPOSER, SECOND = "issuer.iris", "agent.tess"
COST = 3_000
ONE, TWO, THREE = (f"ivr_one{n}" for n in (10, 20, 31))
Line = dict[str, object]


class Reinvestor(Buyer):
    """Three holders with 10, 20 and 31 units; what they are paid may become units at 30.00 for one."""

    def __init__(self, connect: Connect, database: Database) -> None:
        super().__init__(connect, database)
        self.desk: Keeper = registry.reinvestment_of(database)
        self.look()

    def look(self, undelivered: int = 0) -> None:
        """Record that the chain has what the register says, and so many units that nobody has bought."""
        self._made += 1
        ((units,),) = self.ask("select coalesce(sum(units), 0)::bigint from registry.address_units")
        seen = {"block_number": 9, "block_hash": digest(f"look {self._made}").hex()}
        seen |= {"minted": units + undelivered, "undelivered": undelivered}
        self.call("registry.compare_records", self.offering, seen)

    def propose_plan(self, *, by: str = PROPOSER, **changed: object) -> str:
        """Propose a plan without a cut-off before its record dates, with some of its terms changed."""
        self._made += 1
        plan = f"rpl_{self._made}"
        asked = {
            "price_minor": COST,
            "cutoff_days": 0,
            "from_on": (clock.today() + timedelta(days=1)).isoformat(),
            "most_units": 1_000,
            "authority_sha256": digest("plan").hex(),
            "authority_reference": "resolution 9",
            **changed,
        }
        self.desk.propose_plan(actor=by, **self.where, plan=plan, asked=asked)
        return plan

    def seen(self, plan: str) -> int:
        """Return the version that somebody sees now."""
        rows = self.desk.plans(**self.where)
        return int(next(row["version"] for row in rows if row["plan_id"] == plan))

    def decide_plan(self, plan: str, *, by: str = SECOND, is_approved: bool = True, because: str = "") -> str:
        """Decide a plan as another person on the version it has."""
        told = {"is_approved": is_approved, "because": because, "seen": self.seen(plan)}
        self.desk.decide_plan(actor=by, **self.where, plan=plan, **told)
        return plan

    def planned(self, **changed: object) -> str:
        """Return a plan that two people put in force and that is of record dates since long ago."""
        cutoff = int(str(changed.get("cutoff_days", 0)))
        first = clock.today() + timedelta(days=cutoff + 1)
        plan = self.decide_plan(self.propose_plan(**{"from_on": first.isoformat(), **changed}))
        self.backdate("registry.reinvestment_plan", "from_on = from_on - 400", f"plan_id = '{plan}'")
        return plan

    def backdate(self, table: str, change: str, where: str = "true") -> None:
        """Change what stands in a table; its triggers look away."""
        with self.untriggered(table) as admin:
            admin.execute(f"update {table} set {change} where {where}".encode())

    def elect(self, investor: str, share_bp: int, days_ago: int = 1) -> str:
        """Let a holder elect, some days ago."""
        election = new_id("elc")
        self.desk.elect_reinvestment(
            actor=investor,
            **self.where,
            election=election,
            investor=investor,
            share_bp=share_bp,
            paper_sha256=None,
        )
        earlier = f"given_at = given_at - interval '{days_ago} days'"
        self.backdate("registry.reinvestment_election", earlier, f"election_id = '{election}'")
        return election

    def drafted(self, available: int, **terms: Any) -> str:  # noqa: ANN401 - any term
        """Draft a distribution of yesterday's register and answer for whoever is screened."""
        run = self.runs.draft(self.offering, pool(available, **terms), actor="usr_first")
        self.screen()
        return run

    def started(self, available: int, **terms: Any) -> str:  # noqa: ANN401 - any term
        """Take a distribution to where it is paid, with no more money than it pays out."""
        run = self.drafted(available, **terms)
        self.approve(run)
        self.start(run)
        return run

    def start(self, made: str) -> str:
        """Fund what is paid in money, and start."""
        row = self.runs.standing(self.offering, made)
        if money := row["distributable_minor"] - row["reinvested_minor"]:
            self._made += 1
            self.fund(made, money, f"issuer{self._made}")
        self.runs.start(self.offering, made, actor="usr_first")
        return made

    def cancel(self, run: str) -> None:
        """End a draft."""
        seen = self.runs.standing(self.offering, run)["version"]
        self.call("engine.cancel_distribution", self.offering, run, "not now", seen)

    def found(self, run: str) -> dict[str, tuple[int, int, str | None]]:
        """Return units, amount and reason of each election of a run."""
        ask = "select investor_id, units, amount_minor, because from engine.reinvestment"
        rows = self.ask(f"{ask} where distribution_id = %s", run)
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    def minted(self) -> list[Line]:
        """Return what can be minted now, as lines of a transaction."""
        return [
            {
                "distribution": row["distribution_id"],
                "address": bytes(row["address"]).hex(),
                "units": row["units"],
            }
            for row in self.desk.mint_plan(**self.where)
        ]

    def sign(self, name: str, lines: list[Line]) -> str:
        """Store a transaction with these lines; return its id."""
        self.call("registry.open_key", CHAIN, AGENT_KEY, "agent")
        with self.login("registry").transaction():
            stored = {
                "id": f"txn_{name}",
                "intent": f"int_{name}",
                "purpose": "reinvestment",
                "chain_id": CHAIN,
                "sender": AGENT_KEY.hex(),
                "nonce": self.call("registry.take_nonce", CHAIN, AGENT_KEY),
                "max_fee": 2_000_000_000,
                "priority_fee": 1_000_000_000,
                "hash": digest(name).hex(),
                "raw": "00",
            }
            self.call("registry.record_transaction", self.offering, stored, lines)
        return f"txn_{name}"

    def issue(self, name: str = "mint") -> int:
        """Mint what can be minted and let it become final; return how many lines are posted."""
        lines = self.minted()
        posted = self.final(self.sign(name, lines), lines) if lines else 0
        self.look()
        return posted

    def waits(self) -> dict[str, str]:
        """Return the rule that each line of a started distribution waits for, by holder."""
        return {row["investor_id"]: row["rule"] for row in self.desk.hindered_lines(**self.where)}

    def differs_at(self, delivered: int) -> int:
        """Return how many totals of the register would differ from such a supply; nothing is kept."""
        seen = {"block_number": 9, "block_hash": "09" * 32, "undelivered": 0, "minted": delivered}
        with self.login("registry").transaction(force_rollback=True):
            differing: int = self.call("registry.compare_records", self.offering, seen)
        return differing

    def apart(self, more: Mapping[str, int]) -> list[str]:
        """Return what the comparison says of a chain with so many more units in wallets than the register."""
        rows = self.ask("select address, units from registry.address_units")
        lines = {bytes(row[0]).hex(): row[1] + more.get(bytes(row[0]).hex(), 0) for row in rows}
        told = json.dumps({"lines": lines, "delivered": sum(lines.values()), "block": 10})
        ask = "select kind from reconciliation.holdings(%s, null, %s::jsonb)"
        return [kind for (kind,) in self.ask(ask, self.offering, told)]

    def logs(self, lines: list[Line], change: Mapping[str, object]) -> str:
        """Return logs of these lines, the first one changed."""
        told = [
            {"address": line["address"], "units": line["units"], "ordinal": n} for n, line in enumerate(lines)
        ]
        return json.dumps([{**told[0], **change}, *told[1:]])


__all__ = ["COST", "ONE", "PROPOSER", "SECOND", "THREE", "TWO", "Reinvestor", "yesterday"]
