"""No order passes the cap, and no unit is lost, whatever comes in whatever order."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from bookrunner.db import Database
from tests.allocation.book import Book, process_of, refused
from tests.attack.world import Connect

STEPS = 120
HAPPENED = {
    "investment.confirmed",
    "investment.withdrawn",
    "investment.cancelled",
    "investment.expired",
    "investment.scaled_back",
    "allotment.decided",
    "waitlist_entry.promoted",
    "waitlist_entry.withdrawn",
}
EXPECTED = {
    "units_are_left",
    "units_reach_the_minimum",
    "units_go_to_the_waitlist_first",
    "waitlist_opens_when_units_run_out",
    "waiting_units_are_within_the_offer",
    "transition_is_listed_for_the_keeper",
    "one_place_per_investor",
    "cut_order_is_confirmed_and_open",
    "list_names_every_order_once",
}


class Drive:
    """Random orders, withdrawals, cancellations, expiries, cuts and promotions on one small offer."""

    def __init__(self, book: Book, seed: int) -> None:
        self.book = book
        self.rng = random.Random(seed)
        self.serial = seed * 1000
        self.refusals: Counter[str] = Counter()

    def run(self) -> None:
        acts = {
            self.order: 8, self.wait: 4, self.confirm: 5, self.withdraw: 2, self.cancel: 1, self.expire: 1,
            self.cut: 2, self.decide: 1, self.promote: 2, self.leave: 1,
        }  # fmt: skip
        for act in self.rng.choices([*acts], [*acts.values()], k=STEPS):
            try:
                act()
            except psycopg.Error as fault:
                self.refusals[str(fault.diag.constraint_name)] += 1
            self.book.check_units()

    def order(self) -> None:
        self.serial += 1
        ids = [f"inv_{self.serial}", f"ivr_{self.serial}"]
        self.book.call("engine.open_investment", self.book.offering, *ids, self.rng.randint(1, 8))

    def wait(self) -> None:
        self.serial += 1
        ids = [f"wle_{self.serial}", f"ivr_{self.rng.randint(1, 6)}"]
        self.book.call("engine.join_waitlist", self.book.offering, *ids, self.rng.choice([1, 2, 3, 4, 22]))

    def leave(self) -> None:
        for entry in self._any("select entry_id from engine.waitlist_entry where status = 'waiting'"):
            self.book.call("engine.leave_waitlist", self.book.offering, entry)

    def promote(self) -> None:
        self.book.call("engine.promote_waiting", self.book.offering)

    def withdraw(self) -> None:
        for investment in self._any(
            "select investment_id from engine.investment where status <> 'confirmed'"
        ):
            self.book.call("engine.withdraw", self.book.offering, investment)

    def expire(self) -> None:
        for investment in self._any("select investment_id from engine.investment where status = 'new'"):
            late = f"opened_at = opened_at - interval '31 minutes' where investment_id = '{investment}'"
            self.book.backdate("engine.position", late)
            assert self.book.call("engine.expire_reservations") == 1

    def confirm(self) -> None:
        for investment in self._any("select investment_id from engine.investment where status = 'new'"):
            self.book.confirm_past_the_gate(investment)

    def cancel(self) -> None:
        for investment in self._any("select investment_id from engine.investment where status = 'confirmed'"):
            self.book.call("engine.request_cancellation", self.book.offering, investment)
            granted = [self.book.offering, investment, True]
            self.book.call("engine.decide_cancellation", *granted, actor="usr_second")

    def cut(self) -> None:
        for investment in self._any("select investment_id from engine.investment where status = 'confirmed'"):
            self.serial += 1
            arguments = [f"alm_{self.serial}", investment, self.rng.randint(1, 4), "issuer", "less"]
            self.book.call("engine.scale_back", self.book.offering, *arguments)

    def decide(self) -> None:
        self.serial += 1
        self.book.decide(name=str(self.serial))

    def _any(self, question: str) -> list[str]:
        rows = self.book.ask(question + " and offering_id = %s order by 1", self.book.offering)
        return [self.rng.choice(rows)[0]] if rows else []


@pytest.mark.parametrize(("policy", "most"), [("first_come", 20), ("first_come", 45), ("pro_rata", 45)])
def test_units_sum_to_the_cap_after_every_step(connect: Connect, policy: str, most: int) -> None:
    kinds: set[str] = set()
    refusals: set[str] = set()
    for seed in range(1, 4):
        terms = {"policy": policy, "most_units": most, "hold_minutes": 30}
        book = Book(connect, f"seed{seed}", cap=20, least=2, **terms)
        drive = Drive(book.build("published"), seed)
        drive.run()
        kinds |= {row[0] for row in book.ask("select kind from audit.event")}
        refusals |= set(drive.refusals)
    assert kinds >= HAPPENED
    assert refusals <= EXPECTED
    assert refusals >= {"units_are_left", "units_reach_the_minimum", "units_go_to_the_waitlist_first"}


def test_a_thousand_orders_at_once_take_exactly_the_cap(connect: Connect, database: Database) -> None:
    """A thousand connections' worth of orders: forty sessions, each with twenty-five orders of one unit."""
    book = Book(connect, cap=600).build("published")
    dsn = database.endpoint.dsn("engine")

    def session(first: int) -> Counter[str]:
        told: Counter[str] = Counter()
        with psycopg.connect(dsn, autocommit=True) as connection:
            for n in range(first, first + 25):
                names = ["usr_1", f"req_{n}", book.offering, f"inv_{n}", f"ivr_{n}"]
                try:
                    connection.execute("select engine.open_investment(%s, %s, %s, %s, %s, 1)", names)
                    told["taken"] += 1
                except psycopg.Error as fault:
                    told[str(fault.diag.constraint_name)] += 1
                if n % 5 == 0 and told["taken"]:
                    # Units that are given back in between are sold again, or are free at the end.
                    row = connection.execute(
                        "select investment_id from engine.investment where investment_id = %s"
                        " and status = 'new'",
                        [f"inv_{n}"],
                    ).fetchone()
                    if row:
                        connection.execute(
                            "select engine.withdraw('usr_1', %s, %s, %s)",
                            [f"req_w{n}", book.offering, row[0]],
                        )
                        told["withdrawn"] += 1
        return told

    with ThreadPoolExecutor(40) as pool:
        told = sum(pool.map(session, range(0, 1000, 25)), Counter())
    assert set(told) == {"taken", "withdrawn", "units_are_left"}
    assert told["taken"] + told["units_are_left"] == 1000
    reserved, _, free, _, _ = book.check_units()
    assert reserved == told["taken"] - told["withdrawn"] <= 600
    assert free == 600 - reserved
    for n in range(free):
        book.call("engine.open_investment", book.offering, f"inv_last{n}", f"ivr_last{n}", 1)
    with refused("units_are_left"):
        book.call("engine.open_investment", book.offering, "inv_over", "ivr_over", 1)


