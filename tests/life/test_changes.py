"""Locked terms change by a request, another person and a new version; investors are asked or told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bookrunner.db import Database
from tests.allocation.book import PRICE, Book, digest, process_of, refused
from tests.attack.world import Connect

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
DEADLINE = NOW + 60 * DAY


def published(connect: Connect, until: str = "linked") -> Book:
    """Return a funded offer with a deadline and a target that is met."""
    book = Book(connect)
    book.terms = {"target_minor": 6 * PRICE, "closes_at": DEADLINE.isoformat()}
    book.build(until)
    return book


def ask(book: Book, called: str = "one", /, **wanted: object) -> str:
    """Ask for a change and return its id."""
    change = f"chg_{called}"
    said = [change, wanted, "the board resolved it", digest("resolution")]
    book.call("engine.request_change", book.offering, *said, actor="issuer.iris")
    return change


def decide(
    book: Book, change: str, actor: str = "issuer.ivan", *, approved: bool = True, seen: int = 1
) -> None:
    """Decide a change as another person."""
    book.call("engine.decide_change", book.offering, change, approved, "agreed", seen, actor=actor)


def deadlines(book: Book) -> list[tuple[int, str, datetime]]:
    """Return number, status and deadline of each version of the terms."""
    return book.ask("select ordinal, status, closes_at from engine.terms order by ordinal")


def test_an_extension_is_a_new_version_and_asks_every_investor(connect: Connect, database: Database) -> None:
    book = published(connect)
    before = datetime.now(UTC)
    change, later = "chg_one", DEADLINE + 10 * DAY
    ask(book, closes_at=later.isoformat())
    with refused("change_needs_two_people"):
        decide(book, change, "issuer.iris")
    with refused("decision_is_on_the_version_seen"):
        decide(book, change, seen=2)
    decide(book, change)
    assert deadlines(book) == [(1, "superseded", DEADLINE), (2, "locked", later)]
    assert book.kinds(change) == [f"change_request.{kind}" for kind in ("requested", "approved", "applied")]
    ((was, now),) = book.ask(
        "select (engine.terms_as_of(%s, %s)).closes_at,"
        " (engine.terms_as_of(%s, clock_timestamp())).closes_at",
        book.offering,
        before,
        book.offering,
    )
    assert (was, now) == (DEADLINE, later)
    with refused("change_is_put_to_investors"):
        book.call("engine.open_investment", book.offering, "inv_new", "ivr_new", 1)
    process = process_of(database)
    process.drain()
    assert book.ask("select status, count(*) from subscription.reconfirmation group by 1") == [("asked", 3)]
    told = book.ask(
        "select code, recipient, is_required from engine.notice where code = 'reconfirm' order by 2"
    )
    assert told == [("reconfirm", f"ivr_one{n}", True) for n in (1, 2, 3)]
    book.backdate("subscription.reconfirmation", "due_at = clock_timestamp()")
    process.expire()
    process.drain()
    assert [book.status(n)[0] for n in (1, 2, 3)] == ["cancelled_by_manager"] * 3
    assert book.ask("select count(*), sum(amount_minor) from treasury.refund") == [(3, 6 * PRICE)]


def test_an_early_close_has_its_days_its_target_and_its_notice(connect: Connect, database: Database) -> None:
    book = published(connect)
    book.backdate("engine.offer", "exemption = 'reg_cf'")
    change = ask(book, closes_at=(NOW + 20 * DAY).isoformat())
    with refused("early_close_is_after_the_open_days"):
        decide(book, change)
    book.backdate("engine.offer", "published_at = published_at - interval '40 days'")
    book.call("engine.declare_related", book.offering, "ivr_one1", "the founder's sister")
    with refused("early_close_is_of_a_met_target"):
        decide(book, change)
    book.backdate("engine.terms", f"target_minor = {PRICE}")
    decide(book, change)
    process_of(database).drain()
    assert [row[:2] for row in deadlines(book)] == [(1, "superseded"), (2, "locked")]
    assert book.ask("select count(*) from subscription.reconfirmation") == [(0,)]
    assert book.ask("select count(*) from engine.notice where code = 'terms_changed'") == [(3,)]
    soon = ask(book, "two", closes_at=(datetime.now(UTC) + DAY).isoformat())
    with refused("early_close_has_its_notice"):
        decide(book, soon)


@pytest.mark.parametrize(
    ("notice", "earliest"), [("2026-11-16", date(2026, 11, 23)), ("2026-11-20", date(2026, 11, 30))]
)
def test_the_notice_counts_business_days(connect: Connect, notice: str, earliest: date) -> None:
    question = "select compliance.business_day_after('us_federal_business', %s, 5)"
    assert connect("owner").execute(question, [notice]).fetchone() == (earliest,)


def test_the_time_for_the_money_changes_alone(connect: Connect, database: Database) -> None:
    book = published(connect, "funded")
    with refused("money_is_counted_from_the_deadline_on"):
        decide(book, ask(book, pays_by=(DEADLINE - DAY).isoformat()))
    decide(book, "chg_one", approved=False)
    longer = ask(book, "longer", pays_by=(DEADLINE + 20 * DAY).isoformat())
    decide(book, longer)
    process_of(database).drain()
    assert book.ask("select count(*) from subscription.reconfirmation") == [(3,)]
    # The money is asked for sooner: nobody has to answer.
    sooner = ask(book, "sooner", pays_by=(DEADLINE + 10 * DAY).isoformat())
    book.backdate("engine.amendment", "status = 'put'")
    decide(book, sooner)
    assert book.ask("select is_material from engine.change_request order by change_id") == [
        (True,),
        (None,),
        (False,),
    ]
    times = book.ask("select closes_at, pays_by from engine.terms where status = 'locked'")
    assert times == [(DEADLINE, DEADLINE + 10 * DAY)]


def test_a_time_that_is_over_is_not_changed(connect: Connect) -> None:
    book = published(connect, "published")
    later = ask(book, closes_at=(DEADLINE + DAY).isoformat())
    book.backdate("engine.terms", "closes_at = clock_timestamp(), pays_by = clock_timestamp()")
    with refused("changed_deadline_is_ahead"):
        decide(book, later)
    decide(book, later, approved=False)
    money = ask(book, "money", pays_by=(DEADLINE + DAY).isoformat())
    with refused("changed_deadline_is_ahead"):
        decide(book, money)


@pytest.mark.parametrize(
    "wanted", [{"target_minor": None}, {"closes_at": None}, {"instrument": {"votes_per_share": None}}]
)
def test_a_change_removes_no_term(connect: Connect, wanted: dict[str, object]) -> None:
    book = published(connect, "published")
    with refused("changed_field_has_a_value"):
        ask(book, **wanted)


def test_a_changed_instrument_is_held_to_the_rules_of_the_first(connect: Connect) -> None:
    book = published(connect, "published")
    change = ask(book, instrument={"rate_bps": 800})
    with refused("instrument_states_only_its_own_terms"):
        decide(book, change)


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("change_wants_something", {}),
        ("change_names_locked_fields_of_the_terms", {"unit_price_minor": 1}),
        ("change_names_locked_fields_of_the_terms", {"profile": "x"}),
    ],
)
def test_a_request_names_locked_fields(connect: Connect, rule: str, wanted: dict[str, object]) -> None:
    book = published(connect, "published")
    with refused(rule):
        ask(book, **wanted)


def test_a_request_that_does_not_hold_is_not_applied(connect: Connect) -> None:
    book = published(connect, "published")
    with refused("change_says_why"):
        book.call("engine.request_change", book.offering, "chg_x", {"isin": "x"}, " ", digest("x"))
    change = ask(book, target_minor=10**15)
    with refused("one_change_waits_per_offer"):
        ask(book, "two", name="Another")
    with refused("target_is_within_the_offer"):
        decide(book, change)
    with refused("change_exists"):
        decide(book, "chg_none")
    decide(book, change, approved=False)
    past = ask(book, "past", closes_at=(NOW - DAY).isoformat())
    with refused("changed_deadline_is_ahead"):
        decide(book, past)
    decide(book, past, approved=False)
    assert deadlines(book) == [(1, "locked", DEADLINE)]
    other = Book(connect, "other")
    said = {"issuer_id": "iss_one", "name": "Example", "exemption": "506(c)", "currency": "USD"}
    numbers = {"unit_price_minor": 1, "units_total": 5, "minimum_units": 1}
    other.call("engine.open_offer", other.offering, said | numbers)
    with refused("change_is_of_locked_terms"):
        ask(other, name="Another")


def test_a_name_changes_by_a_request_alone(connect: Connect) -> None:
    book = published(connect, "published")
    with book.login("admin").transaction(force_rollback=True):
        book.login("admin").execute("set local session authorization bookrunner_owner")
        with refused("terms_are_locked_after_review"):
            book.login("admin").execute("update engine.offer set name = 'Another'")
    decide(book, ask(book, name="Example Two", isin="US0378331005"))
    assert book.ask("select name, isin from engine.offer") == [("Example Two", "US0378331005")]


def test_every_locked_field_names_the_machine_that_changes_it(connect: Connect) -> None:
    rows = connect("owner").execute(
        "select f.book, f.field, m.keeper from engine.locked_field f"
        " join engine.machine m on m.machine = f.changed_by"
    )
    found = {(book, field): keeper for book, field, keeper in rows}
    assert {book for book, _ in found} == {
        "engine", "portal", "compliance", "subscription", "treasury", "registry",
    }  # fmt: skip
    assert all(book == keeper for (book, _), keeper in found.items())


def test_a_notice_is_sent_once_and_its_bounce_is_kept(connect: Connect, database: Database) -> None:
    book = Book(connect).build("confirmed")
    book.call("engine.cancel_investment", book.offering, "inv_one1", "a duplicate")
    process = process_of(database)
    process.drain()
    process_of(database).drain()
    ((notice, status),) = book.ask("select notice_id, status from engine.notice")
    assert status == "written"
    with book.login("engine").transaction():
        taken = book.call("engine.take_notices", 10)
        assert [one["recipient"] for one in taken] == ["ivr_one1"]
        book.call("engine.mark_notice", book.offering, notice, "sent", None)
    assert book.call("engine.take_notices", 10) == []
    with refused("bounced_notice_says_why"):
        book.call("engine.mark_notice", book.offering, notice, "bounced", None)
    book.call("engine.mark_notice", book.offering, notice, "bounced", "550 no such mailbox")
    with refused("notice_exists"):
        book.call("engine.mark_notice", book.offering, "ntc_none", "sent", None)
    with refused("transition_is_listed_for_the_keeper"):
        book.call("engine.mark_notice", book.offering, notice, "delivered", None)
    assert book.kinds(notice) == ["notice.written", "notice.sent", "notice.bounced"]
