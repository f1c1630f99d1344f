"""Orders to the bank: bytes first, then the bank; a run that dies anywhere pays each refund once."""

from __future__ import annotations

import random

import pytest

from bookrunner.books import treasury
from bookrunner.db import Database, Row
from bookrunner.engine.desk import Desk
from bookrunner.engine.process import Process
from tests.attack.world import Connect
from tests.treasury.escrow import DAY, PRICE, Escrow, refused

INVESTORS = 12
CRASHES = 50


class Killed(BaseException):
    """The process is gone between two steps."""


class Bank:
    """A bank that pays each order id once, and whose caller may die before or after it has the bytes."""

    def __init__(self, seed: int) -> None:
        self.orders: dict[str, bytes] = {}
        self._random = random.Random(seed)
        self.crashes = 0

    def write(self, payout: str, refunds: list[Row]) -> bytes:
        self._die()
        return "\n".join([payout, *(f"{r['refund']} {r['amount']}" for r in refunds)]).encode()

    def hand_over(self, payout: str, content: bytes) -> str:
        self._die()
        assert self.orders.setdefault(payout, content) == content
        self._die()
        return f"ack {payout}"

    def reference_of(self, payout: str) -> str | None:
        return f"ack {payout}" if payout in self.orders else None

    def paid(self) -> list[str]:
        return sorted(line for order in self.orders.values() for line in order.decode().split("\n")[1:])

    def _die(self) -> None:
        if self.crashes < CRASHES and self._random.random() < 0.9:
            self.crashes += 1
            raise Killed


def test_fifty_deaths_between_bank_and_commit_pay_each_refund_once(
    connect: Connect, database: Database
) -> None:
    world = Escrow(connect, investors=INVESTORS).build("received")
    world.call("engine.move_offer", world.offering, "closed_unsuccessfully")
    world.call("treasury.refund_ended", world.offering, None, 1000)
    bank, keeper = Bank(7), treasury.keeper(database)
    finished = False
    while not finished:
        try:
            treasury.send_refunds(keeper, world.offering, bank.write, bank)
            finished = True
        except Killed:
            world.check()
    assert bank.crashes == CRASHES
    assert bank.paid() == sorted(f"rfd_rcp_one{n} {n * PRICE}" for n in world.numbers)
    assert world.ask("select status, count(*) from treasury.refund group by 1") == [("sent", INVESTORS)]
    assert world.balance("asset:escrow_bank") == world.balance("liab:refund_payable") == 0
    world.check()


def test_a_return_after_registration_is_answered_by_a_hold(connect: Connect, database: Database) -> None:
    world = Escrow(connect).build("registered")
    world.call("treasury.record_return", world.offering, "rcp_one2", "R01", DAY)
    Process(Desk(database)).drain()
    assert world.ask("select investor_id from registry.holding where status = 'held'") == [("ivr_one2",)]


@pytest.mark.parametrize("whole", [True, False])
def test_the_end_of_an_investment_or_offer_is_answered_by_refunds(
    connect: Connect, database: Database, *, whole: bool
) -> None:
    world = Escrow(connect).build("received")
    if whole:
        world.call("engine.move_offer", world.offering, "closed_unsuccessfully")
    else:
        world.call("engine.request_cancellation", world.offering, "inv_one2")
        world.call("engine.decide_cancellation", world.offering, "inv_one2", "true", actor="usr_second")
    process = Process(Desk(database))
    process.drain()
    process.drain()
    assert world.balance("liab:refund_payable") == (6 if whole else 2) * PRICE
    world.check()


def test_the_ledger_is_exported(connect: Connect, database: Database) -> None:
    world = Escrow(connect, investors=1).build("funded")
    keeper = treasury.keeper(database)
    assert treasury.trial_balance_csv(keeper, world.offering) == (
        "account,currency,debit,credit\n"
        "asset:escrow_bank,USD,500.00,0.00\n"
        "liab:inv:inv_one1:cleared,USD,0.00,500.00\n"
        "liab:inv:inv_one1:received,USD,0.00,0.00\n"
        "liab:unmatched,USD,0.00,0.00\n"
    )
    lines = treasury.account_statement_csv(keeper, world.offering, "liab:unmatched").splitlines()
    assert lines[0] == "occurred_at,journal_id,kind,side,amount,currency,balance"
    assert [line.split(",")[2:] for line in lines[1:]] == [
        ["receipts_booked", "credit", "500.00", "USD", "500.00"],
        ["receipts_matched", "debit", "500.00", "USD", "0.00"],
    ]
    assert treasury.three_way_csv(keeper, world.offering) == (
        "currency,cash,bank,coins,on_its_way,investors,queues,receivable,agrees\n"
        "USD,500.00,500.00,0.00,0.00,500.00,0.00,0.00,True\n"
    )
    assert treasury.statement_agreement_csv(keeper, world.offering) == (
        "closed_on,currency,statement,ledger,agrees\n2026-03-31,USD,500.00,500.00,True\n"
    )


def test_an_order_is_shown_after_the_look_is_on_record(connect: Connect) -> None:
    world = Escrow(connect).build("registered")
    world.release()
    world.call("treasury.store_release_payout", world.offering, "pyo_1", b"order", f"rel_{world.label}")
    view = ("treasury.view_order", world.offering, "pyo_1", "ovw_1")
    with refused("order_view_has_its_purpose"):
        world.call(*view, " ")
    with refused("order_exists"):
        world.call("treasury.view_order", world.offering, "pyo_none", "ovw_1", "a look")
    assert bytes(world.call(*view, "for the bank")) == b"order"
    assert world.ask("select payout_id, purpose, viewed_by from treasury.order_view") == [
        ("pyo_1", "for the bank", "usr_first")
    ]
    assert world.ask("select kind from audit.event where subject = 'ovw_1'") == [("order_view.viewed",)]
