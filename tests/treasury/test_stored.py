"""Cheques by hand and balances that investors leave: counted once, spent once, sent back to their source."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import psycopg
import pytest

from bookrunner.adapters.bank.files import AnyFormatReader
from bookrunner.db import Database
from bookrunner.engine.desk import Desk
from bookrunner.engine.intake import import_statement
from bookrunner.sandbox.bank import Payment, StatementHead, write_statement
from tests.attack.world import Connect
from tests.treasury.escrow import DAY, PRICE, Escrow, digest, refused

MONDAY = date(2026, 3, 30)


def cheque(n: int, **changed: object) -> dict[str, object]:
    whole: dict[str, object] = {
        "receipt": f"rcp_chq{n}",
        "number": f"00100{n}",
        "amount": n * PRICE,
        "drawer": "Example Person",
        "custodian": "Example Trust Company",
        "drawn_on": "2026-03-20",
        "received_on": "2026-03-25",
        "reference": f"RF{n:014}",
        "fingerprint": digest(f"account ivr_one{n}").hex(),
    }
    return whole | changed


@pytest.fixture
def escrow(connect: Connect) -> Escrow:
    """Return an escrow whose investors are asked to pay."""
    world = Escrow(connect)
    world.build("instructed")
    return world


def take(database: Database, world: Escrow, payment: Payment, sequence: int = 1) -> int:
    raw = write_statement(StatementHead("ESCROW1", "USD", sequence, MONDAY), [payment])
    return import_statement(Desk(database), AnyFormatReader(), world.offering, raw, actor="usr_first")


def deposit(amount: int, number: str) -> Payment:
    return Payment(amount, None, "Example Person", "ACC1", MONDAY, rail="cheque", end_to_end_id=number)


def test_a_cheque_is_received_deposited_and_cleared_once(escrow: Escrow, database: Database) -> None:
    escrow.call("treasury.record_cheque", escrow.offering, cheque(1))
    assert (escrow.receipt("rcp_chq1"), escrow.gates(1)) == ("matched", (True, False))
    assert escrow.balance("asset:cheques_in_hand") == PRICE
    escrow.check()
    with refused("each_bank_entry_posts_once"):
        escrow.call("treasury.record_cheque", escrow.offering, cheque(1, receipt="rcp_other"))
    with refused("cleared_cheque_is_deposited"):
        escrow.call("treasury.clear", escrow.offering, ["rcp_chq1"])
    assert escrow.call("treasury.clear_due", escrow.offering, "2026-11-01", 10) == 0
    assert take(database, escrow, deposit(PRICE, "1001")) == 0
    assert (escrow.balance("asset:cheques_in_hand"), escrow.balance("asset:escrow_bank")) == (0, PRICE)
    assert escrow.ask("select on_its_way_minor from treasury.three_way") == [(0,)]
    with refused("deposited_cheque_is_in_hand"):
        escrow.call("treasury.deposit_cheque", escrow.offering, "rcp_chq1", DAY)
    assert escrow.call("treasury.clear_due", escrow.offering, "2026-04-06", 10) == 0
    assert escrow.call("treasury.clear_due", escrow.offering, "2026-04-07", 10) == 1
    assert escrow.gates(1) == (True, True)
    escrow.check()


def test_another_amount_is_no_deposit_of_the_cheque(escrow: Escrow, database: Database) -> None:
    escrow.call("treasury.record_cheque", escrow.offering, cheque(1))
    assert take(database, escrow, deposit(PRICE - 1, "1001")) == 1
    assert escrow.balance("asset:cheques_in_hand") == PRICE
    escrow.check()


@pytest.mark.parametrize("is_deposited", [False, True])
def test_a_cheque_that_bounces_is_a_return(escrow: Escrow, *, is_deposited: bool) -> None:
    escrow.call("treasury.record_cheque", escrow.offering, cheque(1))
    if is_deposited:
        escrow.call("treasury.deposit_cheque", escrow.offering, "rcp_chq1", DAY)
    escrow.call("treasury.record_return", escrow.offering, "rcp_chq1", "insufficient_funds", DAY)
    assert (escrow.funding(1), escrow.gates(1)) == ("returned", (False, False))
    assert escrow.balance("asset:cheques_in_hand") == escrow.balance("asset:escrow_bank") == 0
    with refused("receipt_returns_once"):
        escrow.call("treasury.record_return", escrow.offering, "rcp_chq1", "stopped", DAY)
    escrow.check()
    escrow.call("treasury.retry_payment", escrow.offering, "pay_again", "inv_one1", "RF00000000000077")
    assert escrow.funding(1) == "initialized"


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"drawer": " "}, "cheque_names_its_drawer"),
        ({"number": "10-01"}, "cheque_has_its_number"),
        ({"custodian": "7"}, "custodian_is_named"),
        ({"drawn_on": "2026-03-26"}, "cheque_is_not_drawn_ahead"),
        ({"drawn_on": "2025-09-01"}, "cheque_is_not_stale"),
    ],
)
def test_a_cheque_without_what_it_needs_is_refused(
    escrow: Escrow, changed: dict[str, object], rule: str
) -> None:
    with refused(rule):
        escrow.call("treasury.record_cheque", escrow.offering, cheque(1, **changed))
    assert escrow.balance("asset:cheques_in_hand") == 0


def test_a_cheque_of_somebody_else_is_held(escrow: Escrow) -> None:
    escrow.call("treasury.record_cheque", escrow.offering, cheque(1, fingerprint=digest("x").hex()))
    assert escrow.receipt("rcp_chq1") == "held"
    escrow.check()


def left(escrow: Escrow, amount: int = 3 * PRICE) -> None:
    """Let the second investor leave money in escrow."""
    escrow.pay("day", escrow.entry(2, id="rcp_left", key="left", amount=amount, reference=None, rail="wire"))
    escrow.call("treasury.store_receipt", escrow.offering, "rcp_left", "ivr_one2")


def available(escrow: Escrow) -> int:
    return int(escrow.ask("select coalesce(sum(available_minor), 0) from treasury.stored_balance")[0][0])


def test_a_balance_pays_what_is_due_and_keeps_the_rest(escrow: Escrow) -> None:
    left(escrow)
    assert available(escrow) == escrow.balance("liab:wallet:ivr_one2") == 3 * PRICE
    escrow.check()
    with refused("received_is_within_due"):
        escrow.call("treasury.pay_from_balance", escrow.offering, "inv_one2", 2 * PRICE + 1)
    escrow.call("treasury.pay_from_balance", escrow.offering, "inv_one2", 2 * PRICE)
    assert (escrow.gates(2), available(escrow)) == ((True, False), PRICE)
    escrow.check()
    # It clears as money of its own rail, and comes back as a whole when the bank takes it.
    assert escrow.call("treasury.clear_due", escrow.offering, "2026-03-30", 10) == 1
    escrow.call("treasury.record_return", escrow.offering, "rcp_left", "AC04", DAY)
    assert (escrow.funding(2), available(escrow), escrow.balance("asset:escrow_bank")) == ("returned", 0, 0)
    escrow.check()


def test_a_withdrawal_goes_to_the_source_and_never_above_what_is_there(escrow: Escrow) -> None:
    left(escrow)
    with refused("balance_is_available"):
        escrow.call("treasury.withdraw_balance", escrow.offering, "ivr_one2", 3 * PRICE + 1)
    assert escrow.call("treasury.withdraw_balance", escrow.offering, "ivr_one2", PRICE) == 1
    (sent,) = escrow.call("treasury.take_refunds", escrow.offering, 10)
    assert (sent["amount"], sent["fingerprint"]) == (PRICE, digest("account ivr_one2").hex())
    assert available(escrow) == 2 * PRICE
    escrow.check()


def test_nobody_stores_or_spends_the_money_of_another(escrow: Escrow) -> None:
    escrow.pay("day", escrow.entry(2, id="rcp_left", key="left", amount=PRICE, reference=None))
    with refused("stored_money_is_the_investors_own"):
        escrow.call("treasury.store_receipt", escrow.offering, "rcp_left", "ivr_one1")
    escrow.call("treasury.store_receipt", escrow.offering, "rcp_left", "ivr_one2")
    with refused("stored_money_is_the_investors_own"):
        escrow.call("treasury.store_receipt", escrow.offering, "rcp_left", "ivr_one2")
    with refused("balance_is_available"):
        escrow.call("treasury.pay_from_balance", escrow.offering, "inv_one1", PRICE)
    escrow.check()


def test_sixteen_spend_one_balance_once(escrow: Escrow, connect: Connect) -> None:
    left(escrow, PRICE)
    clients = [connect("treasury") for _ in range(16)]

    def spend(place: int) -> str | None:
        try:
            if place % 2:
                statement = "select treasury.pay_from_balance('usr_1', %s, %s, 'inv_one2', %s)"
            else:
                statement = "select treasury.withdraw_balance('usr_1', %s, %s, 'ivr_one2', %s)"
            clients[place].execute(statement.encode(), [f"req_race{place}", escrow.offering, PRICE])
        except psycopg.Error as fault:
            return fault.diag.constraint_name
        return None

    with ThreadPoolExecutor(16) as pool:
        told = Counter(pool.map(spend, range(16)))
    assert told == {None: 1, "balance_is_available": 15}
    escrow.check()
