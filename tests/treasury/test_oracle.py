"""Random receipts, returns, refunds and closes against a small model: in = out + held, to the cent."""

from __future__ import annotations

import random
from collections.abc import Callable

import psycopg
import pytest

from tests.attack.world import Connect
from tests.treasury.escrow import DAY, PRICE, Escrow

INVESTORS = 4
OPERATIONS = 30
EXPECTED = {
    "stored_money_is_the_investors_own",
    "balance_is_available",
    "deposited_cheque_is_in_hand",
    "cleared_cheque_is_deposited",
    "proposed_act_fits_the_receipt",
    "received_is_within_due",
    "source_is_approved",
    "receipt_and_attempt_are_open",
    "receipt_returns_once",
    "one_refund_per_receipt",
    "refund_goes_to_its_source",
    "money_stands_after_issuance",
    "undone_match_stands_and_has_a_reason",
    "bounced_refund_was_sent",
    "retry_follows_a_failure",
    "reason_allows_a_retry",
    "transition_is_listed_for_the_keeper",
    "holding_stands_before_escrow_is_released",
    "account_is_never_overdrawn",
}


class NothingThere(Exception):
    """An operation was drawn before there was anything to do it to."""


class Model:
    """What a bank would say: money that came in, money that went out, and nothing about why."""

    def __init__(self) -> None:
        self.came_in = 0
        self.went_out = 0

    @property
    def held(self) -> int:
        return self.came_in - self.went_out


