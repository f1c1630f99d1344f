"""Who gets what: seen first, decided by a person on the same book, carried out once."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from bookrunner.db import Database
from tests.allocation.book import PRICE, Book, process_of, refused
from tests.attack.world import Connect

WISHES = {"inv_one1": 1, "inv_one2": 0, "inv_one3": 3}
TOO_SMALL = "share_is_below_the_minimum"
Case = tuple[str, int, Mapping[str, int], Mapping[int, tuple[int | None, str]]]
CASES: list[Case] = [
    ("first_come", 6, {}, {1: (1, "in_full"), 2: (2, "in_full"), 3: (3, "in_full")}),
    ("first_come", 5, {}, {1: (1, "in_full"), 2: (2, "in_full"), 3: (2, "what_was_left")}),
    ("first_come", 3, {}, {1: (1, "in_full"), 2: (2, "in_full"), 3: (0, "units_ran_out")}),
    ("pro_rata", 4, {}, {1: (0, TOO_SMALL), 2: (2, "in_full"), 3: (2, "pro_rata")}),
    ("pro_rata", 3, {}, {1: (0, TOO_SMALL), 2: (1, "pro_rata"), 3: (2, "pro_rata")}),
    ("discretionary", 4, WISHES, {n: (WISHES[f"inv_one{n}"], "by_discretion") for n in (1, 2, 3)}),
    ("discretionary", 4, {}, dict.fromkeys((1, 2, 3), (None, "no_units_are_named"))),
]


@pytest.fixture
def pro_rata(connect: Connect) -> Book:
    """Return a book of six units for four."""
    return Book(connect, cap=4, policy="pro_rata", most_units=6).ordered()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_dry_run_says_who_gets_what_and_why(connect: Connect, case: Case) -> None:
    policy, cap, wishes, expected = case
    book = Book(connect, cap=cap, policy=policy, most_units=6).ordered()
    before = book.ask("select count(*) from audit.event")
    assert book.dry_run(**wishes) == {f"inv_one{n}": line for n, line in expected.items()}
    assert book.ask("select count(*) from audit.event") == before
    book.check_units()


def test_a_rest_below_the_minimum_goes_to_nobody(connect: Connect) -> None:
    book = Book(connect, investors=1, cap=7, least=3, policy="first_come", most_units=20).build("published")
    for name, units in (("a", 5), ("b", 6)):
        book.call("engine.open_investment", book.offering, f"inv_{name}", f"ivr_{name}", units)
        book.confirm_past_the_gate(f"inv_{name}")
    assert book.dry_run() == {"inv_a": (5, "in_full"), "inv_b": (0, "rest_is_below_the_minimum")}


def test_the_decided_list_is_carried_out(pro_rata: Book, database: Database) -> None:
    assert pro_rata.check_units() == (4, 0, 0, 2, 0)
    process = process_of(database)
    process.drain()
    with refused("approval_follows_a_decided_list"):
        approval = pro_rata.ask("select approval_id from subscription.allocation_approval order by 1")[0][0]
        pro_rata.call("subscription.approve_allocation", pro_rata.offering, approval, actor="usr_second")
    assert pro_rata.decide() == 3
    ended, full, cut = ("cancelled_by_manager", 1), ("confirmed", 2), ("confirmed", 2)
    assert [pro_rata.status(n) for n in (1, 2, 3)] == [ended, full, cut]
    assert pro_rata.kinds("inv_one3")[-1] == "investment.scaled_back"
    assert pro_rata.check_units() == (4, 0, 0, 0, 0)
    process.drain()
    # The order that was served in full goes on; the other has a new agreement over the new number.
    assert pro_rata.status(2) == ("legally_confirmed", 2)
    assert pro_rata.ask(
        "select investment_id, status, units, void_because from subscription.agreement"
        " where investment_id <> 'inv_one1' order by 1, ordinal"
    ) == [
        ("inv_one2", "countersigned", 2, None),
        ("inv_one3", "voided", 3, "its units were cut"),
        ("inv_one3", "sent", 2, None),
    ]
    pro_rata.sign_again(3)
    process.drain()
    assert pro_rata.status(3) == ("legally_confirmed", 2)
    decided = (
        "select investment_id, status, units, proposed_by, decided_by, capacity"
        " from subscription.allocation_approval where investment_id <> 'inv_one1' order by 1, 2"
    )
    assert pro_rata.ask(decided) == [
        ("inv_one2", "approved", 2, "process", "agent.ada", "placement_agent"),
        ("inv_one3", "approved", 2, "process", "agent.ada", "placement_agent"),
        ("inv_one3", "superseded", 3, "process", None, None),
    ]
    assert pro_rata.check_units() == (0, 4, 0, 0, 0)
    # Its last unit is legally confirmed, so that the offer takes no new money any more.
    with refused("offer_is_open_to_new_money"):
        pro_rata.call("engine.open_investment", pro_rata.offering, "inv_x", "ivr_x", 1)
    assert pro_rata.ask("select due_minor from treasury.payment_attempt order by 1") == [
        (2 * PRICE,),
        (2 * PRICE,),
    ]
    assert {result for name in ("approve", "sign_again", "refund_cut", "promote")
            for result, _ in pro_rata.reactions(f"process.{name}")} == {"done"}  # fmt: skip


def test_orders_with_nothing_end_and_who_still_signs_keeps_what_is_left(
    connect: Connect, database: Database
) -> None:
    book = Book(connect, cap=4, policy="first_come", most_units=9).build("published")
    for name, units in (("a", 2), ("b", 2), ("c", 1), ("d", 2), ("e", 1)):
        book.call("engine.open_investment", book.offering, f"inv_{name}", f"ivr_{name}", units)
    book.confirm_past_the_gate("inv_b")
    assert book.dry_run() == {
        "inv_a": (2, "reservation_stands"),
        "inv_b": (2, "in_full"),
        "inv_c": (0, "not_confirmed_in_time"),
        "inv_d": (0, "not_confirmed_in_time"),
        "inv_e": (0, "not_confirmed_in_time"),
    }
    assert book.decide() == 4
    process_of(database).drain()
    assert book.ask("select investment_id, status from engine.investment order by 1") == [
        ("inv_a", "new"),
        ("inv_b", "confirmed"),
        ("inv_c", "cancelled_by_manager"),
        ("inv_d", "cancelled_by_manager"),
        ("inv_e", "cancelled_by_manager"),
    ]
    assert book.kinds("inv_c") == ["investment.opened", "investment.expired"]
    assert book.check_units() == (4, 0, 0, 0, 0)


def test_a_list_is_decided_on_the_book_that_was_seen(pro_rata: Book) -> None:
    seen = pro_rata.version()
    pro_rata.call("engine.request_cancellation", pro_rata.offering, "inv_one1")
    with refused("book_is_the_one_that_was_seen"):
        pro_rata.decide(seen)
    with refused("book_is_the_one_that_was_seen"):
        pro_rata.decide("")
    assert pro_rata.decide() == 2
    # Whoever asks to leave keeps the units until that is decided.
    assert pro_rata.check_units() == (4, 0, 0, 0, 0)
    with refused("list_names_every_order_once"):
        pro_rata.decide(name="again")


def test_two_people_who_decide_at_once_decide_one_list(pro_rata: Book, connect: Connect) -> None:
    seen = pro_rata.version()
    told = []

    def decide(name: str) -> None:
        statement = "select engine.decide_allotment(%s, %s, %s, %s, %s, null, 'issuer', 'as seen')"
        try:
            connection = connect("engine")
            connection.execute(statement, [name, name, pro_rata.offering, f"alm_{name}", seen])
            told.append("decided")
        except psycopg.Error as fault:
            told.append(str(fault.diag.constraint_name))

    with ThreadPoolExecutor(2) as pair:
        list(pair.map(decide, ("ada", "bea")))
    assert sorted(told) == ["book_is_the_one_that_was_seen", "decided"]
    assert pro_rata.check_units() == (4, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("wishes", "rule"),
    [
        ({"inv_one1": 1, "inv_one2": 2}, "list_names_every_order_once"),
        (WISHES | {"inv_other": 1}, "list_names_every_order_once"),
        ({"inv_one1": 0, "inv_one2": 0, "inv_one3": 4}, "line_is_within_its_order"),
        (WISHES | {"inv_one3": -1}, "units_reach_the_minimum"),
        (WISHES | {"inv_one2": 2}, "allotment_is_within_the_units"),
    ],
)
def test_discretion_has_its_bounds(connect: Connect, wishes: Mapping[str, int], rule: str) -> None:
    book = Book(connect, cap=4, policy="discretionary", most_units=6).ordered()
    with refused(rule):
        book.decide(**wishes)
    assert book.decide(**WISHES) == 3


def test_wishes_count_for_discretion_alone(pro_rata: Book) -> None:
    with refused("list_names_every_order_once"):
        pro_rata.decide(**WISHES)


def test_a_person_decides_in_a_known_capacity(pro_rata: Book) -> None:
    given = [pro_rata.offering, "alm_x", pro_rata.version(), None]
    for actor, capacity, because, rule in (
        ("process", "issuer", "so", "decision_is_made_by_a_person"),
        ("provider:bank", "issuer", "so", "decision_is_made_by_a_person"),
        ("delegate:dlg_one:ivr_one", "issuer", "so", "decision_is_made_by_a_person"),
        ("usr_1", "friend", "so", "approver_is_issuer_or_agent"),
        ("usr_1", None, "so", "approver_is_issuer_or_agent"),
        ("usr_1", "issuer", " ", "allotment_has_its_reason"),
    ):
        with refused(rule):
            pro_rata.call("engine.decide_allotment", *given, capacity, because, actor=actor)


@pytest.mark.parametrize("step", ["instructed", "received", "funded"])
def test_a_cut_sends_exactly_the_excess_back_once(connect: Connect, database: Database, step: str) -> None:
    book = Book(connect, cap=6, least=1).build(step)
    process = process_of(database)
    process.drain()
    book.cut(3, 1)
    with refused("gate_is_closed"):
        book.call("engine.freeze_closing", book.offering, "cls_x", ["inv_one3"])
    process.drain()
    paid = step != "instructed"
    refunds = "select amount_minor, reason, status from treasury.refund"
    assert book.ask(refunds) == ([(2 * PRICE, "scale_back", "created")] if paid else [])
    assert book.call("treasury.refund_cut", book.offering, "inv_one3") == 0
    process.drain()
    assert len(book.ask(refunds)) == int(paid)
    ((due, received, status),) = book.ask(
        "select due_minor, received_minor, status from treasury.payment_attempt"
        " where investment_id = 'inv_one3'"
    )
    expected = {"instructed": "initialized", "received": "received", "funded": "cleared"}[step]
    assert (due, received, status) == (PRICE, PRICE if paid else 0, expected)
    assert book.gates(3) == (paid, step == "funded")
    book.check()
    # It signs for the new number, and a second person's decision stands for that number.
    assert book.ask(
        "select allocation_is_approved from engine.position where investment_id = 'inv_one3'"
    ) == [(False,)]
    book.sign_again(3)
    process.drain()
    assert book.ask(
        "select allocation_is_approved from engine.position where investment_id = 'inv_one3'"
    ) == [(True,)]
    assert book.status(3) == ("legally_confirmed", 1)
    assert book.check_units() == (0, 4, 2, 0, 0)


def test_a_part_that_was_paid_becomes_the_whole(connect: Connect, database: Database) -> None:
    book = Book(connect, cap=6).build("instructed")
    half = book.entry(3, id="rcp_half", key="half", amount=2 * PRICE)
    book.pay("half", half)
    assert book.gates(3) == (False, False)
    book.cut(3, 2)
    process_of(database).drain()
    assert book.gates(3) == (True, False)
    assert book.ask("select count(*) from treasury.refund") == [(0,)]
    assert book.ask("select status from treasury.payment_attempt where investment_id = 'inv_one3'") == [
        ("received",)
    ]
    book.check()


def test_a_cut_takes_the_latest_receipts_first(connect: Connect, database: Database) -> None:
    book = Book(connect, cap=6).build("instructed")
    for day, amount in ((28, PRICE), (29, PRICE), (30, PRICE)):
        entry = book.entry(3, id=f"rcp_{day}", key=f"k{day}", amount=amount, booked_on=f"2026-03-{day}")
        book.pay(f"day{day}", entry)
    book.cut(3, 1)
    process_of(database).drain()
    assert book.ask("select receipt_id, amount_minor from treasury.refund order by 1") == [
        ("rcp_29", PRICE),
        ("rcp_30", PRICE),
    ]
    book.check()


@pytest.mark.parametrize(
    ("step", "n", "units"),
    [("signed", 3, 1), ("instructed", 3, 3), ("instructed", 3, 4), ("instructed", 3, 0), ("prepared", 3, 1)],
)
def test_a_cut_is_of_a_confirmed_order_outside_a_closing(
    connect: Connect, step: str, n: int, units: int
) -> None:
    book = Book(connect, cap=6).build(step)
    with refused("cut_order_is_confirmed_and_open"):
        book.cut(n, units)


def test_a_cut_below_the_minimum_is_refused(connect: Connect) -> None:
    book = Book(connect, investors=1, cap=9, least=3).build("published")
    book.call("engine.open_investment", book.offering, "inv_one1", "ivr_a", 5)
    book.confirm_past_the_gate("inv_one1")
    with refused("units_reach_the_minimum"):
        book.cut(1, 2)
    assert book.check_units() == (5, 0, 4, 0, 0)


def test_a_closing_takes_only_the_units_that_were_approved(connect: Connect) -> None:
    book = Book(connect, cap=6).build("linked")
    book.cut(3, 1)
    with refused("units_equal_the_approved_allocation"):
        book.call("engine.freeze_closing", book.offering, "cls_x", ["inv_one3"])
    assert book.call("engine.freeze_closing", book.offering, "cls_x", ["inv_one1", "inv_one2"]) == 2