def test_a_reservation_ends_by_the_clock_and_its_units_go_to_the_first_who_waits(
    connect: Connect, database: Database
) -> None:
    book = Book(connect, cap=6, policy="first_come", hold_minutes=30).sold_out()
    with refused("units_are_left"):
        book.call("engine.open_investment", book.offering, "inv_late", "ivr_late", 1)
    assert [
        book.call("engine.join_waitlist", book.offering, f"wle_w{n}", f"ivr_w{n}", n) for n in (3, 2, 1)
    ] == [1, 2, 3]
    process = process_of(database)
    assert process.expire() == 0
    book.backdate(
        "engine.position", "opened_at = opened_at - interval '31 minutes' where investment_id = 'inv_one2'"
    )
    assert process.expire() == 1
    assert book.kinds("inv_one2") == ["investment.opened", "investment.expired"]
    # Two units are free and the first in line wants three: nobody is served before it.
    assert book.check_units() == (4, 0, 2, 0, 6)
    with refused("units_go_to_the_waitlist_first"):
        book.call("engine.open_investment", book.offering, "inv_late", "ivr_late", 1)
    book.call("engine.withdraw", book.offering, "inv_one1")
    process.drain()
    assert book.check_units() == (6, 0, 0, 0, 3)
    assert book.kinds("wle_w3") == ["waitlist_entry.joined", "waitlist_entry.promoted"]
    assert book.ask("select units, status from engine.investment where investment_id = 'inv_w3'") == [
        (3, "new")
    ]
    assert process.expire() == 0
    book.backdate(
        "engine.position", "opened_at = opened_at - interval '31 minutes' where investment_id = 'inv_w3'"
    )
    assert process.expire() == 1
    assert book.check_units() == (6, 0, 0, 0, 0)
    assert [book.kinds(f"wle_w{n}")[-1] for n in (1, 2)] == ["waitlist_entry.promoted"] * 2
    assert process.drain() == 0


