"""Payments of a distribution: each line once, held or paid, by accounts that the payees have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from psycopg import Connection

from bookrunner.books import treasury
from bookrunner.books.treasury import hand_over_waiting
from bookrunner.db import Database
from bookrunner.engine.life.servicing.distributions import Distributions
from tests.allocation.test_illegal import every_right
from tests.attack.world import Connect
from tests.servicing.paying import DAY, POOL, SPONSOR, Payer, payer, pool
from tests.treasury.escrow import digest, refused
from tests.treasury.test_refunds import block, block_subject
from tests.treasury.test_stored import cheque

STRANGERS = {
    "id": "rcp_wire",
    "key": "key-wire",
    "amount": POOL,
    "reference": None,
    "fingerprint": digest("stranger").hex(),
}


@contextmanager
def unguarded(w: Payer, table: str) -> Iterator[Connection]:
    """Lend a connection whose changes of one table its own triggers let pass."""
    admin = w.login("admin")
    with admin.transaction():
        admin.execute(f"alter table {table} disable trigger user".encode())
        yield admin
        admin.execute(f"alter table {table} enable trigger user".encode())


class Nowhere:
    """A way to a bank that never had anything."""

    def hand_over(self, order: str, content: bytes) -> str:
        raise AssertionError(f"{order} left with {len(content)} bytes")

    def reference_of(self, order: str) -> str | None:
        assert order
        return None


@pytest.fixture
def world(connect: Connect, database: Database) -> tuple[Payer, Distributions]:
    return payer(connect, database)


def test_a_start_that_died_is_gone_on_with(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    w.call("engine.start_distribution", w.offering, distribution)
    assert w.states() == {}
    assert runs.look(pool().pay_on) == 3
    assert set(w.states().values()) == {"owed"}
    assert runs.look(pool().pay_on) == 0


def test_a_run_pays_everybody_once(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    assert runs.start(w.offering, distribution, actor="usr_first") == 3
    assert runs.start(w.offering, distribution, actor="usr_first") == 0
    assert (w.balance("liab:withheld_tax"), w.balance(f"liab:distribution:{distribution}")) == (
        300_00,
        700_00,
    )
    lines = w.send(distribution)
    assert len(lines) == 3
    assert w.send(distribution, "pyo_2") == []
    assert w.balance(f"liab:distribution:{distribution}") == 0
    assert runs.look(pool().pay_on) == 0
    assert w.call("treasury.settle_disbursements", w.offering, lines, DAY) == 3
    assert w.call("treasury.settle_disbursements", w.offering, lines, DAY) == 0
    assert runs.look(pool().pay_on) == 1
    assert runs.start(w.offering, distribution, actor="usr_first") == 0
    assert w.send(distribution, "pyo_3") == []
    with refused("payout_carries_each_line_once"):
        w.call("treasury.store_disbursements", w.offering, "pyo_4", b"again", lines[:1])
    w.check()


def test_only_failures_are_tried_again(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    lines = w.send(distribution)
    back = w.line(2)
    w.call("treasury.settle_disbursements", w.offering, lines, DAY)
    w.call("treasury.return_disbursement", w.offering, back, "AC04", DAY)
    assert sorted(w.states().values()) == ["paid", "paid", "returned"]
    w.check()
    with refused("returned_disbursement_was_sent"):
        w.call("treasury.return_disbursement", w.offering, back, "AC04", DAY)
    with refused("retried_line_failed"):
        w.call("treasury.retry_disbursements", w.offering, distribution, [w.line(1)])
    assert w.call("treasury.retry_disbursements", w.offering, distribution, None) == 1
    assert w.send(distribution, "pyo_2") == [back]
    w.call("treasury.settle_disbursements", w.offering, [back], DAY)
    assert w.ask("select try_no from treasury.disbursement order by 1") == [(1,), (1,), (2,)]
    assert set(w.states().values()) == {"paid"}
    w.check()


def test_a_match_holds_that_payee_alone(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    block(w, 1)
    runs.start(w.offering, distribution, actor="usr_first")
    assert len(w.send(distribution)) == 2
    assert w.states() == {w.id("ivr", 1): "held", w.id("ivr", 2): "paying", w.id("ivr", 3): "paying"}
    assert w.ask("select held_because from treasury.disbursement where status = 'held'") == [
        ("match_with_a_list",)
    ]
    assert w.call("treasury.retry_disbursements", w.offering, distribution, None) == 1
    with refused("payout_goes_to_nobody_held"):
        w.call("treasury.store_disbursements", w.offering, "pyo_9", b"past the look", [w.line(1)])
    assert w.send(distribution, "pyo_2") == []
    assert w.states()[w.id("ivr", 1)] == "held"
    w.check()


def test_a_match_between_order_and_bank_keeps_the_order(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    taken = w.call("treasury.take_disbursements", w.offering, distribution, 100)
    lines = [line["refund"] for line in taken]
    w.call("treasury.store_disbursements", w.offering, "pyo_1", b"order", lines)
    block(w, 1)
    with refused("payout_goes_to_nobody_held"):
        w.call("treasury.take_payout", w.offering, "pyo_1")
    w.call("treasury.withdraw_payout", w.offering, "pyo_1")
    assert set(w.states().values()) == {"owed"}
    assert len(w.send(distribution, "pyo_2")) == 2
    w.check()


class Taken(Nowhere):
    """A bank that took the bytes from a worker that died of the answer."""

    def reference_of(self, order: str) -> str | None:
        return f"ack {order}"


@pytest.mark.parametrize("is_asked", [True, False], ids=["the bank answers", "the statement comes first"])
def test_an_order_that_the_bank_took_is_sent(
    world: tuple[Payer, Distributions], database: Database, *, is_asked: bool
) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    lines = [e["refund"] for e in w.call("treasury.take_disbursements", w.offering, distribution, 100)]
    w.call("treasury.store_disbursements", w.offering, "pyo_1", b"order", lines)
    block(w, 1)
    if is_asked:
        assert hand_over_waiting(treasury.keeper(database), w.offering, Taken()) == ["pyo_1"]
    assert w.call("treasury.settle_disbursements", w.offering, lines, DAY) == 3
    reference = "ack pyo_1" if is_asked else "statement"
    assert w.ask("select status, bank_reference from treasury.payout") == [("handed_over", reference)]
    assert hand_over_waiting(treasury.keeper(database), w.offering, Nowhere()) == []
    assert set(w.states().values()) == {"paid"}
    assert runs.look(pool().pay_on) == 1
    w.check()


def test_a_distribution_that_is_withheld_whole_ends(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    w.login("owner").execute(
        "insert into engine.withholding_rate values"
        " ('none', '', 'dividend', '2020-01-01', 10000, 'of this test', 'unconfirmed', 'usr_1', 'usr_2')"
    )
    distribution = w.ready(runs)
    assert runs.look(pool().pay_on) == 0
    assert runs.start(w.offering, distribution, actor="usr_first") == 0
    assert w.balance("liab:withheld_tax") == POOL
    assert runs.look(pool().pay_on) == 1
    assert w.ask("select status from engine.distribution") == [("paid",)]
    assert runs.look(pool().pay_on) == 0
    w.check()


def test_an_order_goes_to_no_account_that_changed(
    world: tuple[Payer, Distributions], database: Database
) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    taken = w.call("treasury.take_disbursements", w.offering, distribution, 100)
    lines = [line["refund"] for line in taken]
    w.call("treasury.store_disbursements", w.offering, "pyo_1", b"order", lines)
    w.call("treasury.approve_source", w.id("ivr", 2), "src_second", digest("second account"))
    change = [w.id("ivr", 2), "pac_2", "bank", "src_second", "asked in writing"]
    w.call("treasury.propose_payee_account", *change)
    with refused("payout_goes_to_nobody_held"):
        w.call("treasury.take_payout", w.offering, "pyo_1")
    runs.screen_payee(w.id("ivr", 2), actor="usr_first")
    w.screen()
    w.call("treasury.decide_payee_account", w.id("ivr", 2), "pac_2", "true", 1, actor="usr_second")
    assert hand_over_waiting(treasury.keeper(database), w.offering, Nowhere()) == []
    assert w.ask("select status from treasury.payout") == [("withdrawn",)]
    assert len(w.send(distribution, "pyo_2")) == 3
    sent = "select payee_fingerprint from treasury.disbursement where investor_id = %s"
    assert w.ask(sent, w.id("ivr", 2)) == [(digest("second account"),)]
    w.check()


def test_a_screening_that_waits_holds_until_it_is_answered(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    w.call("compliance.enlist_for_payment", [w.id("ivr", 3)])
    assert len(w.send(distribution)) == 2
    assert w.ask("select held_because from treasury.disbursement where status = 'held'") == [
        ("screening_waits",)
    ]
    w.screen()
    w.call("treasury.retry_disbursements", w.offering, distribution, None)
    assert w.send(distribution, "pyo_2") == [w.line(3)]


def test_a_change_in_progress_holds_the_line(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    mapping = [w.offering, "wmp_new", w.id("ivr", 1), 31337, digest("new wallet")[:20], "wlc_new@1", "key"]
    w.call("registry.open_mapping", *mapping)
    w.call("treasury.approve_source", w.id("ivr", 2), "src_second", digest("second account"))
    for n, way in ((2, "bank"), (3, "bank")):
        source = "src_second" if n == 2 else w.id("src", n)
        w.call("treasury.propose_payee_account", w.id("ivr", n), f"pac_{n}", way, source, "asked in writing")
    assert w.send(distribution) == []
    held = dict(w.ask("select investor_id, held_because from treasury.disbursement"))
    assert held == {
        w.id("ivr", 1): "wallet_change_in_progress",
        w.id("ivr", 2): "account_change_in_progress",
        w.id("ivr", 3): "account_change_in_progress",
    }
    assert w.balance(f"liab:distribution:{distribution}") == 700_00
    with refused("payee_account_needs_two_people"):
        w.call("treasury.decide_payee_account", w.id("ivr", 2), "pac_2", "true", 1)
    runs.screen_payee(w.id("ivr", 2), actor="usr_first")
    w.screen()
    w.call("treasury.decide_payee_account", w.id("ivr", 2), "pac_2", "true", 1, actor="usr_second")
    w.call("treasury.decide_payee_account", w.id("ivr", 3), "pac_3", "false", 1, actor="usr_second")
    w.call("treasury.retry_disbursements", w.offering, distribution, None)
    assert len(w.send(distribution)) == 2
    sent = "select payee_fingerprint from treasury.disbursement where investor_id = %s"
    assert w.ask(sent, w.id("ivr", 2)) == [(digest("second account"),)]
    w.check()


def test_nobody_chooses_among_accounts(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    w.call("treasury.approve_source", w.id("ivr", 2), "src_second", digest("second account"))
    assert len(w.send(distribution)) == 2
    assert w.ask("select held_because from treasury.disbursement where status = 'held'") == [
        ("account_is_not_named",)
    ]


def test_one_person_gives_no_payee_its_account(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    tiers = [{"kind": "split", "holders_bp": 8000}]
    distribution = w.ready(runs, pool(tiers=tiers, sponsor=SPONSOR))
    runs.start(w.offering, distribution, actor="usr_first")
    w.call("treasury.approve_source", SPONSOR, "src_sponsor", digest("sponsor"))
    assert len(w.send(distribution)) == 3
    held = "select investor_id, held_because from treasury.disbursement where status = 'held'"
    assert w.ask(held) == [(SPONSOR, "account_is_not_known")]
    w.call("treasury.propose_payee_account", SPONSOR, "pac_1", "bank", "src_sponsor", "asked in writing")
    agreed = ["treasury.decide_payee_account", SPONSOR, "pac_1", "true", 1]
    # The bank never booked money from it: it is as good as new.
    with refused("payee_is_screened_before_it_is_paid"):
        w.call(*agreed, actor="usr_second")
    runs.screen_payee(SPONSOR, actor="usr_first")
    w.screen()
    w.call(*agreed, actor="usr_second")
    w.call("treasury.retry_disbursements", w.offering, distribution, None)
    assert len(w.send(distribution, "pyo_2")) == 1
    w.check()


def test_an_account_of_a_stranger_takes_two_people_and_a_screening(
    world: tuple[Payer, Distributions],
) -> None:
    w, runs = world
    tiers = [{"kind": "split", "holders_bp": 8000}]
    distribution = w.ready(runs, pool(tiers=tiers, sponsor=SPONSOR))
    runs.start(w.offering, distribution, actor="usr_first")
    assert len(w.send(distribution)) == 3
    named = (digest("sponsor"), digest("letter of its bank"))
    account = runs.name_account(SPONSOR, named, "its letter of today", actor="usr_first")
    agreed = ["treasury.decide_payee_account", SPONSOR, account, "true", 1]
    with refused("payee_is_screened_before_it_is_paid"):
        w.call(*agreed, actor="usr_second")
    with every_right(w, "treasury") as login, refused("payee_is_screened_before_it_is_paid"):
        login.execute(
            "insert into treasury.source_account (investor_id, source_id, fingerprint, status)"
            " values (%s, 'src_thief', %s, 'approved')",
            [SPONSOR, digest("sponsor")],
        )
        login.execute(
            "update treasury.payee_account set status = 'in_force', decided_by = 'usr_x',"
            " source_id = 'src_thief'"
        )
    for stolen in ("named_fingerprint = sha256('thief')", "source_id = 'src_sponsor'"):
        with every_right(w, "treasury") as login, refused("payee_account_stays_as_proposed"):
            login.execute(f"update treasury.payee_account set {stolen}".encode())  # noqa: S608
    w.screen()
    with refused("payee_account_needs_two_people"):
        w.call(*agreed)
    w.call(*agreed, actor="usr_second")
    w.call("treasury.retry_disbursements", w.offering, distribution, None)
    assert len(w.send(distribution, "pyo_2")) == 1
    sent = "select payee_fingerprint from treasury.disbursement where investor_id = %s"
    assert w.ask(sent, SPONSOR) == [(digest("sponsor"),)]
    with refused("new_account_has_its_evidence"):
        w.call("treasury.name_payee_account", SPONSOR, "pac_x", digest("other"), None, "no paper")
    w.check()


def test_a_wallet_is_no_account(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    w.call("treasury.approve_source", w.id("ivr", 2), "wallet:example", digest("wallet"))
    assert len(w.send(distribution)) == 3


def test_whoever_paid_from_a_wallet_names_its_account(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    also = (
        "insert into treasury.receipt select (jsonb_populate_record(r, jsonb_build_object("
        "'receipt_id', 'rcp_coin', 'dedupe_key', 'coin',"
        " 'source_fingerprint', %s::text))).*"
        " from treasury.receipt r where r.receipt_id = %s"
    )
    with unguarded(w, "treasury.receipt") as admin:
        admin.execute(also.encode(), ["\\x" + digest("wallet").hex(), w.id("rcp", 2)])
    assert len(w.send(distribution)) == 2
    held = "select investor_id, held_because from treasury.disbursement where status = 'held'"
    assert w.ask(held) == [(w.id("ivr", 2), "account_is_not_named")]


def test_money_of_a_listed_payer_pays_nobody(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = runs.draft(w.offering, pool(), actor="usr_first")
    w.screen()
    w.approve(distribution)
    w.pay("wire", w.entry(9, **STRANGERS))
    block_subject(w, "payer:" + digest("stranger").hex())
    with refused("fund_comes_from_nobody_listed"):
        w.call("treasury.fund_distribution", w.offering, distribution, "rcp_wire", w.version("wire"))
    assert w.receipt("rcp_wire") == "unmatched"
    w.check()


@pytest.mark.parametrize("told", ["account", "reference"])
def test_money_of_an_investor_pays_no_holders(world: tuple[Payer, Distributions], told: str) -> None:
    w, runs = world
    distribution = runs.draft(w.offering, pool(), actor="usr_first")
    w.screen()
    w.approve(distribution)
    ((reference, account),) = w.ask(
        "select a.reference, encode(s.fingerprint, 'hex') from treasury.payment_attempt a"
        " join treasury.source_account s using (investor_id) where a.investment_id = %s",
        w.id("inv", 1),
    )
    tells = {"fingerprint": account} if told == "account" else {"reference": reference}
    w.pay("wire", w.entry(9, **STRANGERS | tells))
    if told == "reference":
        # Money whose match two people undid has a reference, and an account that nobody approved.
        w.login("admin").execute("alter table treasury.receipt disable trigger user")
        w.login("admin").execute(
            "update treasury.receipt set status = 'unmatched' where receipt_id = 'rcp_wire'"
        )
        w.login("admin").execute("alter table treasury.receipt enable always trigger zz_guard")
    with refused("fund_is_no_investors_money"):
        w.call("treasury.fund_distribution", w.offering, distribution, "rcp_wire", w.version("wire"))


@pytest.mark.parametrize("rail", ["cheque", "stablecoin"])
def test_nothing_pays_holders_that_is_not_on_the_bank_account(
    world: tuple[Payer, Distributions], rail: str
) -> None:
    w, runs = world
    distribution = runs.draft(w.offering, pool(), actor="usr_first")
    w.screen()
    w.approve(distribution)
    w.call("treasury.record_cheque", w.offering, cheque(9, receipt="rcp_chq", amount=POOL, reference="none"))
    with unguarded(w, "treasury.receipt") as admin:
        admin.execute(b"update treasury.receipt set rail = %s where receipt_id = 'rcp_chq'", [rail])
    assert w.receipt("rcp_chq") == "unmatched"
    assert w.ask("select clears_on < current_date from treasury.receipt where receipt_id = 'rcp_chq'") == [
        (True,)
    ]
    assert runs.payments.unowned_receipts(offering=w.offering) == []
    with refused("fund_is_final_and_within_the_amount"):
        w.call("treasury.fund_distribution", w.offering, distribution, "rcp_chq", w.version("chq"))


def test_a_payee_may_leave_its_money_as_a_balance(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    investor = w.id("ivr", 1)
    w.call("treasury.propose_payee_account", investor, "pac_1", "balance", w.id("src", 1), "to invest again")
    w.call("treasury.decide_payee_account", investor, "pac_1", "true", 1, actor="usr_second")
    assert len(w.send(distribution)) == 2
    assert w.states()[investor] == "paid"
    ((net,),) = w.ask("select net_minor from engine.distribution_line where investor_id = %s", investor)
    assert w.ask("select available_minor from treasury.stored_balance where investor_id = %s", investor) == [
        (net,)
    ]
    w.check()
    assert w.call("treasury.withdraw_balance", w.offering, investor, net) == 1
    w.check()


def test_a_match_keeps_the_balance_of_its_payee(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    investor = w.id("ivr", 1)
    w.call("treasury.propose_payee_account", investor, "pac_1", "balance", w.id("src", 1), "to invest again")
    w.call("treasury.decide_payee_account", investor, "pac_1", "true", 1, actor="usr_second")
    assert len(w.send(distribution)) == 2
    block(w, 1)
    assert w.call("treasury.withdraw_balance", w.offering, investor, 1_00) == 1
    assert w.call("treasury.take_refunds", w.offering, 10) == []
    ((refund,),) = w.ask("select refund_id from treasury.refund where status = 'created'")
    with refused("payout_goes_to_nobody_blocked"):
        w.call("treasury.store_payout", w.offering, "pyo_9", b"past the look", [refund])
    w.check()


def _age(w: Payer, owed_since: str = "owed_since - 1") -> None:
    """Let the term of what is unclaimed be over."""
    w.login("owner").execute("insert into treasury.unclaimed_term values ('2021-01-01', 1, 'usr_1', 'usr_2')")
    w.login("admin").execute("alter table treasury.disbursement disable trigger all")
    w.login("admin").execute(f"update treasury.disbursement set owed_since = {owed_since}".encode())  # noqa: S608
    w.login("admin").execute("alter table treasury.disbursement enable always trigger zz_guard")
    w.login("admin").execute("alter table treasury.disbursement enable always trigger disbursement_stays")


def test_what_came_back_and_aged_is_paid_under_the_next_number(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    w.send(distribution)
    back = w.line(2)
    w.call("treasury.return_disbursement", w.offering, back, "AC04", DAY)
    _age(w)
    assert w.call("treasury.age_disbursements", pool().pay_on) == 1
    tried = "select status, try_no from treasury.disbursement where disbursement_id = %s"
    assert w.ask(tried, back) == [("unclaimed", 2)]
    assert w.call("treasury.retry_disbursements", w.offering, distribution, [back]) == 1
    assert w.send(distribution, "pyo_2") == [back]
    assert w.call("treasury.settle_disbursements", w.offering, [back], DAY) == 1
    w.call("treasury.return_disbursement", w.offering, back, "AC04", DAY)
    assert w.ask(tried, back) == [("returned", 2)]
    names = "select booking_id from treasury.booking where booking_id ~ %s order by 1"
    assert [name for (name,) in w.ask(names, back)] == [
        f"bounced:{back}@1",
        f"bounced:{back}@2",
        f"{back}@1",
        f"{back}@2",
    ]
    w.check()


def test_what_nobody_can_be_paid_is_unclaimed_and_still_owed(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    w.call("treasury.approve_source", w.id("ivr", 2), "src_second", digest("second account"))
    w.send(distribution)
    today = pool().pay_on
    assert w.call("treasury.age_disbursements", today) == 0
    with refused("unclaimed_day_has_come"):
        w.call("treasury.age_disbursements", today + timedelta(days=200))
    _age(w, "'2025-01-10'")
    assert w.call("treasury.age_disbursements", today) == 1
    assert w.states()[w.id("ivr", 2)] == "unclaimed"
    _write_and_lose(w, w.line(2))
    assert w.balance(f"liab:distribution:{distribution}") > 0
    assert w.call("treasury.retry_disbursements", w.offering, distribution, None) == 1
    w.check()


def _write_and_lose(w: Payer, unpaid: str) -> None:
    """Let the agent write to a payee whom money does not reach, and lose it."""
    work = "select work, subject, due_on, certainty from engine.holder_work order by due_on, work"
    seventh_month = [("write_to_unpaid_payee", unpaid, date(2025, 8, 10), "confirmed")]
    assert w.login("registry").execute(work).fetchall() == seventh_month
    with refused("notice_is_of_unpaid_money"):
        w.call("registry.record_unpaid_notice", w.offering, unpaid, "2025-01-09", digest("letter"))
    with refused("notice_is_of_unpaid_money"):
        w.call("registry.record_unpaid_notice", w.offering, w.line(1), "2025-08-01", digest("letter"))
    w.call("registry.record_unpaid_notice", w.offering, unpaid, "2025-08-01", digest("letter"))
    with refused("payee_is_written_to_once"):
        w.call("registry.record_unpaid_notice", w.offering, unpaid, "2025-08-02", digest("letter"))
    assert w.ask(work) == []
    ((holding,),) = w.ask("select holding_id from registry.holding where investor_id = %s", w.id("ivr", 2))
    said = {
        "holding": holding,
        "region": "US-NY",
        "last_contact_on": "2024-06-01",
        "returned_on": "2025-01-10",
    }
    w.call("registry.return_mail", w.offering, "lst_two", said | {"sha256": digest("envelope").hex()})
    again = ["2025-02-01", "2025-02-20", digest("second envelope")]
    w.call("registry.lose_holder", w.offering, "lst_two", *again)
    assert w.ask(work) == [
        ("make_first_search", "sea_two.1", date(2026, 2, 20), "confirmed"),
        ("units_fall_to_state", "lst_two", date(2027, 6, 1), "unconfirmed"),
        ("money_falls_to_state", unpaid, date(2028, 1, 10), "unconfirmed"),
    ]