class Drive:
    """One random run over an escrow; every operation tells the model only what the bank would see."""

    def __init__(self, world: Escrow, seed: int) -> None:
        self.world = world
        self.rng = random.Random(seed)
        self.model = Model()
        self.serial = 0
        self.entries: dict[str, int] = {}

    def run(self) -> None:
        operations: list[Callable[[], None]] = [
            self.receive,
            self.receive,
            self.clear,
            self.take_back,
            self.refund,
            self.send,
            self.settle,
            self.bounce,
            self.undo,
            self.retry,
            self.by_hand,
            self.store,
            self.spend,
            self.withdraw,
            self.cheque,
            self.release,
        ]
        for _ in range(OPERATIONS):
            operation = self.rng.choice(operations)
            before, unchanged = (self.model.came_in, self.model.went_out), True
            try:
                operation()
            except NothingThere:
                continue
            except psycopg.Error as fault:
                if fault.diag.constraint_name not in EXPECTED:
                    raise
                unchanged = (self.model.came_in, self.model.went_out) == before
            assert unchanged
            self.check()

    def check(self) -> None:
        self.world.check()
        ((cash,),) = self.world.ask("select coalesce(sum(cash_minor), 0) from treasury.three_way")
        assert cash == self.model.held
        assert self.world.ask("select count(*) from treasury.balance where amount_minor < 0") == [(0,)]

    def receive(self) -> None:
        n, self.serial = self.rng.randint(1, INVESTORS), self.serial + 1
        reference = self.rng.choice([*self._references(n), None, "RF55555555555555"])
        amount = self.rng.choice(
            [n * PRICE, n * PRICE, self.rng.randint(1, n * PRICE), n * PRICE + self.rng.randint(1, 999)]
        )
        changed: dict[str, object] = {"rail": self.rng.choice(["wire", "ach_debit"])}
        if self.rng.random() < 0.1:
            changed["fingerprint"] = self.rng.choice([None, "ab" * 32])
        entry = self.world.entry(
            n, id=f"rcp_r{self.serial}", key=f"r{self.serial:05}", amount=amount, reference=reference
        )
        self.world.pay(f"r{self.serial}", entry | changed)
        self.entries[f"rcp_r{self.serial}"] = amount
        self.model.came_in += amount

    def take_back(self) -> None:
        receipt = self._any("select receipt_id from treasury.receipt")
        ((root,),) = self.world.ask(
            "select coalesce(root_id, receipt_id) from treasury.receipt where receipt_id = %s", receipt
        )
        self.world.call(
            "treasury.record_return", self.world.offering, receipt, self.rng.choice(["R01", "R10", None]), DAY
        )
        self.model.went_out += self.entries[root]

    def send(self) -> None:
        taken = self.world.call("treasury.take_refunds", self.world.offering, self.rng.randint(1, 3))
        if taken:
            self.serial += 1
            sent = [t["refund"] for t in taken]
            self.world.call(
                "treasury.store_payout", self.world.offering, f"pyo_{self.serial}", b"order", sent
            )
            self.model.went_out += sum(t["amount"] for t in taken)

    def bounce(self) -> None:
        refund = self._any("select refund_id from treasury.refund")
        ((amount,),) = self.world.ask("select amount_minor from treasury.refund where refund_id = %s", refund)
        self.world.call("treasury.bounce_refund", self.world.offering, refund, "AC04", DAY)
        self.model.came_in += amount

    def release(self) -> None:
        if self.rng.random() < 0.5 or self.world.ask("select count(*) from engine.closing") != [(0,)]:
            return
        ready = "select investment_id from engine.position where funds_are_cleared order by 1"
        chosen = [row[0] for row in self.world.ask(ready)]
        if not chosen:
            return
        self.world.numbers = [int(name[-1]) for name in chosen]  # type: ignore[assignment]
        self.world.call("engine.freeze_closing", self.world.offering, self.world.closing, chosen)
        for step in ("prepared", "submitted", "registered"):
            getattr(self.world, step)()
        self.world.release()
        self.model.went_out += sum(n * PRICE for n in self.world.numbers)

    def clear(self) -> None:
        self.world.call("treasury.clear", self.world.offering, None)

    def refund(self) -> None:
        receipt = self._any("select receipt_id from treasury.receipt")
        self.world.call("treasury.refund_receipt", self.world.offering, receipt, "cancellation")

    def settle(self) -> None:
        refund = self._any("select refund_id from treasury.refund")
        self.world.call("treasury.settle_refunds", self.world.offering, [refund], DAY)

    def undo(self) -> None:
        receipt = self._any("select receipt_id from treasury.receipt")
        self.world.call("treasury.undo_match", self.world.offering, receipt, "a mistake", "usr_second")

    def by_hand(self) -> None:
        receipt, n = (
            self._any("select receipt_id from treasury.receipt where status = 'unmatched'"),
            self.rng.randint(1, INVESTORS),
        )
        self.world.call(
            "treasury.match_by_hand", self.world.offering, receipt, self.world.id("inv", n), "usr_second"
        )

    def store(self) -> None:
        receipt = self._any("select receipt_id from treasury.receipt where status = 'unmatched'")
        investor = self.world.id("ivr", self.rng.randint(1, INVESTORS))
        self.world.call("treasury.store_receipt", self.world.offering, receipt, investor)

    def spend(self) -> None:
        n = self.rng.randint(1, INVESTORS)
        amount = self.rng.randint(1, n * PRICE)
        self.world.call("treasury.pay_from_balance", self.world.offering, self.world.id("inv", n), amount)

    def withdraw(self) -> None:
        n = self.rng.randint(1, INVESTORS)
        amount = self.rng.randint(1, PRICE)
        self.world.call("treasury.withdraw_balance", self.world.offering, self.world.id("ivr", n), amount)

    def cheque(self) -> None:
        n, self.serial = self.rng.randint(1, INVESTORS), self.serial + 1
        name, amount = f"rcp_c{self.serial}", self.rng.randint(1, n * PRICE)
        taken = {"receipt": name, "number": str(self.serial), "amount": amount, "drawer": "Example Person"}
        taken |= {"drawn_on": DAY, "received_on": DAY, "reference": f"RF{n:014}"}
        taken |= {"fingerprint": str(self.world.entry(n)["fingerprint"])}
        self.world.call("treasury.record_cheque", self.world.offering, taken)
        self.entries[name] = amount
        self.model.came_in += amount
        self.world.screen_payers()

    def retry(self) -> None:
        n, self.serial = self.rng.randint(1, INVESTORS), self.serial + 1
        again = [f"pay_r{self.serial}", self.world.id("inv", n), f"RF{900000 + self.serial:014}"]
        self.world.call("treasury.retry_payment", self.world.offering, *again)

    def _references(self, n: int) -> list[str]:
        question = (
            "select reference from treasury.payment_attempt where investment_id = %s order by attempt_no"
        )
        return [row[0] for row in self.world.ask(question, self.world.id("inv", n))]

    def _any(self, question: str) -> str:
        found = [row[0] for row in self.world.ask(f"{question} order by 1")]
        if not found:
            raise NothingThere
        return str(self.rng.choice(found))


@pytest.fixture(params=[*range(4), 100, 103])
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_money_in_is_money_out_and_money_held(connect: Connect, seed: int) -> None:
    world = Escrow(connect, investors=INVESTORS).build("instructed")
    world.linked()
    drive = Drive(world, seed)
    drive.run()
    assert drive.model.came_in > 0