def test_a_confirmed_order_does_not_end_by_the_clock(connect: Connect, database: Database) -> None:
    book = Book(connect, cap=6, policy="first_come", hold_minutes=30).ordered()
    book.backdate("engine.position", "opened_at = opened_at - interval '1 year'")
    process_of(database).expire()
    assert {book.status(n)[0] for n in book.numbers} == {"confirmed"}


def test_an_order_that_a_rule_refuses_at_its_turn_is_passed_over(
    connect: Connect, database: Database
) -> None:
    book = Book(connect, cap=6)
    book.exemption = "reg_cf"
    book.build("published")
    stated = {"currency": "USD", "income_minor": 30_000_000, "net_worth_minor": 30_000_000}
    for name in ("a", "c"):
        book.call("compliance.state_finances", f"ivr_{name}", f"fin_{name}", stated)
    book.call("engine.open_investment", book.offering, "inv_a", "ivr_a", 6)
    for name in ("b", "c"):
        book.call("engine.join_waitlist", book.offering, f"wle_{name}", f"ivr_{name}", 3)
    book.call("engine.withdraw", book.offering, "inv_a")
    process_of(database).drain()
    assert book.ask("select entry_id, status, because from engine.waitlist_entry order by place") == [
        ("wle_b", "passed_over", "investor_states_income_and_net_worth"),
        ("wle_c", "promoted", None),
    ]
    assert book.check_units() == (3, 0, 3, 0, 0)


def test_nobody_waits_while_units_are_free(connect: Connect) -> None:
    book = Book(connect, cap=6, least=2).build("published")
    with refused("waitlist_opens_when_units_run_out"):
        book.call("engine.join_waitlist", book.offering, "wle_a", "ivr_a", 6)
    with refused("units_reach_the_minimum"):
        book.call("engine.join_waitlist", book.offering, "wle_a", "ivr_a", 1)
    with refused("waiting_units_are_within_the_offer"):
        book.call("engine.join_waitlist", book.offering, "wle_a", "ivr_a", 7)


def test_a_policy_is_named_before_the_first_order(connect: Connect) -> None:
    book = Book(connect, cap=6).build("published")
    for policy, most in (("pro_rata", 12), ("discretionary", 6)):
        book.call("engine.name_policy", book.offering, policy, most, 60)
    with refused("orders_may_fill_the_offer"):
        book.call("engine.name_policy", book.offering, "pro_rata", 5, None)
    with refused("policy_is_known"):
        book.call("engine.name_policy", book.offering, "by_lot", 6, None)
    book.call("engine.open_investment", book.offering, "inv_a", "ivr_a", 1)
    book.call("engine.withdraw", book.offering, "inv_a")
    with refused("policy_is_named_before_the_first_order"):
        book.call("engine.name_policy", book.offering, "first_come", 6, None)
