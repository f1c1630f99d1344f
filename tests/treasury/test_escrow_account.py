"""The named escrow of an offer: without one nothing is published, elsewhere nothing is received."""

from __future__ import annotations

import pytest

from bookrunner.db import Database
from bookrunner.pages.treasury import facts
from tests.attack.world import Connect, escrow_terms
from tests.treasury.escrow import Escrow, refused

NAMED = "select set_config('bookrunner.actor', 'a', true), set_config('bookrunner.request', 'r', true)"
BAD_TERMS = [
    ({"agent": " "}, "escrow_agent_is_named"),
    ({"beneficiary": "123"}, "beneficiary_is_named"),
    ({"bank": "-"}, "escrow_bank_is_named"),
    ({"bank_code": "021000022"}, "bank_code_is_checkable"),
    ({"bank_code": "CHASUS3"}, "bank_code_is_checkable"),
    ({"account": "--1--"}, "escrow_account_is_written_out"),
    ({"agreement_sha256": "00"}, "escrow_has_its_agreement"),
    ({"because": "  "}, "escrow_has_its_reason"),
]


@pytest.fixture
def told(connect: Connect) -> Escrow:
    """Return an offer whose investors were told where to pay."""
    world = Escrow(connect)
    world.build("instructed")
    return world


def propose(world: Escrow, account: str = "NEW1", name: str = "second", **changed: object) -> str:
    escrow = f"esc_one_{name}"
    world.call("treasury.propose_escrow", world.offering, escrow, escrow_terms(account, **changed))
    return escrow


def decide(
    world: Escrow, escrow: str, answer: str = "true", *, seen: int = 1, actor: str = "usr_second"
) -> None:
    world.call("treasury.decide_escrow", world.offering, escrow, answer, seen, actor=actor)


def in_force(world: Escrow) -> list[tuple[str, ...]]:
    return world.ask("select escrow_id from treasury.escrow_account where status = 'in_force'")


def changes_told(world: Escrow) -> list[tuple[str, ...]]:
    return world.ask(
        "select investment_id from treasury.notification where starts_with(code, 'instructions:') order by 1"
    )


def test_an_offer_is_published_only_with_an_escrow_in_force(connect: Connect) -> None:
    world = Escrow(connect)
    terms = {"issuer_id": "iss_one", "name": "Example", "exemption": "506(b)", "currency": "USD"}
    numbers = {"unit_price_minor": 1, "units_total": 9, "minimum_units": 1}
    world.call("engine.open_offer", world.offering, terms | numbers)
    for status in ("legal_review", "legal_accepted"):
        world.call("engine.move_offer", world.offering, status, actor=f"usr_{status}")
    world.call("engine.name_token", world.offering, 31337, b"\x01" * 20, b"\x02" * 20)
    with refused("published_offer_has_its_escrow"):
        world.call("engine.move_offer", world.offering, "published")
    escrow = propose(world)
    with refused("published_offer_has_its_escrow"):
        world.call("engine.move_offer", world.offering, "published")
    decide(world, escrow)
    world.call("engine.move_offer", world.offering, "published")


def test_an_investor_with_two_investments_is_counted_once(told: Escrow, database: Database) -> None:
    assert facts.lists(database, told.offering, ["told_where_to_pay"]) == {"told_where_to_pay": 3}
    with told.login("owner").transaction():
        told.ask(NAMED)
        told.login("owner").execute("alter table treasury.payment_attempt disable trigger zz_guard")
        told.login("owner").execute(
            "update treasury.payment_attempt set investor_id = %s where investment_id = %s",
            (told.id("ivr", 1), told.id("inv", 2)),
        )
    assert facts.lists(database, told.offering, ["told_where_to_pay"]) == {"told_where_to_pay": 2}


def test_no_answer_puts_nothing_in_force(told: Escrow) -> None:
    before = in_force(told)
    escrow = propose(told)
    told.call("treasury.decide_escrow", told.offering, escrow, None, 1, actor="usr_second")
    assert in_force(told) == before
    status = "select status from treasury.escrow_account where escrow_id = %s"
    assert told.ask(status, escrow) == [("declined",)]


def test_money_at_another_account_is_refused_whole(told: Escrow) -> None:
    with refused("statement_is_of_the_escrow_account"):
        told.pay("other", told.entry(1), account="GB33BUKB20201555555555")
    assert told.ask("select count(*) from treasury.receipt") == [(0,)]
    propose(told, "PROPOSED1")
    with refused("statement_is_of_the_escrow_account"):
        told.pay("early", told.entry(1), account="PROPOSED1")
    assert told.pay("own", told.entry(1), account="escrow 1") == 1


