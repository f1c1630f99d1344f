"""A material change is put to every investor; silence and a no cancel, with the money back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bookrunner.db import Database
from tests.allocation.book import PRICE, Book, digest, process_of, refused
from tests.attack.world import Connect

NEW_YORK = "America/New_York"
WHAT = ("The closing date moves to March.", digest("supplement"))


def propose(book: Book, *, material: bool = True, name: str = "one") -> str:
    """Propose an amendment and return its id."""
    amendment = f"amd_{book.label}_{name}"
    book.call("engine.propose_amendment", book.offering, amendment, material, *WHAT, actor="issuer.iris")
    return amendment


def announce(book: Book, **how: object) -> str:
    """Let a second person accept an amendment and return its id."""
    amendment = propose(book, **how)  # type: ignore[arg-type]
    book.call("engine.decide_amendment", book.offering, amendment, True, "agreed", 1, actor="issuer.ivan")  # noqa: FBT003
    return amendment


def answer(book: Book, n: int, says: bool, name: str = "one") -> None:
    """Let one investor answer."""
    question = f"rcf_{book.label}_{name}_{book.label}{n}"
    book.call("subscription.answer_reconfirmation", book.offering, question, says)


def missing(book: Book, n: int) -> list[str]:
    """Return what the position of one investor says is missing for issuance."""
    rows = book.ask("select missing from engine.stage where investment_id = %s", book.id("inv", n))
    return [one["condition"] for one in rows[0][0]]


def test_silence_and_a_no_cancel_and_a_yes_goes_on(connect: Connect, database: Database) -> None:
    book = Book(connect).build("linked")
    process = process_of(database)
    process.drain()
    amendment = announce(book)
    with refused("change_is_put_to_investors"):
        book.call("engine.freeze_closing", book.offering, "cls_x", ["inv_one1"])
    process.drain()
    assert book.kinds(amendment) == [f"amendment.{k}" for k in ("proposed", "announced", "put_to_investors")]
    for n in book.numbers:
        assert missing(book, n) == ["representations_are_made"]
    with refused("gate_is_closed"):
        book.call("engine.freeze_closing", book.offering, "cls_x", ["inv_one1"])
    answer(book, 1, says=True)
    answer(book, 2, says=False)
    process.drain()
    assert (missing(book, 1), missing(book, 3)) == ([], ["representations_are_made"])
    assert [book.status(n)[0] for n in (1, 2, 3)] == [
        "legally_confirmed",
        "cancelled_by_manager",
        "legally_confirmed",
    ]
    assert process.expire() == 0
    book.backdate("subscription.reconfirmation", "due_at = clock_timestamp() - interval '1 second'")
    with refused("answer_comes_inside_its_window"):
        answer(book, 3, says=True)
    assert process.expire() > 0
    assert book.status(3)[0] == "cancelled_by_manager"
    assert book.kinds("rcf_one_one_one3") == ["reconfirmation.asked", "reconfirmation.lapsed"]
    assert book.ask("select receipt_id, amount_minor, reason from treasury.refund order by 1") == [
        ("rcp_one2", 2 * PRICE, "cancellation"),
        ("rcp_one3", 3 * PRICE, "cancellation"),
    ]
    assert process.expire() == 0
    assert book.check_units() == (0, 1, 999, 0, 0)
    book.check()
    assert book.call("engine.freeze_closing", book.offering, "cls_x", ["inv_one1"]) == 1


def test_a_change_that_is_not_material_asks_nobody(connect: Connect, database: Database) -> None:
    book = Book(connect).build("linked")
    amendment = announce(book, material=False)
    process_of(database).drain()
    assert book.kinds(amendment) == ["amendment.proposed", "amendment.recorded"]
    assert book.ask("select count(*) from subscription.reconfirmation") == [(0,)]
    assert missing(book, 1) == []


def test_a_declined_amendment_changes_nothing(connect: Connect, database: Database) -> None:
    book = Book(connect).build("opened")
    amendment = propose(book)
    book.call("engine.decide_amendment", book.offering, amendment, False, "not now", 1)  # noqa: FBT003
    process_of(database).drain()
    assert book.kinds(amendment) == ["amendment.proposed", "amendment.declined"]


def test_who_has_not_signed_is_asked_too(connect: Connect, database: Database) -> None:
    book = Book(connect).build("acknowledged")
    process = process_of(database)
    announce(book)
    process.drain()
    assert book.ask("select count(*) from subscription.reconfirmation") == [(3,)]
    assert "representations_are_made" in missing(book, 1)
    answer(book, 1, says=True)
    assert "representations_are_made" not in missing(book, 1)
    book.backdate("subscription.reconfirmation", "due_at = clock_timestamp() - interval '1 second'")
    process.expire()
    assert [book.status(n)[0] for n in (1, 2, 3)] == ["new", *["cancelled_by_manager"] * 2]


def test_who_has_signed_and_not_confirmed_is_asked_and_ends_in_silence(
    connect: Connect, database: Database
) -> None:
    book = Book(connect).build("signed")
    process = process_of(database)
    announce(book)
    process.drain()
    answer(book, 1, says=True)
    with refused("gate_is_closed"):
        book.call("engine.confirm", book.offering, "inv_one2")
    book.call("engine.confirm", book.offering, "inv_one1")
    book.backdate("subscription.reconfirmation", "due_at = clock_timestamp() - interval '1 second'")
    process.expire()
    assert book.kinds("inv_one2") == ["investment.opened", "investment.expired"]
    assert book.check_units() == (1, 0, 999, 0, 0)


def test_units_on_their_way_stop_and_their_investor_is_cancelled_after_leaving(
    connect: Connect, database: Database
) -> None:
    book = Book(connect).build("prepared")
    process = process_of(database)
    announce(book)
    process.drain()
    stopped = "select issuance_is_stopped from engine.position order by investment_id"
    assert book.ask(stopped) == [(True,)] * 3
    book.backdate("subscription.reconfirmation", "due_at = clock_timestamp() - interval '1 second'")
    process.expire()
    assert book.status(1)[0] == "legally_confirmed"
    stop = [book.offering, [book.id("iss", n) for n in book.numbers], "the change was not reconfirmed"]
    book.call("registry.stop", book.offering, [book.id("inv", n) for n in book.numbers], stop[2])
    book.call(
        "engine.leave_closing",
        book.offering,
        book.closing,
        [book.id("inv", n) for n in book.numbers],
        "the change was not reconfirmed",
    )
    process.expire()
    assert {book.status(n)[0] for n in book.numbers} == {"cancelled_by_manager"}
    assert book.ask("select count(*), sum(amount_minor) from treasury.refund") == [(3, 6 * PRICE)]


def test_holders_are_not_asked(connect: Connect, database: Database) -> None:
    book = Book(connect).build("registered")
    announce(book)
    process_of(database).drain()
    assert book.ask("select count(*) from subscription.reconfirmation") == [(0,)]


def test_two_changes_are_two_questions(connect: Connect, database: Database) -> None:
    book = Book(connect).build("linked")
    process = process_of(database)
    for name in ("one", "two"):
        announce(book, name=name)
        process.drain()
    answer(book, 1, says=True)
    assert missing(book, 1) == ["representations_are_made"]
    answer(book, 1, says=True, name="two")
    assert missing(book, 1) == []
    assert book.call("subscription.ask_reconfirmations", book.offering, "amd_one_two") == 0


def test_an_amendment_needs_two_people_on_the_version_seen(connect: Connect) -> None:
    book = Book(connect).build("opened")
    amendment = propose(book)
    decide = [book.offering, amendment, True, "agreed"]
    with refused("amendment_needs_two_people"):
        book.call("engine.decide_amendment", *decide, 1, actor="issuer.iris")
    with refused("decision_is_made_by_a_person"):
        book.call("engine.decide_amendment", *decide, 1, actor="process")
    with refused("decision_is_on_the_version_seen"):
        book.call("engine.decide_amendment", *decide, 2)
    with refused("amendment_exists"):
        book.call("engine.decide_amendment", book.offering, "amd_none", True, "agreed", 1)  # noqa: FBT003
    with refused("investors_are_asked"):
        book.call("engine.mark_put", book.offering, amendment)
    assert book.call("engine.decide_amendment", *decide, 1) > datetime.now(UTC)
    with refused("amendment_is_locked"):
        book.call("engine.decide_amendment", *decide, 2, actor="issuer.ines")


def test_an_amendment_follows_publication(connect: Connect) -> None:
    book = Book(connect).build("opened")
    book.call("engine.move_offer", book.offering, "closed_unsuccessfully")
    with refused("amended_offer_is_published"):
        propose(book)


WINDOWS = [
    # Announced, and the first moment at which it is too late: five business days after it, to their end.
    ("2026-11-16 15:00", "2026-11-24"),
    ("2026-11-20 23:30", "2026-12-01"),
    ("2026-12-23 09:00", "2027-01-01"),
]


@pytest.mark.parametrize(("announced", "first_day_after"), WINDOWS)
def test_the_window_counts_business_days_in_new_york(
    connect: Connect, announced: str, first_day_after: str
) -> None:
    owner = connect("owner")
    row = owner.execute(
        "select engine.reconfirmation_due(compliance.rule_at('us.regcf.reconfirm_within', m), m)"
        " at time zone %s from (select %s::timestamp at time zone %s as m) x",
        [NEW_YORK, announced, NEW_YORK],
    ).fetchone()
    assert row is not None
    assert (row[0].date(), row[0].hour) == (date.fromisoformat(first_day_after), 0)


def test_a_window_past_the_calendar_is_refused(connect: Connect) -> None:
    book = Book(connect).build("opened")
    amendment = propose(book)
    admin = book.login("admin")
    admin.execute("alter table compliance.holiday disable trigger user")
    admin.execute("delete from compliance.holiday where day > clock_timestamp()")
    with refused("window_is_in_the_calendar"):
        book.call("engine.decide_amendment", book.offering, amendment, True, "agreed", 1)  # noqa: FBT003


def test_every_exemption_has_its_window(connect: Connect) -> None:
    rows = (
        connect("owner")
        .execute(
            "select x.exemption, r.value, r.unit, r.citation from engine.reconfirmation_rule x,"
            " lateral compliance.rule_at(x.rule_id, clock_timestamp()) r order by 1"
        )
        .fetchall()
    )
    assert [row[0] for row in rows] == [
        "506(b)", "506(c)", "eu_crowdfunding", "reg_a_tier_1", "reg_a_tier_2", "reg_cf", "reg_s",
    ]  # fmt: skip
    cited = {row[0]: row[1:] for row in rows}
    assert cited["reg_cf"] == (5, "business_days", "17 CFR 227.304(c)")
