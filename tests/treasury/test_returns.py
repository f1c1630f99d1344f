"""The bank takes money back at every moment: the funding gate closes, no account goes below zero."""

from __future__ import annotations

from bookrunner.core import clock
from tests.attack.world import Connect
from tests.treasury.escrow import DAY, PRICE, Escrow, digest, refused


def test_before_matching(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    head, entries = world.statement("first", [world.entry(1)])
    world.call("treasury.import_statement", world.offering, head, entries)
    world.call("treasury.record_return", world.offering, "rcp_one1", "R02", DAY)
    assert world.receipt("rcp_one1") == "returned"
    assert world.call("treasury.match", world.offering) == 0
    assert world.balance("liab:unmatched") == world.balance("asset:escrow_bank") == 0
    assert world.funding(1) == "initialized"
    world.check()


def test_after_matching(connect: Connect) -> None:
    world = Escrow(connect).build("received")
    assert world.gates(1) == (True, False)
    world.call("treasury.record_return", world.offering, "rcp_one1")
    assert (world.funding(1), world.gates(1)) == ("returned", (False, False))
    assert world.balance("liab:inv:inv_one1:received") == 0
    assert (world.funding(2), world.gates(2)) == ("received", (True, False))
    world.check()


def test_after_clearing_stops_what_is_instructed(connect: Connect) -> None:
    world = Escrow(connect).build("prepared")
    world.call("treasury.record_return", world.offering, "rcp_one2")
    assert (world.funding(2), world.gates(2)) == ("returned", (False, False))
    assert world.ask("select investment_id from engine.position where issuance_is_stopped") == [("inv_one2",)]
    lines = world.call("registry.take_lines", world.offering, world.closing, 10)
    assert sorted(line["investment"] for line in lines) == ["inv_one1", "inv_one3"]
    world.check()


def test_after_registration_holds_the_holding_and_its_release(connect: Connect) -> None:
    world = Escrow(connect).build("registered")
    world.call("treasury.record_return", world.offering, "rcp_one3")
    assert world.ask("select investment_id from engine.position where holding_is_held") == [("inv_one3",)]
    world.release()
    assert world.ask("select investment_id from treasury.release_line order by 1") == [
        ("inv_one1",),
        ("inv_one2",),
    ]
    assert world.balance("asset:escrow_bank") == 0
    world.check()


def test_after_release_opens_a_receivable_and_never_overdraws_escrow(connect: Connect) -> None:
    world = Escrow(connect).build("registered")
    world.release()
    assert (world.funding(1), world.balance("asset:escrow_bank")) == ("settled", 0)
    world.call("treasury.record_return", world.offering, "rcp_one1", "R10", DAY)
    assert (world.funding(1), world.gates(1)) == ("returned", (False, False))
    assert world.balance("asset:escrow_bank") == 0
    assert world.balance("asset:clawback_receivable") == world.balance("liab:bank_overdraft") == PRICE
    assert world.ask("select investment_id from engine.position where holding_is_held") == [("inv_one1",)]
    world.check()


def test_a_recovery_pays_the_bank_first(connect: Connect) -> None:
    world = Escrow(connect).build("registered")
    world.release()
    world.call("treasury.record_return", world.offering, "rcp_one1")
    with refused("recovery_is_within_the_receivable"):
        world.call("treasury.record_recovery", world.offering, "rcp_one1", PRICE + 1, DAY)
    world.call("treasury.record_recovery", world.offering, "rcp_one1", PRICE - 1, DAY)
    assert (world.balance("liab:bank_overdraft"), world.balance("asset:escrow_bank")) == (1, 0)
    world.pay("second", world.entry(2, id="rcp_late", key="late", amount=5, reference=None))
    assert (world.balance("liab:bank_overdraft"), world.balance("asset:escrow_bank")) == (0, 4)
    world.check()


def test_of_one_part_payment_leaves_the_other(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.pay(
        "first",
        world.entry(2, id="rcp_a", key="a", amount=40_000),
        world.entry(2, id="rcp_b", key="b", amount=60_000),
    )
    assert world.funding(2) == "received"
    world.call("treasury.record_return", world.offering, "rcp_b")
    assert (world.funding(2), world.gates(2)) == ("returned", (False, False))
    assert world.balance("liab:inv:inv_one2:received") == 40_000
    world.check()


def test_of_an_overpaid_receipt_takes_its_excess_with_it(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.pay("first", world.entry(1, amount=PRICE + 500))
    assert world.balance("liab:refund_payable") == 500
    world.call("treasury.record_return", world.offering, "rcp_one1")
    assert world.balance("asset:escrow_bank") == world.balance("liab:refund_payable") == 0
    assert world.ask("select status from treasury.refund") == [("cancelled",)]
    world.check()


def test_after_a_refund_was_sent_is_a_receivable(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.pay("first", world.entry(1, reference=None), world.entry(2))
    refund = world.call("treasury.refund_receipt", world.offering, "rcp_one1", "unidentified")
    world.call("treasury.store_payout", world.offering, "pyo_1", b"bytes", [refund])
    world.call("treasury.record_return", world.offering, "rcp_one1")
    assert world.balance("asset:clawback_receivable") == PRICE
    world.check()
    world.call("treasury.bounce_refund", world.offering, refund, "AC04", DAY)
    assert world.balance("asset:clawback_receivable") == 0
    world.check()


def test_twice_or_of_nothing_is_refused(connect: Connect) -> None:
    world = Escrow(connect).build("received")
    world.call("treasury.record_return", world.offering, "rcp_one1")
    with refused("receipt_returns_once"):
        world.call("treasury.record_return", world.offering, "rcp_one1")
    with refused("receipt_exists"):
        world.call("treasury.record_return", world.offering, "rcp_none")
    world.check()


def test_a_retry_follows_the_reason_of_the_failure(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    again = [world.offering, "pay_again", "inv_one1", "RF99000000000001"]
    with refused("retry_follows_a_failure"):
        world.call("treasury.retry_payment", *again)
    world.call("treasury.fail_payment", world.offering, "pay_one1", "ach_debit", "R01")
    assert world.funding(1) == "failed"
    assert world.call("treasury.retry_payment", *again) == PRICE
    with refused("retry_follows_a_failure"):
        world.call("treasury.retry_payment", world.offering, "pay_more", "inv_one1", "RF99000000000002")
    world.call("treasury.fail_payment", world.offering, "pay_again", "ach_debit", "R01")
    world.call("treasury.retry_payment", world.offering, "pay_third", "inv_one1", "RF99000000000003")
    world.call("treasury.fail_payment", world.offering, "pay_third", "ach_debit", "R01")
    with refused("reason_allows_a_retry"):
        world.call("treasury.retry_payment", world.offering, "pay_fourth", "inv_one1", "RF99000000000004")


def test_an_unauthorized_debit_is_never_retried(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.pay("first", world.entry(1, rail="ach_debit"))
    world.call("treasury.record_return", world.offering, "rcp_one1", "R10", DAY)
    with refused("reason_allows_a_retry"):
        world.call("treasury.retry_payment", world.offering, "pay_again", "inv_one1", "RF99000000000001")


def test_a_retry_after_a_partial_return_asks_for_what_is_missing(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    today = clock.today().isoformat()
    debit = {"rail": "ach_debit", "booked_on": today, "value_on": today}
    world.pay(
        "first",
        world.entry(2, id="rcp_a", key="a", amount=40_000, **debit),
        world.entry(2, id="rcp_b", key="b", amount=60_000, **debit),
    )
    world.call("treasury.record_return", world.offering, "rcp_b", "R01", today)
    asked = world.call("treasury.retry_payment", world.offering, "pay_x", "inv_one2", "RF99000000000001")
    assert asked == 60_000
    world.pay("second", world.entry(2, id="rcp_c", key="c", amount=60_000, reference="RF99000000000001"))
    assert (world.funding(2), world.gates(2)) == ("received", (True, False))
    world.call("treasury.clear", world.offering, None)
    assert (world.funding(2), world.gates(2)) == ("cleared", (True, True))
    world.check()


def test_a_closed_account_is_retried_from_another(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.pay("first", world.entry(1, rail="ach_debit"))
    world.call("treasury.record_return", world.offering, "rcp_one1", "R02", DAY)
    again = [world.offering, "pay_again", "inv_one1", "RF99000000000001"]
    with refused("reason_allows_a_retry"):
        world.call("treasury.retry_payment", *again)
    world.call("treasury.approve_source", "ivr_one1", "src_new", digest("another account"))
    assert world.call("treasury.retry_payment", *again) == PRICE