def test_no_right_moves_a_statement_past_the_escrow(told: Escrow) -> None:
    with refused("statement_is_of_the_escrow_account"), told.login("owner").transaction():
        told.ask(
            "select set_config('bookrunner.actor', 'a', true), set_config('bookrunner.request', 'r', true)"
        )
        told.login("owner").execute(
            "insert into treasury.statement (offering_id, statement_id, status, account, bank_statement_id,"
            " file_sha256, opening_minor, closing_minor, closed_on, entries) values"
            " ('ofr_one', 'stm_x', 'imported', 'ELSEWHERE', 'b', '', 0, 0, '2026-03-01', 0)"
        )


@pytest.mark.parametrize(("changed", "rule"), BAD_TERMS, ids=str)
def test_terms_are_whole(told: Escrow, changed: dict[str, object], rule: str) -> None:
    with refused(rule):
        propose(told, **({"account": "NEW1"} | changed))  # type: ignore[arg-type]


def test_two_people_change_the_account_and_everybody_told_is_told(told: Escrow) -> None:
    escrow = propose(told)
    with refused("one_escrow_is_proposed"):
        propose(told, name="third")
    with refused("escrow_needs_two_people"):
        decide(told, escrow, actor="usr_first")
    with refused("decision_is_on_the_version_seen"):
        decide(told, escrow, seen=7)
    assert (in_force(told), changes_told(told)) == ([("esc_one_first",)], [])
    decide(told, escrow)
    assert in_force(told) == [(escrow,)]
    assert changes_told(told) == [(told.id("inv", n),) for n in told.numbers]
    ((account, changed),) = told.ask(
        "select account, changed from treasury.funding_card where investment_id = %s", told.id("inv", 1)
    )
    assert account == "NEW1"
    assert "has changed" in changed
    with refused("proposal_is_decided_once"):
        decide(told, escrow, seen=2)
    # Late money at the earlier account is still escrow.
    assert told.pay("late", told.entry(1)) == 1


def test_a_declined_account_changes_nothing(told: Escrow) -> None:
    decide(told, propose(told), "false", actor="usr_first")
    assert (in_force(told), changes_told(told)) == ([("esc_one_first",)], [])


def test_terms_stay_as_they_were_decided_on(told: Escrow) -> None:
    with refused("escrow_terms_stay"), told.login("owner").transaction():
        told.ask(
            "select set_config('bookrunner.actor', 'a', true), set_config('bookrunner.request', 'r', true)"
        )
        told.login("owner").execute("update treasury.escrow_account set account = 'THIEF1'")


UNAGREED = {
    "escrow_needs_two_people": "status = 'in_force', decided_by = proposed_by",
    "decided_escrow_names_who": "status = 'declined'",
    "one_escrow_is_in_force": "status = 'in_force', decided_by = 'usr_thief'",
}


@pytest.mark.parametrize(("rule", "change"), UNAGREED.items(), ids=list(UNAGREED))
def test_no_right_puts_an_account_in_force(told: Escrow, rule: str, change: str) -> None:
    propose(told)
    owner = told.login("owner")
    with refused(rule), owner.transaction():
        owner.execute(NAMED)
        owner.execute("alter table treasury.escrow_account disable trigger zz_guard")
        owner.execute(f"update treasury.escrow_account set {change} where status = 'proposed'".encode())  # noqa: S608


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("'cheque', '2999-01-01', '12:00', 'UTC', 'rule', 'a', 'b'", "cut_off_is_of_a_rail_of_banks"),
        ("'wire', '2999-01-01', '12:00', 'Nowhere/Town', 'rule', 'a', 'b'", "22023"),
        ("'wire', '2999-01-01', '12:00', 'UTC', ' ', 'a', 'b'", "cut_off_names_its_source"),
        ("'wire', '2999-01-01', '12:00', 'UTC', 'rule', 'a', 'a'", "cut_off_needs_two_people"),
    ],
)
def test_a_cut_off_is_a_rule_of_two_people(told: Escrow, values: str, rule: str) -> None:
    with refused(rule):
        told.login("owner").execute(f"insert into treasury.rail_cut_off values ({values})".encode())  # noqa: S608


def test_a_word_of_the_investor_is_a_note_beside_the_money(told: Escrow) -> None:
    before = told.ask("select * from engine.position order by investment_id")
    mine = [told.offering, told.id("inv", 1)]
    told.call("portal.say_sent", *mine, f"RF{1:014}")
    told.call("portal.say_sent", *mine, f"RF{1:014}")
    assert told.ask("select count(*) from portal.sent_note") == [(1,)]
    with refused("sent_note_is_of_a_payment"):
        told.call("portal.say_sent", *mine, f"RF{2:014}")
    with refused("sent_note_names_its_reference"):
        told.login("owner").execute("insert into portal.sent_note values ('ofr_one', 'inv_1', 'RF1', 'a')")
    assert told.ask("select * from engine.position order by investment_id") == before
    assert told.funding(1) == "initialized"
