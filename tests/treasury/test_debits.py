"""ACH debits: authorised, sent once, in progress until the money is there, and back for the bank's reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from bookrunner.adapters.bank.files import AnyFormatReader
from bookrunner.adapters.bank.payouts import AchEntry, AchFile, AchReturn, write_ach
from bookrunner.adapters.payments import debit_identification
from bookrunner.adapters.payments.debits import originator
from bookrunner.adapters.payments.dispatch import Dispatch
from bookrunner.books import treasury
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from bookrunner.engine.desk import Desk
from bookrunner.engine.intake import fingerprint, import_returns, import_statement
from bookrunner.sandbox.bank import Payment, StatementHead, write_statement
from tests.attack.world import Connect
from tests.treasury.escrow import PRICE, Escrow, digest, refused

ROUTING, OURS = "021000021", "076401251"
COLLECTS = {
    "destination": ROUTING,
    "destination_name": "Their bank",
    "origin": OURS,
    "origin_name": "Our bank",
    "company_name": "Example Fund",
    "company_id": "1234567890",
    "description": "FUNDING",
}
MONDAY = date(2026, 3, 30)


class Collector:
    """An escrow whose first two investors have approved an account to debit, and a worker's outbox."""

    def __init__(self, world: Escrow, database: Database, folder: Path) -> None:
        self.world = world
        self.desk = Desk(database)
        self.folder = folder
        books = folder / "accounts"
        books.mkdir()
        lines = "".join(f"Person,ACC{n},{ROUTING}\n" for n in world.numbers)
        (books / f"{world.offering}.csv").write_text(f"name,number,bank\nEscrow,ESCROW1,{OURS}\n{lines}")
        (books / f"{world.offering}.ach.json").write_text(json.dumps(COLLECTS))
        self.outbox = Dispatch(books, str(folder / "orders"), fingerprint)
        for n in world.numbers:
            world.call("treasury.approve_source", world.id("ivr", n), f"src_ach{n}", fingerprint(f"ACC{n}"))

    def order(self, n: int, name: str = "", **changed: object) -> None:
        given = {"payer": fingerprint(f"ACC{n}"), "mandate": digest("mandate"), "kind": "PPD"} | changed
        self.world.call(
            "treasury.order_debit",
            self.world.offering,
            name or f"dbt_{n}",
            self.world.id("inv", n),
            *given.values(),
        )

    def send(self) -> list[tuple[str | None, int]]:
        """Let the worker send; return what every file so far collects."""
        treasury.send_waiting(self.desk.treasury, self.outbox)
        orders = self.folder / "orders"
        files = sorted(orders.iterdir()) if orders.exists() else []
        read = [AnyFormatReader().read(file.read_bytes()) for file in files]
        return [(entry.end_to_end_id, entry.amount_minor) for part in read for entry in part.entries]

    def arrive(self, amount: int, name: str) -> int:
        payment = Payment(amount, None, "Example Fund", "BATCH", MONDAY, rail="ach_debit", end_to_end_id=name)
        raw = write_statement(StatementHead("ESCROW1", "USD", 1, MONDAY), [payment])
        return import_statement(self.desk, AnyFormatReader(), self.world.offering, raw, actor="usr_first")

    def come_back(self, n: int, code: str) -> int:
        ((trace,),) = self.world.ask("select trace from treasury.debit where debit_id = %s", f"dbt_{n}")
        entry = AchEntry(
            routing=OURS,
            account="1",
            amount_minor=n * PRICE,
            credit=False,
            name="Person",
            identification="back",
            returned=AchReturn(code=code, original_trace=trace, received_by=ROUTING),
        )
        said = {"written_at": clock.now().replace(tzinfo=None), "effective_on": clock.today(), **COLLECTS}
        raw = write_ach(AchFile(**said), [entry])  # type: ignore[arg-type]
        return import_returns(self.desk, AnyFormatReader(), self.world.offering, raw, actor="usr_first")


def traced(debit: str, digit: str) -> list[dict[str, str]]:
    return [{"debit": debit, "trace": digit * 15}]


@pytest.fixture
def collector(connect: Connect, database: Database, tmp_path: Path) -> Collector:
    """Return a collector of an offer whose investors are asked to pay."""
    world = Escrow(connect)
    world.build("instructed")
    return Collector(world, database, tmp_path)


def test_a_debit_is_sent_once_and_in_progress_until_it_clears(collector: Collector) -> None:
    world = collector.world
    collector.order(1)
    collector.order(2)
    expected = [(debit_identification(f"dbt_{n}"), n * PRICE) for n in (1, 2)]
    assert collector.send() == expected
    assert collector.send() == expected
    assert [world.funding(n) for n in world.numbers] == ["in_progress", "in_progress", "initialized"]
    assert world.ask("select count(*) from treasury.journal") == [(0,)]
    assert collector.arrive(PRICE, debit_identification("dbt_1")) == 1
    assert (world.funding(1), world.gates(1)) == ("received", (True, False))
    assert world.ask("select rail, clears_on from treasury.receipt") == [("ach_debit", date(2026, 5, 29))]
    assert world.call("treasury.clear_due", world.offering, "2026-05-28", 10) == 0
    assert world.call("treasury.clear_due", world.offering, "2026-05-29", 10) == 1
    assert world.funding(1) == "cleared"
    world.check()


