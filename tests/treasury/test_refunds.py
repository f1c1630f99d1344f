"""Money goes back once, to its source; escrow goes out once, less fees; clearing waits its days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.types.json import Jsonb

from bookrunner.books import treasury
from bookrunner.db import Database, Row
from tests.attack.world import Connect
from tests.treasury.escrow import DAY, PRICE, Escrow, digest, refused


def _cancel(world: Escrow, n: int) -> None:
    world.call("engine.request_cancellation", world.offering, world.id("inv", n))
    world.call("engine.decide_cancellation", world.offering, world.id("inv", n), "true", actor="usr_second")


def test_a_refund_walks_to_its_source(connect: Connect) -> None:
    world = Escrow(connect).build("funded")
    _cancel(world, 1)
    assert world.call("treasury.refund_ended", world.offering, ["inv_one1", "inv_one2"], 100) == 1
    assert (world.funding(1), world.gates(1)) == ("sent_back_pending", (False, False))
    world.check()
    taken = world.call("treasury.take_refunds", world.offering, 10)
    assert [(t["amount"], t["fingerprint"]) for t in taken] == [(PRICE, digest("account ivr_one1").hex())]
    world.call("treasury.store_payout", world.offering, "pyo_1", b"order", [taken[0]["refund"]])
    assert world.balance("liab:refund_payable") == 0
    assert world.call("treasury.mark_handed_over", world.offering, "pyo_1", "ack 1") is True
    assert world.call("treasury.mark_handed_over", world.offering, "pyo_1", "ack 1") is False
    world.call("treasury.settle_refunds", world.offering, [taken[0]["refund"]], DAY)
    world.call("treasury.settle_refunds", world.offering, [taken[0]["refund"]], DAY)
    assert world.funding(1) == "sent_back_settled"
    assert world.ask("select bank_minor, on_its_way_minor from treasury.three_way") == [(5 * PRICE, 0)]
    assert world.call("treasury.refund_ended", world.offering, None, 100) == 0
    world.check()


def test_a_bounced_refund_reopens(connect: Connect) -> None:
    world = Escrow(connect).build("received")
    refund = world.call("treasury.refund_receipt", world.offering, "rcp_one1", "cancellation")
    with refused("bounced_refund_was_sent"):
        world.call("treasury.bounce_refund", world.offering, refund, "AC04", DAY)
    world.call("treasury.store_payout", world.offering, "pyo_1", b"order", [refund])
    world.call("treasury.settle_refunds", world.offering, [refund], DAY)
    world.call("treasury.bounce_refund", world.offering, refund, "AC04", DAY)
    assert (world.funding(1), world.balance("liab:refund_payable")) == ("sent_back_pending", PRICE)
    assert world.ask("select status, try_no from treasury.refund") == [("created", 2)]
    world.check()
    world.call("treasury.store_payout", world.offering, "pyo_2", b"order 2", [refund])
    with refused("payout_carries_each_refund_once"):
        world.call("treasury.store_payout", world.offering, "pyo_3", b"order 3", [refund])
    world.check()


def test_sixteen_refunds_of_the_same_money_give_one(connect: Connect) -> None:
    world = Escrow(connect).build("received")
    clients = [connect("treasury") for _ in range(16)]
    ((version,),) = world.ask("select version from treasury.receipt where receipt_id = 'rcp_one2'")
    world.call(
        "treasury.propose_act", world.offering, "prp_1", "refund", "rcp_one2", None, "cancelled", version
    )

    def refund(place: int) -> str | None:
        try:
            clients[place].execute(
                "select treasury.decide_act('usr_1', %s, %s, 'prp_1', true, '', 1)",
                [f"req_race{place}", world.offering],
            )
        except psycopg.Error as fault:
            return fault.diag.constraint_name
        return None

    with ThreadPoolExecutor(16) as pool:
        assert Counter(pool.map(refund, range(16))) == {None: 1, "decision_is_on_the_version_seen": 15}
    assert world.balance("liab:refund_payable") == 2 * PRICE
    world.check()


def test_a_part_goes_back(connect: Connect) -> None:
    world = Escrow(connect).build("funded")
    world.call("treasury.refund_receipt", world.offering, "rcp_one3", "excess", PRICE)
    assert world.balance("liab:inv:inv_one3:cleared") == 2 * PRICE
    assert world.balance("liab:refund_payable") == PRICE
    assert world.gates(3) == (False, False)
    world.check()


def test_no_order_is_written_to_a_party_with_a_match(connect: Connect) -> None:
    world = Escrow(connect).build("funded")
    block(world, 1)
    refund = world.call("treasury.refund_receipt", world.offering, "rcp_one1", "cancellation")
    assert world.call("treasury.take_refunds", world.offering, 10) == []
    with refused("payout_goes_to_nobody_blocked"):
        world.call("treasury.store_payout", world.offering, "pyo_1", b"bytes", [refund])
    world.check()


def block(world: Escrow, n: int) -> None:
    """Let two officers confirm that an investor is a listed party."""
    block_subject(world, world.id("ivr", n))


def block_subject(world: Escrow, subject: str) -> None:
    """Let two officers confirm that whoever is screened under this name is a listed party."""
    found = {"entry_id": "E1", "entry_digest": "bb" * 32, "score_bp": 9000, "parts": {}}
    result = {
        "source": "us.ofac.sdn",
        "list_version": "list-1",
        "matcher_version": "matcher.1",
        "subject_digest": "aa" * 32,
        "subject_kind": "person",
        "threshold_bp": 8500,
        "candidates": [found],
    }
    world.call("compliance.record_result", subject, "scr_x", Jsonb(result))
    ((hit, version),) = world.ask("select hit_id, version from compliance.hit")
    world.call("compliance.decide_hit", subject, hit, "confirmed", "the same man", version)
    world.call("compliance.second_hit", subject, hit, "true", "so it is", version + 1, actor="usr_second")


class Bank:
    """A bank that takes orders, or is about to die of the first."""

    def __init__(self, *, dies: bool = False) -> None:
        self.orders: dict[str, bytes] = {}
        self.dies = dies

    def write(self, order: str, refunds: Sequence[Row]) -> bytes:
        return "\n".join([order, *(refund["refund"] for refund in refunds)]).encode()

    def hand_over(self, order: str, content: bytes) -> str:
        self.orders[order] = content
        if self.dies:
            raise KeyboardInterrupt
        return f"ack {order}"

    def reference_of(self, order: str) -> str | None:
        return f"ack {order}" if order in self.orders else None


def _prepared(connect: Connect) -> tuple[Escrow, str]:
    """Return an escrow and its one stored order of three refunds; the first payee is then blocked."""
    world = Escrow(connect).build("received")
    world.call("engine.move_offer", world.offering, "closed_unsuccessfully")
    world.call("treasury.refund_ended", world.offering, None, 10)
    refunds = [taken["refund"] for taken in world.call("treasury.take_refunds", world.offering, 10)]
    world.call("treasury.store_payout", world.offering, "pyo_1", b"order", refunds)
    block(world, 1)
    return world, "pyo_1"


def test_an_order_is_not_handed_over_once_a_payee_is_blocked(connect: Connect, database: Database) -> None:
    world, order = _prepared(connect)
    with refused("payout_goes_to_nobody_blocked"):
        world.call("treasury.take_payout", world.offering, order)
    bank = Bank()
    assert treasury.send_refunds(treasury.keeper(database), world.offering, bank.write, bank) == 1
    ((content),) = bank.orders.values()
    assert content.decode().split("\n")[1:] == ["rfd_rcp_one2", "rfd_rcp_one3"]
    assert world.ask("select refund_id, status from treasury.refund order by 1") == [
        ("rfd_rcp_one1", "created"),
        ("rfd_rcp_one2", "sent"),
        ("rfd_rcp_one3", "sent"),
    ]
    assert world.balance("liab:refund_payable") == world.balance("asset:escrow_bank") == PRICE
    assert world.ask("select status from treasury.payout where payout_id = %s", order) == [("withdrawn",)]
    with refused("withdrawn_payout_was_not_handed_over"):
        world.call("treasury.withdraw_payout", world.offering, order)
    world.check()


def test_an_order_that_the_bank_has_is_never_withdrawn(connect: Connect, database: Database) -> None:
    world, order = _prepared(connect)
    bank = Bank()
    bank.orders[order] = b"order"
    keeper = treasury.keeper(database)
    assert treasury.send_refunds(keeper, world.offering, bank.write, bank) == 1
    assert world.ask("select status, bank_reference from treasury.payout") == [
        ("handed_over", f"ack {order}")
    ]
    assert treasury.send_refunds(keeper, world.offering, bank.write, bank) == 0
    assert len(bank.orders) == 1
    world.check()


def test_an_order_is_locked_from_the_look_to_the_answer(connect: Connect, database: Database) -> None:
    """The look and the bytes share a transaction: it leaves no mark when the worker dies of the answer."""
    world = Escrow(connect).build("received")
    world.call("engine.move_offer", world.offering, "closed_unsuccessfully")
    world.call("treasury.refund_ended", world.offering, None, 10)
    dying, keeper = Bank(dies=True), treasury.keeper(database)
    with pytest.raises(KeyboardInterrupt):
        treasury.send_refunds(keeper, world.offering, dying.write, dying)
    assert world.ask("select status from treasury.payout") == [("prepared",)]
    dying.dies = False
    assert treasury.send_refunds(keeper, world.offering, dying.write, dying) == 1
    assert len(dying.orders) == 1


def test_nobody_is_paid_whose_account_is_unknown(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.pay("first", world.entry(1, fingerprint=None))
    with refused("refund_goes_to_its_source"):
        world.call("treasury.refund_receipt", world.offering, "rcp_one1", "source_is_not_approved")
    with refused("decided_record_exists"):
        world.call("treasury.refund_receipt", world.offering, "rcp_none", "unidentified")


def test_a_failed_offer_sends_everything_back_in_pieces(connect: Connect) -> None:
    world = Escrow(connect, investors=7).build("received")
    world.call("treasury.clear", world.offering, ["rcp_one1", "rcp_one2"])
    world.pay("late", world.entry(1, id="rcp_x", key="x", amount=777, reference=None))
    world.pay("later", world.entry(2, id="rcp_y", key="y", amount=888, fingerprint=digest("z").hex()))
    assert world.call("treasury.refund_ended", world.offering, None, 100) == 0
    world.call("engine.move_offer", world.offering, "closed_unsuccessfully")
    counts = []
    while counts[-1:] != [0]:
        counts.append(world.call("treasury.refund_ended", world.offering, None, 4))
        world.check()
    assert counts == [4, 4, 1, 0]
    total = 28 * PRICE + 777 + 888
    assert world.balance("liab:refund_payable") == total == world.balance("asset:escrow_bank")
    refunds = [t["refund"] for t in world.call("treasury.take_refunds", world.offering, 100)]
    assert world.call("treasury.store_payout", world.offering, "pyo_1", b"order", refunds) == total
    assert world.balance("asset:escrow_bank") == 0
    world.check()


def test_a_release_pays_fees_as_lines_and_the_issuer_the_net(connect: Connect) -> None:
    world = Escrow(connect).build("registered")
    fees = [
        {
            "kind": "platform_fee",
            "payee": "platform",
            "fingerprint": digest("platform").hex(),
            "amount": 3_000,
        },
        {
            "kind": "broker_commission",
            "payee": "broker",
            "fingerprint": digest("broker").hex(),
            "amount": 9_000,
        },
    ]
    release = [world.offering, "rel_1"]
    gross = world.call("treasury.propose_release", *release, world.closing, digest("payee"), fees)
    assert gross == 6 * PRICE
    with refused("both_people_confirm_payee_and_amount"):
        world.call("treasury.approve_release", *release, digest("payee"), gross, gross, actor="usr_second")
    approve = ("treasury.approve_release", *release, digest("payee"), gross, gross - 12_000)
    for reason in (None, "  "):
        with refused("deductions_are_the_fees_shown"):
            world.call(*approve, reason, actor="usr_second")
    world.call(*approve, "agreed by letter", actor="usr_second")
    assert world.ask("select fees_differ, differ_because from treasury.release") == [
        (True, "agreed by letter")
    ]
    assert world.ask(
        "select account, amount_minor from treasury.entry where journal_id = 'released:rel_1' order by leg"
    ) == [
        ("liab:issuer_payable", gross - 12_000),
        ("asset:escrow_bank", gross),
        ("liab:fee:broker", 9_000),
        ("liab:fee:platform", 3_000),
    ]
    world.check()
    world.call("treasury.store_release_payout", world.offering, "pyo_1", b"order", "rel_1")
    with refused("release_is_paid_once"):
        world.call("treasury.store_release_payout", world.offering, "pyo_2", b"order", "rel_1")
    with refused("holding_stands_before_escrow_is_released"):
        world.call("treasury.propose_release", world.offering, "rel_2", world.closing, digest("payee"))
    world.call("treasury.settle_release", *release, "2026-04-02")
    assert world.ask("select bank_minor, on_its_way_minor from treasury.three_way") == [(0, 0)]
    world.check()


def test_fees_never_eat_the_release(connect: Connect) -> None:
    world = Escrow(connect).build("registered")
    all_of_it = [
        {"kind": "platform_fee", "payee": "platform", "fingerprint": digest("p").hex(), "amount": 6 * PRICE}
    ]
    propose = ["treasury.propose_release", world.offering, "rel_1", world.closing, digest("payee")]
    with refused("issuer_gets_the_larger_part"):
        world.call(*propose, all_of_it)
    with refused("deduction_kind_is_known"):
        world.call(*propose, [all_of_it[0] | {"kind": "gift", "amount": 1}])
    with refused("payee_is_named"):
        world.call(*propose, [all_of_it[0] | {"payee": "", "amount": 1}])


@pytest.mark.parametrize(
    ("rail", "booked", "clears"),
    [
        ("wire", "2026-03-30", "2026-03-30"),
        ("wire", "2026-04-04", "2026-04-06"),
        ("ach_credit", "2026-07-02", "2026-07-06"),
        ("ach_credit", "2026-11-25", "2026-11-30"),
        ("ach_debit", "2026-01-30", "2026-03-31"),
        ("cheque", "2026-05-15", "2026-05-29"),
        ("stablecoin", "2026-03-29", "2026-03-29"),
    ],
)
def test_money_clears_on_the_day_that_its_rail_says(
    connect: Connect, rail: str, booked: str, clears: str
) -> None:
    world = Escrow(connect)
    assert str(world.ask("select treasury.clears_on(%s, %s)", rail, booked)[0][0]) == clears


def test_the_policy_clears_what_is_due_and_nothing_before(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    debit = world.entry(2, rail="ach_debit", booked_on="2026-03-30")
    world.pay("first", world.entry(1), debit, closed_on="2026-03-31")
    assert world.call("treasury.clear_due", world.offering, "2026-03-31", 100) == 1
    assert (world.funding(1), world.funding(2)) == ("cleared", "received")
    assert world.call("treasury.clear_due", world.offering, "2026-05-28", 100) == 0
    assert world.call("treasury.clear_due", world.offering, "2026-05-29", 100) == 1
    with refused("clearing_day_has_come"):
        world.call("treasury.clear_due", world.offering, "2999-01-01", 100)
    world.check()


def test_a_policy_needs_two_people_and_a_day_to_come(connect: Connect) -> None:
    world = Escrow(connect)
    policy = ["2999-01-01", 5, "banking_days", "a new agreement with the bank"]
    for change, terms in (
        ("pch_1", policy),
        ("pch_past", ["2026-01-01", *policy[1:]]),
        ("pch_none", ["2998-01-01", *policy[1:]]),
    ):
        world.call("treasury.propose_clearing_policy", "ach_debit", change, *terms)
    decide = ["treasury.decide_clearing_policy", "ach_debit"]
    with refused("policy_needs_two_people"):
        world.call(*decide, "pch_1", "true", 1)
    with refused("policy_starts_in_the_future"):
        world.call(*decide, "pch_past", "true", 1, actor="usr_second")
    with refused("policy_names_its_source"):
        world.call("treasury.propose_clearing_policy", "ach_debit", "pch_x", *policy[:3], " ")
    world.call(*decide, "pch_past", "false", 1)
    world.call(*decide, "pch_none", None, 1)
    assert world.ask("select count(*) from treasury.clearing_policy where valid_from > '2990-01-01'") == [
        (0,)
    ]
    world.call(*decide, "pch_1", "true", 1, actor="usr_second")
    assert world.ask("select treasury.clears_on('ach_debit', '2999-01-01')") != world.ask(
        "select date '2999-03-02'"
    )
    with refused("history_is_append_only"):
        world.ask("update treasury.clearing_policy set hold_days = 0")


def test_each_statement_agrees_with_the_ledger_of_its_day(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.pay("first", world.entry(1), closed_on="2026-03-30")
    world.pay("second", world.entry(2), closed_on="2026-03-31", closing_minor=3 * PRICE)
    world.call("treasury.record_return", world.offering, "rcp_one1", None, "2026-04-01")
    world.pay("third", world.entry(3), closed_on="2026-04-01", closing_minor=5 * PRICE)
    world.pay("fourth", closed_on="2026-04-02", closing_minor=5 * PRICE + 1)
    assert world.ask(
        "select closed_on::text, agrees from treasury.statement_agreement order by closed_on"
    ) == [
        ("2026-03-30", True),
        ("2026-03-31", True),
        ("2026-04-01", True),
        ("2026-04-02", False),
    ]
