"""An offer's terms fit together, a second person reviews them, and a deadline ends what missed its target."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bookrunner.core.errors import Refused
from bookrunner.db import Database
from bookrunner.engine import Desk
from tests.allocation.book import PRICE, Book, process_of, refused
from tests.attack.world import Connect

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
CF = {"exemption": "reg_cf", "target_minor": PRICE, "closes_at": (NOW + 30 * DAY).isoformat()}
DEBT = {"security_type": "debt", "instrument": {"rate_bps": 800, "matures_on": "2030-01-31"}}


def drafted(connect: Connect, label: str = "one", **terms: object) -> Book:
    """Return an offer that is a draft with these terms."""
    book = Book(connect, label)
    numbers = {"unit_price_minor": PRICE, "units_total": book.cap, "minimum_units": 1}
    said = {"issuer_id": "iss_one", "name": "Example", "exemption": "506(c)", "currency": "USD"}
    book.call("engine.open_offer", book.offering, said | numbers | terms)
    return book


def submit(book: Book) -> None:
    """Send the terms to their review."""
    book.call("engine.move_offer", book.offering, "legal_review")


def accept(book: Book) -> None:
    """Bring a draft to the morning of its publication."""
    submit(book)
    book.call("engine.move_offer", book.offering, "legal_accepted", actor="counsel.carl")
    book.call("engine.name_token", book.offering, 1, book.token, b"\x02" * 20)
    book.escrow()


def status(book: Book) -> tuple[Any, ...]:
    """Return status, kind of end and reason of the offer."""
    question = "select status, ended_as, because from engine.offer where offering_id = %s"
    return book.ask(question, book.offering)[0]


@pytest.mark.parametrize(
    ("rule", "terms"),
    [
        ("instrument_states_what_its_type_asks", {"security_type": "debt", "instrument": {"rate_bps": 800}}),
        ("instrument_states_what_its_type_asks", {"security_type": "preferred"}),
        ("instrument_states_only_its_own_terms", {"instrument": {"rate_bps": 800}}),
        (
            "convertible_states_a_discount_or_a_cap",
            {"security_type": "convertible", "instrument": {"matures_on": "2030-01-31"}},
        ),
        ("target_is_within_the_offer", {**CF, "units_total": 10, "target_minor": 11 * PRICE}),
        ("exemption_has_its_deadline_and_target", {"exemption": "reg_cf", "units_total": 10}),
        ("exemption_has_its_deadline_and_target", {"exemption": "eu_crowdfunding", "currency": "EUR"}),
        (
            "offer_is_open_long_enough",
            {**CF, "units_total": 10, "closes_at": (NOW + 20 * DAY).isoformat()},
        ),
        (
            "offer_is_open_long_enough",
            {**CF, "units_total": 10, "opens_at": (NOW + 10 * DAY).isoformat()},
        ),
        ("issuer_stays_within_its_cap", {**CF, "units_total": 10_001}),
    ],
)
def test_terms_that_do_not_fit_are_not_submitted(
    connect: Connect, rule: str, terms: dict[str, object]
) -> None:
    book = drafted(connect, **terms)
    with refused(rule):
        submit(book)
    assert status(book)[0] == "draft"


@pytest.mark.parametrize("terms", [{}, DEBT, {**CF, "units_total": 10_000}])
def test_terms_that_fit_are_locked_by_their_submission(connect: Connect, terms: dict[str, object]) -> None:
    book = drafted(connect, **terms)
    submit(book)
    assert book.ask("select status, locked_at is not null from engine.terms") == [("locked", True)]
    with refused("terms_are_locked_after_review"):
        book.call("engine.edit_offer", book.offering, {"name": "Another"})


@pytest.mark.parametrize(
    ("rule", "terms"),
    [
        ("security_type_is_known", {"security_type": "option"}),
        ("offer_closes_after_it_opens", {**CF, "opens_at": CF["closes_at"]}),
        ("money_is_counted_from_the_deadline_on", {**CF, "pays_by": NOW.isoformat()}),
        ("target_is_reached_by_a_deadline", {"target_minor": 5}),
        ("target_is_positive", {**CF, "target_minor": 0}),
        ("minimum_is_within_the_offer", {"minimum_units": 2_000_000}),
        ("exemption_is_known", {"exemption": "friends and family"}),
        ("instrument_is_an_object", {"instrument": [1]}),
    ],
)
def test_a_field_that_cannot_be_is_refused_at_once(
    connect: Connect, rule: str, terms: dict[str, object]
) -> None:
    with refused(rule):
        drafted(connect, **terms)


def test_sales_of_the_last_twelve_months_count_against_the_cap(connect: Connect) -> None:
    earlier = drafted(connect, "early", **CF, units_total=6_000)
    earlier.backdate("engine.offer", "published_at = clock_timestamp() - interval '11 months'")
    book = drafted(connect, "late", **CF, units_total=4_001)
    with refused("issuer_stays_within_its_cap"):
        submit(book)
    earlier.backdate(
        "engine.offer", "published_at = published_at - interval '1 month' where published_at is not null"
    )
    submit(book)


def test_the_cap_is_counted_again_when_the_offer_is_published(connect: Connect) -> None:
    books = [drafted(connect, label, **CF, units_total=6_000) for label in ("one", "two")]
    for book in books:
        accept(book)
    first, second = books
    first.call("engine.move_offer", first.offering, "published")
    with refused("issuer_stays_within_its_cap"):
        second.call("engine.move_offer", second.offering, "published")


def test_two_offers_of_an_issuer_are_published_one_after_the_other(
    connect: Connect, database: Database
) -> None:
    books = [drafted(connect, label, **CF, units_total=6_000) for label in ("one", "two")]
    for book in books:
        accept(book)
    desk = Desk(database)
    publish = {"actor": "issuer.iris", "status": "published"}
    with ThreadPoolExecutor(1) as other, desk.engine.together() as within:
        within.move_offer(offering=books[0].offering, **publish)
        late = other.submit(desk.engine.move_offer, offering=books[1].offering, **publish)
        wait([late], timeout=0.5)
        assert not late.done()
    with pytest.raises(Refused, match="issuer_stays_within_its_cap"):
        late.result(10)


def test_the_window_is_counted_again_from_the_publication_on(connect: Connect) -> None:
    book = drafted(connect, **CF, units_total=10)
    accept(book)
    soon = (
        "closes_at = clock_timestamp() + interval '20 days', pays_by = clock_timestamp() + interval '20 days'"
    )
    book.backdate("engine.terms", soon)
    with refused("offer_is_open_long_enough"):
        book.call("engine.move_offer", book.offering, "published")


def test_another_person_reviews_and_a_decline_says_why(connect: Connect) -> None:
    book = drafted(connect)
    submit(book)
    for verdict in (True, False):
        with refused("terms_are_reviewed_by_another_person"):
            book.call("engine.review_offer", book.offering, verdict, "so")
    with refused("terms_are_reviewed_by_another_person"):
        book.call("engine.move_offer", book.offering, "legal_accepted")
    with refused("declined_offer_says_why"):
        book.call("engine.review_offer", book.offering, False, " ", actor="counsel.carl")  # noqa: FBT003
    with refused("decision_is_made_by_a_person"):
        book.call("engine.review_offer", book.offering, True, "so", actor="process")  # noqa: FBT003
    with refused("decision_is_made_by_a_person"):
        book.call("engine.move_offer", book.offering, "legal_accepted", actor="process")
    book.call("engine.review_offer", book.offering, False, "no risk page", actor="counsel.carl")  # noqa: FBT003
    assert status(book) == ("legal_declined", None, "no risk page")
    book.call("engine.move_offer", book.offering, "draft")
    book.call("engine.edit_offer", book.offering, {"name": "Another", **DEBT}, actor="issuer.ivan")
    submit(book)
    # Neither who drafted first nor who edited since reviews.
    for drafter in ("usr_first", "issuer.ivan"):
        with refused("terms_are_reviewed_by_another_person"):
            book.call("engine.review_offer", book.offering, True, "so", actor=drafter)  # noqa: FBT003
    book.call("engine.review_offer", book.offering, True, "complete", actor="counsel.carl")  # noqa: FBT003
    assert status(book)[0] == "legal_accepted"
    assert book.kinds("trm_one_1") == [
        f"terms.{kind}" for kind in ("drafted", "locked", "unlocked", "edited", "locked")
    ]


def test_nobody_orders_outside_the_window(connect: Connect) -> None:
    book = Book(connect)
    book.terms = {"opens_at": (NOW + DAY).isoformat(), "closes_at": (NOW + 2 * DAY).isoformat()}
    book.build("published")
    with refused("offer_has_opened"):
        book.opened()
    book.backdate("engine.terms", "opens_at = opens_at - interval '1 day'")
    book.call("engine.open_investment", book.offering, "inv_in", "ivr_in", 1)
    book.backdate("engine.terms", "closes_at = clock_timestamp(), pays_by = clock_timestamp()")
    with refused("offer_is_open_to_new_money"):
        book.opened()
    with refused("offer_is_open_to_new_money"):
        book.call("engine.confirm", book.offering, "inv_in")


def raised(connect: Connect, target: int, until: str = "funded") -> Book:
    """Return an offer with three investments of one to three units, a target in units and a deadline."""
    book = Book(connect)
    book.terms = {"target_minor": target * PRICE, "closes_at": (NOW + DAY).isoformat()}
    book.build(until)
    return book


def test_no_set_is_frozen_below_the_target(connect: Connect) -> None:
    book = raised(connect, 6, "linked")
    book.call("engine.declare_related", book.offering, "ivr_one1", "the founder's sister")
    with refused("target_is_met_before_a_close"):
        book.frozen()
    with refused("relation_says_what_it_is"):
        book.call("engine.declare_related", book.offering, "ivr_one2", " ")


def test_a_deadline_above_the_target_closes_to_new_money_once(connect: Connect, database: Database) -> None:
    book = raised(connect, 6)
    assert process_of(database).expire() == 0
    book.backdate("engine.terms", "closes_at = clock_timestamp(), pays_by = clock_timestamp()")
    with ThreadPoolExecutor(2) as pool:
        workers = [process_of(database), process_of(database)]
        assert sum(pool.map(lambda worker: worker.expire(), workers)) == 1
    assert status(book) == ("legally_closed", None, None)
    assert book.kinds(book.offering).count("offer.closed_to_new_money") == 1
    book.linked()
    book.frozen()


def test_a_deadline_below_the_target_fails_the_offer_and_refunds_once(
    connect: Connect, database: Database
) -> None:
    book = raised(connect, 7)
    book.backdate("engine.terms", "closes_at = clock_timestamp(), pays_by = clock_timestamp()")
    with ThreadPoolExecutor(2) as pool:
        workers = [process_of(database), process_of(database)]
        list(pool.map(lambda worker: worker.expire(), workers))
    process_of(database).expire()
    assert status(book) == (
        "closed_unsuccessfully",
        "minimum_missed",
        "the target was not reached in its time",
    )
    assert [book.status(n)[0] for n in (1, 2, 3)] == ["closed_unsuccessfully"] * 3
    assert book.ask("select receipt_id, amount_minor, reason from treasury.refund order by 1") == [
        (f"rcp_one{n}", n * PRICE, "failed_offer") for n in (1, 2, 3)
    ]
    kinds = book.kinds(book.offering)
    assert (kinds.count("offer.closed_to_new_money"), kinds.count("offer.failed")) == (1, 1)
    book.check()


def test_a_deadline_waits_for_units_on_their_way_and_holds_up_no_other_offer(
    connect: Connect, database: Database
) -> None:
    issuing = raised(connect, 6, "prepared")
    issuing.call("engine.declare_related", issuing.offering, "ivr_one1", "the founder's sister")
    other = Book(connect, "two")
    other.terms = {"target_minor": 7 * PRICE, "closes_at": (NOW + DAY).isoformat()}
    other.build("funded")
    issuing.backdate("engine.terms", "closes_at = clock_timestamp(), pays_by = clock_timestamp()")
    process_of(database).expire()
    process_of(database).expire()
    assert status(issuing)[0] == "legally_closed"
    assert status(other)[0] == "closed_unsuccessfully"


def test_money_that_comes_in_its_time_saves_the_offer(connect: Connect, database: Database) -> None:
    book = raised(connect, 6, "instructed")
    book.backdate(
        "engine.terms", "closes_at = clock_timestamp(), pays_by = clock_timestamp() + interval '1 day'"
    )
    process = process_of(database)
    process.expire()
    assert status(book)[0] == "legally_closed"
    book.received()
    book.funded()
    book.backdate("engine.terms", "pays_by = clock_timestamp()")
    process.expire()
    assert status(book)[0] == "legally_closed"


def test_the_last_unit_closes_the_offer(connect: Connect, database: Database) -> None:
    book = Book(connect, cap=6).build("allocated")
    process = process_of(database)
    for n, stands in ((1, "published"), (2, "published"), (3, "legally_closed")):
        book.call("engine.confirm", book.offering, book.id("inv", n))
        process.drain()
        assert (book.status(n)[0], status(book)[0]) == ("legally_confirmed", stands)


def test_no_set_is_frozen_and_no_full_offer_closes_before_its_deadline(connect: Connect) -> None:
    book = raised(connect, 6, "linked")
    book.backdate("engine.offer", "exemption = 'reg_cf', units_total = 6")
    with refused("deadline_is_moved_before_an_early_close"):
        book.frozen()
    assert book.call("engine.close_full_offers", [book.offering]) == 0
    assert status(book)[0] == "published"
    book.backdate("engine.terms", "closes_at = clock_timestamp(), pays_by = clock_timestamp()")
    assert book.call("engine.close_full_offers", [book.offering]) == 1
    book.frozen()


def test_a_deadline_ends_no_offer_that_has_issued(connect: Connect, database: Database) -> None:
    book = raised(connect, 6, "registered")
    book.call("engine.mark_issued", book.offering, book.closing)
    book.release()
    book.call("engine.mark_released", book.offering, book.closing)
    late = "closes_at = clock_timestamp(), pays_by = clock_timestamp(), target_minor = 100000000"
    book.backdate("engine.terms", late)
    for stands in ("released", "certified"):
        assert book.ask("select status from engine.closing") == [(stands,)]
        book.call("engine.look_at_deadlines")
        assert status(book)[0] == "legally_closed"
        process_of(database).drain()


def test_an_early_close_waits_for_its_deadline(connect: Connect) -> None:
    book = raised(connect, 1, "published")
    book.backdate("engine.offer", "exemption = 'reg_cf'")
    with refused("deadline_is_moved_before_an_early_close"):
        book.call("engine.move_offer", book.offering, "legally_closed")


def test_success_waits_for_the_certificate_and_for_everybody(connect: Connect) -> None:
    book = Book(connect).build("registered")
    book.call("engine.move_offer", book.offering, "legally_closed")
    with refused("successful_offer_has_a_certified_closing"):
        book.call("engine.move_offer", book.offering, "closed_successfully")
    book.call("engine.mark_issued", book.offering, book.closing)
    book.release()
    book.call("engine.mark_released", book.offering, book.closing)
    book.call("engine.certify", book.offering, book.closing)
    book.backdate("engine.investment", "status = 'legally_confirmed' where investment_id = 'inv_one1'")
    with refused("every_investment_has_ended"):
        book.call("engine.move_offer", book.offering, "closed_successfully")
    book.backdate("engine.investment", "status = 'closed_successfully' where investment_id = 'inv_one1'")
    book.call("engine.move_offer", book.offering, "closed_successfully")
    assert status(book)[0] == "closed_successfully"


def test_every_version_of_the_terms_is_read_as_of_its_time(connect: Connect, database: Database) -> None:
    book = raised(connect, 6, "published")
    life = Desk(database).life
    now = datetime.now(UTC)
    assert life.terms_as_of(offering=book.offering, at=now)["target_minor"] == 6 * PRICE
    assert life.terms_as_of(offering=book.offering, at=now - DAY) is None