def test_a_wrong_account_fails_in_plain_words(collector: Collector) -> None:
    world = collector.world
    collector.order(1)
    collector.send()
    assert collector.come_back(1, "R04") == 0
    assert world.funding(1) == "failed"
    assert world.ask("select status, return_code from treasury.debit") == [("returned", "R04")]
    ((told,),) = world.ask("select sentence from treasury.notification where told_to = 'investor'")
    assert "The account number is not valid." in told
    assert world.ask("select count(*) from treasury.open_alarm") == [(0,)]


def test_a_return_after_the_money_takes_the_receipt_back(collector: Collector) -> None:
    world = collector.world
    collector.order(2)
    collector.send()
    collector.arrive(2 * PRICE, debit_identification("dbt_2"))
    world.call("treasury.clear", world.offering, None)
    assert world.gates(2) == (True, True)
    assert collector.come_back(2, "R10") == 1
    assert (world.funding(2), world.gates(2)) == ("returned", (False, False))
    with refused("reason_allows_a_retry"):
        world.call("treasury.retry_payment", world.offering, "pay_x", world.id("inv", 2), "RF00000000000077")
    world.check()


def test_a_debit_is_voided_until_its_file_is_written(collector: Collector) -> None:
    collector.order(1)
    with refused("one_debit_waits_per_investment"):
        collector.order(1, "dbt_again")
    collector.world.call("treasury.void_debit", collector.world.offering, "dbt_1")
    assert collector.send() == []
    collector.order(1, "dbt_again")
    assert len(collector.send()) == 1
    with refused("transition_is_listed_for_the_keeper"):
        collector.world.call("treasury.void_debit", collector.world.offering, "dbt_again")
    with refused("debit_exists"):
        collector.world.call("treasury.void_debit", collector.world.offering, "dbt_none")


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"payer": digest("a stranger")}, "source_is_approved"),
        ({"mandate": b""}, "debit_names_its_authorisation"),
        ({"kind": "ARC"}, "debit_has_its_entry_class"),
    ],
)
def test_what_is_not_authorised_is_not_ordered(
    collector: Collector, changed: dict[str, object], rule: str
) -> None:
    with refused(rule):
        collector.order(1, **changed)
    assert collector.send() == []


def test_an_investor_who_is_not_cleared_any_more_is_not_debited(collector: Collector) -> None:
    world = collector.world
    collector.order(1)
    collector.order(2)
    world.revoke(1)
    assert collector.send() == [(debit_identification("dbt_2"), 2 * PRICE)]
    with refused("gate_is_closed"):
        collector.order(1, "dbt_more")


def test_a_stored_file_is_not_handed_over_once_a_clearance_is_gone(collector: Collector) -> None:
    world = collector.world
    collector.order(1)
    with collector.desk.treasury.together() as within:
        write = collector.outbox.debits(world.offering)
        assert write is not None
        content, traces = write(within.take_debits(actor="treasury", offering=world.offering, most=5))
        order = {"payout": "pyo_1", "content": content, "debits": traces}
        within.store_debits(actor="treasury", offering=world.offering, **order)
    world.revoke(1)
    with refused("debit_is_of_a_cleared_investor"):
        world.call("treasury.take_payout", world.offering, "pyo_1")
    assert collector.send() == []
    with refused("payout_carries_each_debit_once"):
        world.call("treasury.store_debits", world.offering, "pyo_2", content, traces)


def test_who_collects_is_said_in_full(tmp_path: Path) -> None:
    path = tmp_path / "x.ach.json"
    for text in ("{", "[]", json.dumps(COLLECTS | {"more": "x"}), json.dumps(COLLECTS | {"origin": 1})):
        path.write_text(text)
        with pytest.raises(Refused, match="originator_is_readable"):
            originator(path)


def _paid_by_wire(world: Escrow, amount: int) -> None:
    entry = world.entry(1, fingerprint=fingerprint("ACC1").hex(), amount=amount)
    assert world.pay("wire", entry) == 1


def _failed_and_tried_again(world: Escrow) -> None:
    world.call("treasury.fail_payment", world.offering, "pay_one1", "ach_debit", "R01")
    world.call("treasury.retry_payment", world.offering, "pay_two", "inv_one1", "RF99000000000077")


def _cancelled(world: Escrow) -> None:
    world.call(
        "engine.cancel_investment", world.offering, "inv_one1", "asked by telephone", actor="usr_first"
    )


