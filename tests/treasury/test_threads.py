"""Eight administrators at once: whatever they do, the ledger stays at zero, and nobody waits in a ring."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg

from tests.attack.world import Connect
from tests.treasury.escrow import DAY, PRICE, Escrow
from tests.treasury.test_oracle import EXPECTED

THREADS, OPERATIONS = 8, 40
RACED = {
    "decision_is_on_the_version_seen",
    "proposal_is_about_the_receipt_as_it_was",
    "one_proposal_waits_per_receipt",
    "payout_carries_each_refund_once",
    "parts_sum_to_the_receipt",
    "divided_receipt_waits",
    "decided_record_exists",
}

DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"


class Clerk:
    """One administrator with a connection, who draws acts from a seed."""

    def __init__(self, connection: psycopg.Connection, world: Escrow, seed: int) -> None:
        self.connection = connection
        self.world = world
        self.seed = seed
        self.rng = random.Random(seed)
        self.serial = 0

    def run(self) -> Counter[str]:
        acts: list[Callable[[], None]] = [self.receive, self.receive, self.clear, self.take_back, self.refund]
        acts += [self.send, self.settle, self.undo, self.divide]
        told: Counter[str] = Counter()
        for _ in range(OPERATIONS):
            try:
                with self.connection.transaction():
                    self.rng.choice(acts)()
            except psycopg.Error as fault:
                told[fault.diag.constraint_name or fault.sqlstate or "unknown"] += 1
            else:
                told["done"] += 1
        # What a session has counted is seen by others only once it hands its counts over.
        self.connection.execute("select pg_stat_force_next_flush()")
        return told

    def call(self, verb: str, *values: object, actor: str = "usr_first") -> object:
        self.serial += 1
        marks = ", ".join(["%s"] * (len(values) + 3))
        given = [actor, f"req_{self.seed}_{self.serial}", self.world.offering, *values]
        row = self.connection.execute(f"select treasury.{verb}({marks})".encode(), given).fetchone()
        assert row is not None
        return row[0]

    def any(self, question: str) -> str:
        found = [row[0] for row in self.connection.execute(question.encode()).fetchall()]
        return str(self.rng.choice(found or ["none"]))

    def receive(self) -> None:
        n, name = self.rng.choice(self.world.numbers), f"{self.seed}_{self.serial}"
        amount = self.rng.choice([n * PRICE, PRICE // 2, n * PRICE + 7])
        entry = self.world.entry(n, id=f"rcp_{name}", key=name, amount=amount)
        head, entries = self.world.statement(name, [entry | {"rail": "wire"}])
        self.call("import_statement", json.dumps(head), json.dumps(entries))
        self.call("match")

    def clear(self) -> None:
        self.call("clear", None)

    def take_back(self) -> None:
        self.call("record_return", self.any("select receipt_id from treasury.receipt order by 1"), "R01", DAY)

    def refund(self) -> None:
        question = "select receipt_id from treasury.receipt where root_id is null order by 1"
        self.by_two("refund", self.any(question))

    def undo(self) -> None:
        question = "select receipt_id from treasury.receipt where status in ('matched', 'cleared') order by 1"
        self.by_two("undo", self.any(question))

    def by_two(self, act: str, receipt: str) -> None:
        question = "select version from treasury.receipt where receipt_id = %s"
        row = self.connection.execute(question.encode(), [receipt]).fetchone()
        name = f"prp_{self.seed}_{self.serial}"
        self.call("propose_act", name, act, receipt, None, "because", 0 if row is None else row[0])
        self.call("decide_act", name, "true", "", 1, actor="usr_second")

    def send(self) -> None:
        taken = self.call("take_refunds", 2)
        if isinstance(taken, list) and taken:
            refunds = [one["refund"] for one in taken]
            self.call("store_payout", f"pyo_{self.seed}_{self.serial}", b"order", refunds)

    def settle(self) -> None:
        self.call("settle_refunds", [self.any("select refund_id from treasury.refund order by 1")], DAY)

    def divide(self) -> None:
        question = "select receipt_id from treasury.receipt where status = 'unmatched' order by 1"
        receipt, name = self.any(question), f"{self.seed}_{self.serial}"
        found = self.connection.execute(
            b"select amount_minor from treasury.receipt where receipt_id = %s", [receipt]
        ).fetchone()
        amount = 9 if found is None else found[0]
        parts = [{"id": f"rcp_{name}x", "amount": 4}, {"id": f"rcp_{name}y", "amount": amount - 4}]
        self.call("divide_receipt", receipt, json.dumps(parts))


def test_random_acts_of_eight_administrators_keep_the_ledger(connect: Connect) -> None:
    world = Escrow(connect, investors=4)
    world.build("instructed")
    world.pay("first", *(world.entry(n) for n in world.numbers))
    clerks = [Clerk(connect("treasury"), world, seed) for seed in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        told = sum(pool.map(Clerk.run, clerks), Counter())
    assert told["done"] > THREADS * OPERATIONS // 3
    assert set(told) <= {"done"} | EXPECTED | RACED, told
    assert world.ask(DEADLOCKS) == [(0,)]
    world.check()
