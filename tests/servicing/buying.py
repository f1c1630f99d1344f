"""An issuer that buys units back: short names for what its people, holders and the chain do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Keeper
from bookrunner.engine.life.servicing.distributions import Distributions
from tests.attack.world import CHAIN, Connect, digest
from tests.servicing.paying import DAY, Payer, distributions, yesterday

PROPOSER, SECOND = "issuer.iris", "agent.tess"
NUMBERS = (10, 20, 31)
BACK = 45_000
AGENT_KEY = b"\x09" * 20


class Buyer(Payer):
    """Three holders with 10, 20 and 31 units, and an issuer that pays 450.00 for one."""

    def __init__(self, connect: Connect, database: Database) -> None:
        super().__init__(connect)
        self.numbers = NUMBERS  # type: ignore[assignment]
        self.hold()
        self.where = {"offering": self.offering}
        self.back: Keeper = registry.buybacks_of(database)
        self.register: Keeper = registry.keeper(database)
        self.runs: Distributions = distributions(database)
        self._made = 0

    def propose(self, **changed: object) -> str:
        """Propose a buy-back of 30 units, with some of its terms changed; None leaves one out."""
        self._made += 1
        made = f"bbk_{self.label}{self._made}"
        asked = {
            "kind": "tender",
            "price_minor": BACK,
            "most_units": 30,
            "periods_bind": False,
            "opens_at": (clock.now() - timedelta(minutes=1)).isoformat(),
            "closes_at": (clock.now() + timedelta(days=20)).isoformat(),
            "authority_sha256": digest("resolution").hex(),
            "authority_reference": "resolution 8",
            **changed,
        }
        self.back.propose_buyback(actor=PROPOSER, **self.where, buyback=made, asked=asked)
        return made

    def decide(self, made: str, *, by: str = SECOND, is_approved: bool = True, because: str = "") -> str:
        """Decide a buy-back as another person."""
        self.back.decide_buyback(
            actor=by, **self.where, buyback=made, is_approved=is_approved, because=because
        )
        return made

    def invited(self, **changed: object) -> str:
        """Return a buy-back that two people opened."""
        return self.decide(self.propose(**changed))

    def tender(self, made: str, n: int, units: int) -> str:
        """Let a holder offer units."""
        named = {"buyback": made, "tender": new_id("tnd"), "investor": self.id("ivr", n)}
        offer = {"units": units, "paper_sha256": digest(f"offer of {n}")}
        self.back.tender(actor=f"holder.{n}", **self.where, **named, **offer)
        return str(named["tender"])

    def withdraw(self, made: str, n: int) -> None:
        """Let a holder take its offer back."""
        self.back.withdraw_tender(actor=f"holder.{n}", **self.where, buyback=made, investor=self.id("ivr", n))

    @contextmanager
    def untriggered(self, table: str) -> Iterator[Any]:
        """Lend a connection whose changes of one table its own triggers let pass."""
        admin = self.login("admin")
        with admin.transaction():
            admin.execute(f"alter table {table} disable trigger user".encode())
            yield admin
            admin.execute(f"alter table {table} enable trigger user".encode())

    def pass_days(self) -> None:
        """Let every window end that is open now."""
        earlier = "update registry.buyback set closes_at = clock_timestamp()"
        with self.untriggered("registry.buyback") as admin:
            admin.execute(earlier.encode())

    def accept(self, made: str) -> dict[str, int]:
        """Let the window end and accept; return the units taken of each holder."""
        self.pass_days()
        self.back.accept_buyback(actor=PROPOSER, **self.where, buyback=made)
        return self.taken(made)

    def taken(self, made: str) -> dict[str, int]:
        """Return the units that are taken of each holder."""
        return {row["investor_id"]: row["units"] for row in self.lines(made)}

    def lines(self, made: str) -> list[dict[str, Any]]:
        """Return the lines of an accepted buy-back."""
        rows: list[dict[str, Any]] = self.back.redemption_lines(**self.where, buyback=made)
        return rows

    def draft(self, made: str, name: str = "dst_back") -> str:
        """Draft the distribution that pays it, and answer for whoever is screened."""
        self.call("engine.draft_redemption", self.offering, made, name, yesterday())
        self.runs.screen(self.offering, name, actor="usr_first")
        self.screen()
        return name

    def owed(self, made: str) -> int:
        """Return what a buy-back costs."""
        return sum(row["amount_minor"] for row in self.lines(made))

    def start(self, made: str) -> str:
        """Take an accepted buy-back to where its money is set apart; return its distribution."""
        paid = self.draft(made)
        self.approve(paid)
        self.fund(paid, self.owed(made))
        assert self.runs.start(self.offering, paid, actor="usr_first") == 0
        return paid

    def plan(self, made: str) -> list[dict[str, object]]:
        """Return what can be burned now, as lines of a transaction."""
        return [
            {
                "buyback": made,
                "holding": row["holding_id"],
                "address": bytes(row["address"]).hex(),
                "units": -row["units"],
            }
            for row in self.back.burn_plan(**self.where, buyback=made)
            if row["address"] is not None
        ]

    def sign(self, name: str, lines: list[dict[str, object]]) -> str:
        """Store a transaction with these lines; return its id."""
        self.call("registry.open_key", CHAIN, AGENT_KEY, "agent")
        with self.login("registry").transaction():
            stored = {
                "id": f"txn_{name}",
                "intent": f"int_{name}",
                "purpose": "redemption",
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

    def final(self, transaction: str, lines: list[dict[str, object]]) -> int:
        """Let the chain make a transaction final that did these lines; return how many were new."""
        logs = [
            {"address": line["address"], "units": line["units"], "ordinal": n} for n, line in enumerate(lines)
        ]
        block = {"number": 9, "hash": digest("block").hex(), "incarnation": digest("genesis").hex()}
        posted: int = self.call("registry.finalize", self.offering, transaction, block, json.dumps(logs))
        return posted

    def burn(self, made: str, name: str = "burn") -> int:
        """Burn what can be burned, and owe it; return how many lines are owed anew."""
        if lines := self.plan(made):
            self.final(self.sign(name, lines), lines)
        return self.runs.look(clock.today())

    def control(self, kind: str, **terms: object) -> None:
        """Let two people order a control action, and find the chain as it wants it."""
        self._made += 1
        action = {**self.where, "action": f"cta_{self._made}"}
        asked = {"kind": kind, "because": "an order", **terms}
        self.register.ask_control(actor="agent.theo", **action, asked=asked)
        self.register.decide_control(actor=SECOND, **action, is_approved=True, because="")
        version = self.register.control_plan(**action)["version"]
        self.register.submit_control(actor="process", **action, version=version, steps="[]")

    def held(self) -> dict[str, int]:
        """Return the units of each holder in the register."""
        return dict(self.ask("select investor_id, units from registry.holding order by 1"))

    def differing(self) -> list[tuple[Any, ...]]:
        """Return totals that are not equal, and holdings that are not their postings and lots."""
        return self.ask(
            "select kind from registry.comparison where left_units <> right_units"
            " union all select holding_id from registry.holding_parts"
            " where units <> posted_units or units <> lot_units"
        )

    def settle(self, paid: str, payout: str = "pyo_back") -> list[str]:
        """Order what is owed, and let the bank show it as paid; return the lines."""
        lines = self.send(paid, payout)
        self.call("treasury.settle_disbursements", self.offering, lines, DAY)
        return lines


def rule_of(act: Any) -> str:  # noqa: ANN401 - any act
    """Return the rule by which an act is refused, or nothing when it is not."""
    try:
        act()
    except Refused as refused:
        return refused.rule
    return ""