@pytest.mark.parametrize(
    "happens",
    [
        lambda world: world.call("treasury.fail_payment", world.offering, "pay_one1", "ach_debit", "R01"),
        _failed_and_tried_again,
        lambda world: _paid_by_wire(world, PRICE),
        lambda world: _paid_by_wire(world, PRICE - 1),
        _cancelled,
    ],
)
def test_a_debit_ends_with_what_it_was_ordered_for(
    collector: Collector, happens: Callable[[Escrow], None]
) -> None:
    world = collector.world
    collector.order(1)
    happens(world)
    with refused("payout_carries_each_debit_once"):
        world.call("treasury.store_debits", world.offering, "pyo_1", b"file", traced("dbt_1", "1"))
    assert collector.send() == []
    assert world.ask("select status from treasury.debit") == [("voided",)]


def test_only_the_debit_of_the_retry_goes_out(collector: Collector) -> None:
    world = collector.world
    collector.order(1)
    _failed_and_tried_again(world)
    collector.order(1, "dbt_two")
    assert collector.send() == [(debit_identification("dbt_two"), PRICE)]
    world.call("treasury.fail_payment", world.offering, "pay_two", "ach_debit", "R01")
    world.call("treasury.retry_payment", world.offering, "pay_three", "inv_one1", "RF99000000000088")
    with refused("earlier_debit_is_answered"):
        collector.order(1, "dbt_three")


@pytest.mark.parametrize(
    ("paid", "funding"), [(PRICE, "in_progress"), (2 * PRICE, "received"), (0, "failed")]
)
def test_a_return_is_kept_whatever_was_paid_meanwhile(collector: Collector, paid: int, funding: str) -> None:
    world = collector.world
    collector.order(2)
    collector.send()
    if paid:
        world.pay("wire", world.entry(2, fingerprint=fingerprint("ACC2").hex(), amount=paid))
    assert collector.come_back(2, "R01") == 0
    assert world.ask("select status, return_code from treasury.debit") == [("returned", "R01")]
    assert world.funding(2) == funding
    if paid == PRICE:
        world.pay(
            "rest", world.entry(2, fingerprint=fingerprint("ACC2").hex(), amount=PRICE, id="r", key="r")
        )
        assert world.funding(2) == "received"
    assert world.ask("select count(*) from treasury.open_alarm") == [(0,)]
    world.check()


def test_a_return_is_kept_after_its_payment_ended(collector: Collector) -> None:
    world = collector.world
    collector.order(1)
    collector.order(2)
    collector.send()
    world.call("treasury.fail_payment", world.offering, "pay_one1", "ach_debit", "R01")
    world.call("engine.cancel_investment", world.offering, "inv_one2", "asked by telephone")
    assert collector.come_back(1, "R10") == collector.come_back(2, "R01") == 0
    question = "select debit_id, status, return_code from treasury.debit order by 1"
    assert world.ask(question) == [("dbt_1", "returned", "R10"), ("dbt_2", "returned", "R01")]
    world.call("treasury.retry_payment", world.offering, "pay_two", "inv_one1", "RF99000000000077")
    with refused("reason_allows_a_debit"):
        collector.order(1, "dbt_more")


@pytest.mark.parametrize(
    ("code", "again", "other"),
    [
        ("R10", "reason_allows_a_debit", "reason_allows_a_debit"),
        ("R99", "reason_allows_a_debit", "reason_allows_a_debit"),
        ("R02", "debit_is_from_another_account", None),
        ("R01", None, None),
    ],
)
def test_the_reason_of_a_returned_part_is_asked(
    collector: Collector, code: str, again: str | None, other: str | None
) -> None:
    world = collector.world
    paid_from = fingerprint("ACC2")
    collector.order(2, "dbt_waits")
    world.pay("part", world.entry(2, amount=PRICE, rail="ach_debit", fingerprint=paid_from.hex()))
    world.call("treasury.record_return", world.offering, "rcp_one2", code, MONDAY)
    assert world.funding(2) == "initialized"
    sent = collector.send()
    assert len(sent) == (0 if again else 1)
    for name, payer, rule in (
        ("dbt_again", paid_from, again),
        ("dbt_other", digest("account ivr_one2"), other),
    ):
        if rule:
            with refused(rule):
                collector.order(2, name, payer=payer)
        elif again:
            collector.order(2, name, payer=payer)


def test_the_days_of_a_retry_are_asked_when_its_debit_is_ordered_and_sent(collector: Collector) -> None:
    world = collector.world
    first = (clock.today() - timedelta(days=180)).isoformat()
    source = fingerprint("ACC1").hex()
    world.pay("first", world.entry(1, rail="ach_debit", booked_on=first, value_on=first, fingerprint=source))
    world.call("treasury.record_return", world.offering, "rcp_one1", "R01", clock.today())
    world.call("treasury.retry_payment", world.offering, "pay_two", "inv_one1", "RF99000000000077")
    collector.order(1)
    world.login("owner").execute("update treasury.failure_reason set within_days = 179 where code = 'R01'")
    assert collector.send() == []
    assert world.ask("select status from treasury.debit") == [("voided",)]
    with refused("reason_allows_a_debit"):
        collector.order(1, "dbt_late")
