"""An investment ends by right, by request and decision, or by a manager; the money follows where it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bookrunner.db import Database
from tests.allocation.book import Book, process_of, refused
from tests.attack.world import Connect

SOON = "closes_at = clock_timestamp() + interval '%s', pays_by = clock_timestamp() + interval '%s'"


def deadline(book: Book, hours: int) -> None:
    """Make the offer one of Regulation Crowdfunding that closes in some hours."""
    book.backdate("engine.offer", "exemption = 'reg_cf'")
    book.backdate("engine.terms", SOON.replace("%s", f"{hours} hours"))


def ask(book: Book, n: int, actor: str = "ivr") -> None:
    """Let an investor ask for its cancellation."""
    book.call("engine.request_cancellation", book.offering, book.id("inv", n), "changed my mind", actor=actor)


def decide(book: Book, n: int, actor: str = "manager.mia", *, granted: bool = True) -> None:
    """Let somebody decide it."""
    book.call("engine.decide_cancellation", book.offering, book.id("inv", n), granted, "so", actor=actor)


def test_an_investor_cancels_by_right_until_its_cut_off(connect: Connect, database: Database) -> None:
    book = Book(connect).build("funded")
    deadline(book, 49)
    ask(book, 1)
    assert book.status(1)[0] == "cancelled_by_manager"
    assert book.kinds("inv_one1")[-2:] == ["investment.cancellation_requested", "investment.cancelled"]
    process_of(database).drain()
    assert book.ask("select receipt_id, reason from treasury.refund") == [("rcp_one1", "cancellation")]
    deadline(book, 47)
    with refused("cancellation_is_before_its_cut_off"):
        ask(book, 2)
    assert book.status(2)[0] == "legally_confirmed"
    book.check()


def test_the_cut_off_is_elapsed_hours_across_a_clock_change(connect: Connect) -> None:
    book = Book(connect).build("opened")
    book.backdate("engine.offer", "exemption = 'reg_cf'")
    book.backdate(
        "engine.terms",
        "closes_at = '2027-03-15 10:00 America/New_York', pays_by = '2027-03-16 10:00 America/New_York'",
    )
    ((rule, ends, last),) = book.ask("select * from engine.free_cancellation(%s, 'inv_one1')", book.offering)
    assert (rule, last) == ("us.regcf.cancel_until", True)
    assert ends.astimezone(UTC) == datetime(2027, 3, 13, 14, tzinfo=UTC)


def test_the_reflection_of_the_union_counts_from_the_confirmation(connect: Connect) -> None:
    book = Book(connect).build("confirmed")
    book.backdate("engine.offer", "exemption = 'eu_crowdfunding'")
    ((_, ends, last),) = book.ask("select * from engine.free_cancellation(%s, 'inv_one1')", book.offering)
    assert last is False
    ((confirmed, expected),) = book.ask(
        "select recorded_at, (((recorded_at at time zone 'Europe/Brussels')::date + 5)::timestamp)"
        " at time zone 'Europe/Brussels' from audit.event where kind = 'investment.confirmed'"
        " and subject = 'inv_one1'"
    )
    assert ends == expected > confirmed
    ask(book, 1)
    assert book.status(1)[0] == "cancelled_by_manager"


def test_another_person_decides_and_a_denial_goes_back(connect: Connect) -> None:
    book = Book(connect).build("confirmed")
    ask(book, 1)
    assert book.status(1)[0] == "cancellation_requested"
    with refused("cancellation_needs_two_people"):
        decide(book, 1, "ivr")
    decide(book, 1, granted=False)
    assert book.status(1)[0] == "legally_confirmed"
    ask(book, 1)
    decide(book, 1)
    assert book.kinds("inv_one1")[-4:] == [
        f"investment.{kind}"
        for kind in ("cancellation_requested", "cancellation_denied", "cancellation_requested", "cancelled")
    ]
    assert book.check_units()[0] + book.check_units()[1] == 5
    assert "changed my mind" not in book.ask("select string_agg(canonical, '') from audit.event")[0][0]


def test_a_manager_says_why(connect: Connect) -> None:
    book = Book(connect).build("confirmed")
    with refused("cancellation_by_a_manager_says_why"):
        book.call("engine.cancel_investment", book.offering, "inv_one1", " ")
    with refused("investment_exists"):
        book.call("engine.cancel_investment", book.offering, "inv_nobody", "so")
    for nobody in ("process", f"delegate:dlg_one:{book.id('ivr', 1)}"):
        with refused("decision_is_made_by_a_person"):
            book.call("engine.cancel_investment", book.offering, "inv_one1", "so", actor=nobody)
    ask(book, 2)
    with refused("asked_cancellation_is_decided"):
        book.call("engine.cancel_investment", book.offering, "inv_one2", "so")
    with refused("decided_cancellation_was_asked_for"):
        book.call("engine.decide_cancellation", book.offering, "inv_one1", "true", "so", actor="usr_other")
    book.call("engine.cancel_investment", book.offering, "inv_one1", "a duplicate")
    assert book.status(1)[0] == "cancelled_by_manager"


@pytest.mark.parametrize("where", ["confirmed", "instructed", "received", "funded"])
def test_the_money_follows_where_it_is(connect: Connect, database: Database, where: str) -> None:
    book = Book(connect).build(where)
    book.call("engine.cancel_investment", book.offering, "inv_one2", "a duplicate")
    process = process_of(database)
    process.drain()
    attempts = dict(book.ask("select investment_id, status from treasury.payment_attempt"))
    came = where in {"received", "funded"}
    ends = {"confirmed": "cancelled", "instructed": "cancelled"}
    assert attempts.get("inv_one2", "cancelled") == ends.get(where, "sent_back_pending")
    assert book.ask("select amount_minor, count(*) over () from treasury.refund") == (
        [(100_000, 1)] if came else []
    )
    book.check()
    if where == "instructed":
        # It was on its way: it comes, belongs to nobody, and goes back.
        book.received()
        assert book.exception("rcp_one2") == "investment_has_ended"


def test_nobody_ends_inside_a_running_set(connect: Connect) -> None:
    book = Book(connect).build("frozen")
    rule = "ended_investment_is_in_no_running_set"
    with refused(rule):
        ask(book, 1)
    with refused(rule):
        book.call("engine.cancel_investment", book.offering, "inv_one1", "so")
    book.call("engine.leave_closing", book.offering, book.closing, ["inv_one1"], "asked by mail")
    ask(book, 1)
    with refused("closing_exists"):
        book.call("engine.abandon_closing", book.offering, "cls_none", "so")
    book.call("engine.abandon_closing", book.offering, book.closing, "the papers were wrong")
    assert book.ask("select status from engine.closing") == [("abandoned",)]
    book.call("engine.cancel_investment", book.offering, "inv_one2", "so")


def test_a_closing_is_not_abandoned_once_units_move(connect: Connect) -> None:
    book = Book(connect).build("submitted")
    with refused("member_leaves_before_its_units_move"):
        book.call("engine.abandon_closing", book.offering, book.closing, "so")
    with refused("member_leaves_before_its_units_move"):
        book.call("engine.fail_offer", book.offering, "halted", "a regulator's order")


def test_a_denied_cancellation_goes_on_where_it_was(connect: Connect, database: Database) -> None:
    book = Book(connect).build("signed")
    book.call("engine.confirm", book.offering, "inv_one1")
    ask(book, 1)
    process = process_of(database)
    process.drain()
    for (approval,) in book.ask(
        "select approval_id from subscription.allocation_approval where investment_id = 'inv_one1'"
    ):
        book.call("subscription.approve_allocation", book.offering, approval, actor="placement.pia")
    process.drain()
    assert book.status(1)[0] == "cancellation_requested"
    decide(book, 1, granted=False)
    process.drain()
    assert book.status(1)[0] == "legally_confirmed"


def test_a_failed_offer_confirms_nobody(connect: Connect) -> None:
    book = Book(connect).build("allocated")
    book.call("engine.confirm", book.offering, "inv_one1")
    for kind, because, rule in (
        ("late", "so", "failure_has_a_known_kind"),
        ("halted", " ", "failed_offer_says_how_and_why"),
    ):
        with refused(rule):
            book.call("engine.fail_offer", book.offering, kind, because)
    book.call("engine.fail_offer", book.offering, "halted", "a regulator's order")
    with refused("failed_offer_confirms_nobody"):
        book.call("engine.confirm_legally", book.offering, "inv_one1")
    with refused("offer_is_open_to_new_money"):
        book.call("engine.confirm", book.offering, "inv_one2")
    assert book.call("engine.end_investments", book.offering, 2) == 2
    assert book.call("engine.end_investments", book.offering, 2) == 1
    assert book.call("engine.end_investments", book.offering, 2) == 0
    assert [book.status(n)[0] for n in (1, 2, 3)] == [
        "closed_unsuccessfully",
        "cancelled_by_manager",
        "cancelled_by_manager",
    ]
