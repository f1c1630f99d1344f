"""Filings are opened by their facts once, packed from the books, and made by people alone."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from bookrunner.core.errors import UnknownRecord
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.filings import as_csv, as_json, pack_of
from tests.allocation.book import PRICE, Book
from tests.allocation.test_illegal import every_right
from tests.attack.world import Connect, digest
from tests.servicing.books import (
    Crowd,
    clocks,
    crowd,
    filing,
    fill,
    follow,
    look,
    named,
    prepare,
    record,
    state,
)
from tests.treasury.escrow import refused


def today(book: Book) -> date:
    """Return the day in New York."""
    found: date = book.ask("select engine.filing_day(clock_timestamp())")[0][0]
    return found


def day_of_sale(book: Book) -> date:
    """Return the day in New York on which an order of an offer was first bound on both sides.

    It is the day of the event, not of the clock: a run may begin on one day and end on the next.
    """
    question = "select engine.filing_day(min(occurred_at)) from audit.event where scope = %s and kind = %s"
    ((found,),) = book.ask(question, book.offering, "investment.legally_confirmed")
    assert found in (today(book), today(book) - timedelta(days=1))
    return found


def sold(connect: Connect) -> Book:
    """Return a Rule 506(c) offer that has sold to three investors."""
    book = Book(connect)
    book.build("confirmed")
    named(book)
    return book


def test_a_first_sale_opens_form_d_and_a_state_notice_once(connect: Connect, database: Database) -> None:
    book = sold(connect)
    assert clocks(book) == {}
    follow(database)
    assert clocks(book) == {"form_d": "due", "state_notice": "due"}
    question = "select fact_on, due_on, rule_id, rule_version from engine.filing where clock = 'form_d'"
    ((fact_on, due_on, *rule),) = book.ask(question)
    assert (fact_on, rule) == (day_of_sale(book), ["us.filing.form_d", 1])
    assert book.ask("select due_on from engine.filing_due('form_d', '', %s)", fact_on) == [(due_on,)]
    follow(database)
    assert look(database) == 0
    assert book.kinds(filing(book, "form_d")[0]) == ["filing.owed"]
    assert book.reactions("process.filings") == [("done", "")] * 3


def test_an_offer_that_passed_its_fact_gets_its_filings_by_a_look(
    connect: Connect, database: Database
) -> None:
    book = sold(connect)
    assert look(database) == 2
    follow(database)
    assert book.kinds(filing(book, "form_d")[0]) == ["filing.owed"]


def test_an_offer_that_refuses_does_not_stop_the_others(connect: Connect, database: Database) -> None:
    refusing = crowd(connect, "published")
    # A day past every calendar, which the verb itself refuses.
    with refused("filing_is_due_inside_the_calendar"):
        state(refusing, "end_of_duty", "2098-01-01")
    refusing.login("owner").execute(
        "insert into engine.filing_fact (offering_id, fact_id, fact, happened_on, because, evidence_sha256,"
        " stated_by) values (%s, 'fct_far', 'end_of_duty', '2098-01-01', 'so', %s, 'usr_x')",
        [refusing.offering, digest("x")],
    )
    other = Book(connect, "two")
    other.build("confirmed")
    assert look(database) == 2
    assert set(clocks(other)) == {"form_d", "state_notice"}
    assert clocks(refusing) == {}


def test_who_sells_abroad_owes_nothing(connect: Connect, database: Database) -> None:
    book = Book(connect)
    book.exemption = "reg_s"
    book.build("opened")
    follow(database)
    assert look(database) == 0
    assert clocks(book) == {}


def test_a_draft_owes_nothing_and_an_accepted_offer_its_statement(
    connect: Connect, database: Database
) -> None:
    book = crowd(connect, "published")
    follow(database)
    ((due_on, is_missed),) = book.ask("select due_on, is_missed from engine.filing_standing")
    ((opened_on,),) = book.ask("select engine.filing_day(published_at) from engine.offer")
    assert due_on == opened_on - timedelta(days=1)
    assert is_missed
    assert clocks(book) == {"form_c": "due"}


def test_half_of_the_target_is_passed_by_committed_money(connect: Connect, database: Database) -> None:
    book = crowd(connect, "allocated")
    book.confirm(1, 2)
    follow(database)
    assert set(clocks(book)) == {"form_c"}
    book.confirm(3)
    follow(database)
    assert set(clocks(book)) == {"form_c", "form_c_half"}
    ((source, fact_on, due_on),) = book.ask(
        "select fact_source, fact_on, due_on from engine.filing where clock = 'form_c_half'"
    )
    assert source.startswith(f"{book.id('inv', 3)}@")
    assert book.ask("select due_on from engine.filing_due('form_c_half', '', %s)", fact_on) == [(due_on,)]


def test_the_whole_target_is_passed_once_and_for_all(connect: Connect, database: Database) -> None:
    book = crowd(connect, "allocated", target=6)
    book.confirm(1, 2, 3)
    # Cancelled before anybody looked: the target was passed all the same.
    book.cancel(2, 3)
    assert look(database) > 0
    assert {"form_c_half", "form_c_whole"} <= set(clocks(book))
    follow(database)
    assert clocks(book)["form_c_whole"] == "due"


def test_cancelled_money_does_not_pass_the_target(connect: Connect, database: Database) -> None:
    book = crowd(connect, "allocated")
    book.confirm(1)
    book.cancel(1)
    book.confirm(2, 3)
    follow(database)
    assert set(clocks(book)) == {"form_c"}


def test_a_material_change_is_amended_and_names_itself(connect: Connect, database: Database) -> None:
    book = crowd(connect, "confirmed")
    said = ["amd_one", True, "The date moves.", digest("supplement")]
    book.call("engine.propose_amendment", book.offering, *said)
    follow(database)
    assert "form_c_change" not in clocks(book)
    decided = ["amd_one", True, "counsel has read it", 1]
    book.call("engine.decide_amendment", book.offering, *decided, actor="usr_second")
    follow(database)
    items = pack_of(Desk(database).filings, book.offering, filing(book, "form_c_change")[0]).items
    change = next(row for row in items if row["code"] == "change")
    assert (change["value"], change["source"]) == ("The date moves.", "engine.amendment/amd_one")


def test_half_a_year_is_reported_under_regulation_a(connect: Connect, database: Database) -> None:
    book = Crowd(connect)
    book.exemption, book.terms = "reg_a_tier_2", {}
    book.build("confirmed")
    ends = today(book) + timedelta(days=200)
    state(book, "year_end", str(ends - timedelta(days=365)))
    follow(database)
    assert {"form_1_a", "form_1_k", "form_1_sa", "state_notice"} <= set(clocks(book))
    question = "select due_on = fact_on + 90 from engine.filing where clock = 'form_1_sa'"
    assert book.ask(question) == [(True,)]


def test_the_end_of_a_crowd_offer_and_a_year_are_reported(connect: Connect, database: Database) -> None:
    book = crowd(connect, "confirmed")
    book.backdate("engine.terms", "closes_at = clock_timestamp(), pays_by = closes_at")
    book.call("engine.move_offer", book.offering, "legally_closed")
    year_end = date(today(book).year, 12, 31)
    state(book, "year_end", f"{year_end.year - 1}-12-31")
    follow(database)
    assert {"form_c_end", "form_c_year"} <= set(clocks(book))
    question = "select due_on from engine.filing where clock = 'form_c_year' and period = %s"
    assert book.ask(question, str(year_end)) == [(year_end + timedelta(days=120),)]


def test_a_state_that_is_named_takes_the_place_of_one_that_is_not(
    connect: Connect, database: Database
) -> None:
    book = sold(connect)
    follow(database)
    day = str(today(book))
    state(book, "state_sale", day, "US-CA")
    rows = book.ask(
        "select place, status, due_on, because from engine.filing where clock = 'state_notice' order by place"
    )
    assert rows == [("", "not_owed", None, "its fact is gone"), ("US-CA", "due", None, None)]
    for fact, place in (("state_sale", ""), ("state_sale", "California"), ("year_end", "US-CA")):
        with refused("sale_names_its_state"):
            state(book, fact, day, place)
    assert look(database) == 0


def test_a_fee_of_a_state_is_shown_where_it_is_on_record(connect: Connect, database: Database) -> None:
    book = sold(connect)
    book.login("owner").execute(
        "insert into engine.state_notice_rule"
        " values ('US-CA', '2020-01-01', 15, 'calendar_days', 30000, 'an example')"
    )
    for place in ("US-CA", "US-NY"):
        state(book, "state_sale", "2026-11-20", place)
    rows = book.ask("select place, due_on, filing_id from engine.filing where place <> '' order by place")
    assert [row[:2] for row in rows] == [("US-CA", date(2026, 12, 5)), ("US-NY", None)]
    fees = []
    for _, _, name in rows:
        items = pack_of(Desk(database).filings, book.offering, name).items
        fees.append(next((row["value"], row["unit"]) for row in items if row["code"] == "state_fee"))
    assert fees == [("30000", "USD"), (None, "")]


def test_a_pack_names_each_value_with_its_source(connect: Connect, database: Database) -> None:
    book = sold(connect)
    follow(database)
    keeper = Desk(database).filings
    pack = pack_of(keeper, book.offering, filing(book, "form_d")[0])
    found = {row["code"]: (row["value"], row["unit"], row["source"]) for row in pack.items}
    assert found["amount_sold"] == (str(6 * PRICE), "USD", f"engine.investment of {book.offering}")
    assert found["investors"] == ("3", "investors", f"engine.investment of {book.offering}")
    assert found["issuer_name"] == ("Example Partners", "", "engine.issuer/iss_one")
    assert found["first_sale_on"][0] == str(day_of_sale(book))
    assert "jurisdiction" in pack.unfilled
    told = json.loads(as_json(pack))
    assert told["unfilled"] == pack.unfilled
    assert told["due_on"] == str(pack.filing["due_on"])
    assert next(i for i in told["items"] if i["code"] == "amount_sold")["value"] == "3000.00"
    lines = as_csv(pack).split("\r\n")
    assert len(lines) == len(pack.items) + 2
    with pytest.raises(UnknownRecord):
        pack_of(keeper, book.offering, "fil_none")


def test_a_cell_is_never_a_formula(connect: Connect, database: Database) -> None:
    book = sold(connect)
    follow(database)
    name = filing(book, "form_d")[0]
    said = [name, "jurisdiction", "=HYPERLINK(1)", "@charter"]
    book.call("engine.fill_filing", book.offering, *said, actor="issuer.iris")
    written = as_csv(pack_of(Desk(database).filings, book.offering, name))
    assert "'=HYPERLINK(1)" in written
    assert "'@charter" in written


def test_a_pack_with_a_gap_is_not_ready(connect: Connect, database: Database) -> None:
    book = Book(connect)
    book.build("confirmed")
    follow(database)
    with refused("prepared_pack_is_filled"):
        prepare(book, "form_d")
    fill(book, "form_d")
    # The name of the issuer is on no record, and nobody can type it in.
    with refused("prepared_pack_is_filled"):
        prepare(book, "form_d")
    name = filing(book, "form_d")[0]
    with refused("filled_item_is_open"):
        said = [name, "issuer_name", "Another", "memory"]
        book.call("engine.fill_filing", book.offering, *said, actor="issuer.iris")
    named(book)
    prepare(book, "form_d")
    assert filing(book, "form_d")[2] == "prepared"


def reopen(book: Book, clock: str, because: str = "a fact has changed", actor: str = "issuer.iris") -> None:
    """Open a filing again."""
    name, seen, _ = filing(book, clock)
    book.call("engine.reopen_filing", book.offering, name, because, seen, actor=actor)


def test_what_is_recorded_is_the_pack_that_was_prepared(connect: Connect, database: Database) -> None:
    book = sold(connect)
    follow(database)
    fill(book, "form_d")
    prepare(book, "form_d")
    question = "select pack from engine.filing where clock = 'form_d'"
    ((prepared,),) = book.ask(question)
    keeper, name = Desk(database).filings, filing(book, "form_d")[0]
    assert pack_of(keeper, book.offering, name).differs == []
    book.call("engine.cancel_investment", book.offering, book.id("inv", 2), "as asked")
    follow(database)
    changed = ["amount_sold", "investors"]
    assert pack_of(keeper, book.offering, name).differs == changed
    record(book, "form_d", str(today(book)))
    assert book.ask(question) == [(prepared,)]
    # Filed, it says what was filed, and what is so today beside it.
    pack = pack_of(keeper, book.offering, name)
    told = json.loads(as_json(pack))
    sold_then = next(item for item in told["items"] if item["code"] == "amount_sold")
    assert (pack.differs, sold_then["value"], sold_then["value_now"]) == (changed, "3000.00", "2000.00")
    assert [item["code"] for item in told["items"] if item["differs"]] == changed
    assert ",True,2000.00\r\n" in as_csv(pack)
    assert book.kinds(name) == ["filing.owed", "filing.prepared", "filing.filed"]


def test_a_person_opens_a_prepared_pack_again(connect: Connect, database: Database) -> None:
    book = sold(connect)
    follow(database)
    fill(book, "form_d")
    with refused("opened_filing_was_prepared_or_ended"):
        reopen(book, "form_d")
    prepare(book, "form_d")
    with refused("decision_is_made_by_a_person"):
        reopen(book, "form_d", actor="process")
    book.call("engine.cancel_investment", book.offering, book.id("inv", 2), "as asked")
    reopen(book, "form_d")
    assert filing(book, "form_d")[2] == "due"
    prepare(book, "form_d")
    name = filing(book, "form_d")[0]
    book.call("engine.fill_filing", book.offering, name, "cik", "1234567", "EDGAR", actor="issuer.iris")
    assert filing(book, "form_d")[2] == "due"
    assert book.kinds(name) == ["filing.owed", *["filing.prepared", "filing.reopened"] * 2]


def test_a_filing_that_was_ended_is_owed_again(connect: Connect, database: Database) -> None:
    book = crowd(connect, "confirmed")
    follow(database)
    name, seen, _ = filing(book, "form_c_half")
    said = ["engine.end_filing", book.offering, name, "by mistake"]
    book.call(*said, seen, actor="issuer.iris")
    # One person's word ends nothing: it is owed, and may be missed, until another confirms it.
    book.backdate("engine.filing", "due_on = due_on - 400 where clock = 'form_c_half'")
    question = "select status, is_missed from engine.filing_standing where clock = 'form_c_half'"
    assert book.ask(question) == [("ending", True)]
    assert look(database) == 1
    seen = filing(book, "form_c_half")[1]
    with refused("ended_filing_needs_two_people"):
        book.call("engine.confirm_filing_end", book.offering, name, seen, actor="issuer.iris")
    reopen(book, "form_c_half", "it is owed", "issuer.ivan")
    book.call(*said, seen + 1, actor="issuer.iris")
    with refused("decision_is_on_the_version_seen"):
        book.call("engine.confirm_filing_end", book.offering, name, seen, actor="issuer.ivan")
    book.call("engine.confirm_filing_end", book.offering, name, seen + 2, actor="issuer.ivan")
    # Two people ended it: the fact that stands brings it back by itself no more.
    assert look(database) == 0
    reopen(book, "form_c_half", "the updates were not frequent", "issuer.ivan")
    assert filing(book, "form_c_half")[2] == "due"
    ended = ["filing.end_proposed", "filing.ended", "filing.owed_again"]
    declined = ["filing.end_proposed", "filing.dated", "filing.end_declined"]
    assert book.kinds(name) == ["filing.owed", *declined, *ended]


def test_a_fact_that_stands_again_owes_its_filing_again(connect: Connect, database: Database) -> None:
    book = sold(connect)
    follow(database)
    state(book, "state_sale", str(today(book)), "US-CA")
    ended = "select filing_id, ended_by from engine.filing where place = '' and status = 'not_owed'"
    ((name, by),) = book.ask(ended)
    assert by is None
    with refused("filing_is_owed_by_its_fact"):
        said = [name, "so", 2]
        book.call("engine.reopen_filing", book.offering, *said, actor="issuer.iris")
    admin = book.login("admin")
    admin.execute("alter table engine.filing_fact disable trigger user")
    admin.execute("delete from engine.filing_fact where fact = 'state_sale'")
    assert look(database) == 2
    assert book.kinds(name) == ["filing.owed", "filing.ended", "filing.owed_again"]


def test_a_filing_is_recorded_by_a_person_with_its_proof(connect: Connect, database: Database) -> None:
    book = sold(connect)
    follow(database)
    fill(book, "form_d")
    with refused("transition_is_listed_for_the_keeper"):
        record(book, "form_d", str(today(book)))
    prepare(book, "form_d")
    name, seen, _ = filing(book, "form_d")
    day = today(book)
    for rule, said in (
        ("filing_is_recorded_after_it_was_made", _recording(book, on=day + timedelta(days=1))),
        ("filed_filing_has_its_proof", _recording(book, reference=" ")),
        ("filed_filing_has_its_proof", _recording(book, proof=None)),
        ("filed_filing_has_its_proof", _recording(book, proof=b"short")),
        ("decision_is_on_the_version_seen", _recording(book, seen=seen - 1)),
    ):
        with refused(rule):
            book.call("engine.record_filing", book.offering, *said, actor="issuer.iris")
    with refused("decision_is_made_by_a_person"):
        book.call("engine.record_filing", book.offering, *_recording(book), actor="process")
    record(book, "form_d", str(day))
    assert filing(book, "form_d") == (name, seen + 1, "filed")
    with refused("transition_is_listed_for_the_keeper"):
        book.call("engine.end_filing", book.offering, name, "no", seen + 1, actor="issuer.iris")


def _recording(book: Book, **changed: object) -> list[object]:
    name, seen, _ = filing(book, "form_d")
    said = {"on": today(book), "reference": "0001234567-26-000001", "proof": digest("proof"), "seen": seen}
    said |= changed
    return [name, *said.values()]


def test_a_notice_is_amended_yearly_while_the_offer_continues(connect: Connect, database: Database) -> None:
    book = sold(connect)
    follow(database)
    fill(book, "form_d")
    prepare(book, "form_d")
    day = today(book)
    record(book, "form_d", str(day))
    ((due_on,),) = book.ask("select due_on from engine.filing where clock = 'form_d_yearly'")
    assert book.ask("select (%s::date + interval '12 months')::date", day) == [(due_on,)]
    follow(database)
    assert clocks(book)["form_d_yearly"] == "due"
    book.call("engine.move_offer", book.offering, "legally_closed")
    follow(database)
    assert clocks(book) == {"form_d": "filed", "form_d_yearly": "not_owed", "state_notice": "due"}


def test_a_prepared_pack_outlives_its_fact(connect: Connect, database: Database) -> None:
    book = sold(connect)
    follow(database)
    fill(book, "form_d")
    prepare(book, "form_d")
    record(book, "form_d", str(today(book)))
    follow(database)
    fill(book, "form_d_yearly")
    prepare(book, "form_d_yearly")
    book.call("engine.move_offer", book.offering, "legally_closed")
    follow(database)
    assert clocks(book)["form_d_yearly"] == "prepared"
    _end_and_decline(book, database)
    record(book, "form_d_yearly", str(today(book)))
    assert clocks(book)["form_d_yearly"] == "filed"


def _end_and_decline(book: Book, database: Database) -> None:
    """Let one person propose that a pack whose fact is gone is owed no more, and another decline."""
    kept = "select pack, prepared_by from engine.filing where clock = 'form_d_yearly'"
    prepared = book.ask(kept)
    with refused("filing_is_owed_by_its_fact"):
        reopen(book, "form_d_yearly")
    name, seen, _ = filing(book, "form_d_yearly")
    book.call("engine.end_filing", book.offering, name, "the offer ended", seen, actor="issuer.iris")
    assert look(database) == 0
    assert (filing(book, "form_d_yearly")[2], book.ask(kept)) == ("ending", prepared)
    for rule, stolen in (
        ("pack_stays_as_prepared", "status = 'due', ended_by = null"),
        ("ended_filing_needs_two_people", "status = 'not_owed', ended_by = null"),
    ):
        with every_right(book, "engine") as login, refused(rule):
            login.execute(
                f"update engine.filing set {stolen}, pack = null, pack_sha256 = null, prepared_by = null"  # noqa: S608
                " where clock = 'form_d_yearly'".encode()
            )
    reopen(book, "form_d_yearly", "it may have been filed", "issuer.ivan")
    assert (filing(book, "form_d_yearly")[2], book.ask(kept)) == ("prepared", prepared)


def test_a_person_says_why_a_filing_is_met_otherwise(connect: Connect, database: Database) -> None:
    book = crowd(connect, "confirmed")
    follow(database)
    name, seen, _ = filing(book, "form_c_half")
    with refused("filing_that_is_not_owed_says_why"):
        book.call("engine.end_filing", book.offering, name, " ", seen, actor="issuer.iris")
    with refused("decision_is_made_by_a_person"):
        book.call("engine.end_filing", book.offering, name, "why", seen, actor="process")
    why = "the platform's own updates were frequent (17 CFR 227.203(a)(3)(iii))"
    book.call("engine.end_filing", book.offering, name, why, seen, actor="issuer.iris")
    with refused("decision_is_made_by_a_person"):
        book.call("engine.confirm_filing_end", book.offering, name, seen + 1, actor="process")
    book.call("engine.confirm_filing_end", book.offering, name, seen + 1, actor="issuer.ivan")
    assert look(database) == 0
    assert filing(book, "form_c_half")[2] == "not_owed"


def test_a_missed_filing_is_shown_to_holders(connect: Connect, database: Database) -> None:
    book = sold(connect)
    follow(database)
    book.backdate("engine.filing", "due_on = due_on - 30 where clock = 'form_d'")
    seen = book.login("portal").execute(
        "select form, is_missed from engine.report_owed where offering_id = %s order by form", [book.offering]
    )
    assert seen.fetchall() == [("D", True), ("state notice", False)]
    # The look puts the day right: it is the day that the fact gives.
    assert look(database) == 1
    assert book.kinds(filing(book, "form_d")[0]) == ["filing.owed", "filing.dated"]


def test_a_missed_filing_stays_missed_until_it_is_made_late(connect: Connect, database: Database) -> None:
    book = crowd(connect, "published")
    named(book)
    state(book, "end_of_duty", "2026-03-30")
    question = "select due_on, is_missed, is_late from engine.filing_standing where clock = 'form_c_stop'"
    assert book.ask(question) == [(date(2026, 4, 6), True, False)]
    fill(book, "form_c_stop")
    prepare(book, "form_c_stop")
    assert book.ask(question) == [(date(2026, 4, 6), True, False)]
    record(book, "form_c_stop", str(today(book)))
    assert book.ask(question) == [(date(2026, 4, 6), False, True)]
    assert look(database) == 0
    assert clocks(book) == {"form_c": "due", "form_c_stop": "filed"}
