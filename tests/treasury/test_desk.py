"""What one administrator proposes and another decides, on the version seen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from bookrunner.books import treasury
from bookrunner.db import Database
from tests.attack.world import Connect
from tests.treasury.escrow import DAY, PRICE, Escrow, digest, refused

SECOND = "usr_second"
AGREED = True
STRANGER = digest("a stranger").hex()


def _waiting(connect: Connect, **changed: object) -> Escrow:
    world = Escrow(connect)
    world.build("instructed")
    world.pay("first", world.entry(1, **changed))
    return world


def _propose(
    world: Escrow, act: str, investment: str | None = None, *, seen: int = 0, name: str = "prp_1"
) -> None:
    seen = seen or _version(world)
    world.call(
        "treasury.propose_act", world.offering, name, act, "rcp_one1", investment, "seen on paper", seen
    )


def _version(world: Escrow) -> int:
    return int(world.ask("select version from treasury.receipt where receipt_id = 'rcp_one1'")[0][0])


def _decide(
    world: Escrow, *, agreed: bool | None = True, actor: str = SECOND, because: str = "", seen: int = 1
) -> None:
    world.call("treasury.decide_act", world.offering, "prp_1", agreed, because, seen, actor=actor)


def test_a_match_waits_for_the_second_person(connect: Connect) -> None:
    world = _waiting(connect, reference=None)
    with refused("decision_is_on_the_version_seen"):
        _propose(world, "match", "inv_one1", seen=_version(world) + 1)
    _propose(world, "match", "inv_one1")
    assert world.receipt("rcp_one1") == "unmatched"
    with refused("one_proposal_waits_per_receipt"):
        _propose(world, "refund", name="prp_2")
    with refused("proposal_needs_two_people"):
        _decide(world, actor="usr_first")
    with refused("decision_is_on_the_version_seen"):
        _decide(world, seen=2)
    _decide(world)
    assert (world.receipt("rcp_one1"), world.gates(1)) == ("matched", (True, False))
    for agreed in (True, False):
        with refused("proposal_is_decided_once"):
            _decide(world, agreed=agreed, because="again", seen=2)
    world.check()


@pytest.mark.parametrize("agreed", [False, None])
def test_whoever_proposed_may_withdraw_with_a_reason(connect: Connect, *, agreed: bool | None) -> None:
    world = _waiting(connect, reference=None)
    _propose(world, "match", "inv_one1")
    with refused("declined_proposal_has_its_reason"):
        _decide(world, agreed=agreed, actor="usr_first")
    _decide(world, agreed=agreed, actor="usr_first", because="the wrong investor")
    assert world.receipt("rcp_one1") == "unmatched"
    _propose(world, "refund", name="prp_2")
    world.check()


def test_a_receipt_that_moved_on_is_not_decided(connect: Connect) -> None:
    world = _waiting(connect, reference=None)
    _propose(world, "match", "inv_one1")
    parts = [{"id": "rcp_x", "amount": 1}, {"id": "rcp_y", "amount": PRICE - 1}]
    world.call("treasury.divide_receipt", world.offering, "rcp_one1", parts)
    with refused("proposal_is_about_the_receipt_as_it_was"):
        _decide(world)
    world.check()


def test_a_match_is_undone_by_two_and_not_after_issuance(connect: Connect) -> None:
    world = _waiting(connect)
    _propose(world, "undo")
    _decide(world)
    assert (world.receipt("rcp_one1"), world.exception("rcp_one1")) == ("unmatched", "match_was_undone")
    assert world.gates(1) == (False, False)
    world.check()
    issued = Escrow(connect, "two")
    issued.build("prepared")
    receipt = issued.ask("select receipt_id, version from treasury.receipt where investment_id = 'inv_two1'")[
        0
    ]
    for act in ("undo", "refund"):
        with refused("money_stands_after_issuance"):
            issued.call(
                "treasury.propose_act", issued.offering, "prp_1", act, receipt[0], None, "late", receipt[1]
            )


def test_an_accepted_source_is_matched_by_the_rules(connect: Connect) -> None:
    world = _waiting(connect, fingerprint=STRANGER)
    with refused("proposed_act_fits_the_receipt"):
        _propose(world, "match", "inv_one1")
    _propose(world, "accept_source")
    _decide(world)
    assert (world.receipt("rcp_one1"), world.balance("liab:held_source")) == ("matched", 0)
    world.check()


def test_a_refund_waits_for_two_and_needs_its_source(connect: Connect) -> None:
    world = _waiting(connect, reference=None, fingerprint=None)
    with refused("refund_goes_to_its_source"):
        _propose(world, "refund")
    other = Escrow(connect, "two")
    other.build("instructed")
    other.pay("first", other.entry(1, fingerprint=STRANGER))
    version = other.ask("select version from treasury.receipt where receipt_id = 'rcp_two1'")[0][0]
    other.call(
        "treasury.propose_act", other.offering, "prp_1", "refund", "rcp_two1", None, "to its sender", version
    )
    _decide(other)
    assert other.ask("select reason, status from treasury.refund") == [("source_is_not_approved", "created")]
    other.check()


def test_parts_become_one_receipt_again(connect: Connect) -> None:
    world = _waiting(connect, reference=None)
    parts = [{"id": "rcp_one1.a", "amount": 20_000}, {"id": "rcp_one1.b", "amount": PRICE - 20_000}]
    world.call("treasury.divide_receipt", world.offering, "rcp_one1", parts)
    for wrong in (["rcp_one1.a"], ["rcp_one1.a", "rcp_one1"], ["rcp_one1.a", "rcp_other"]):
        with refused("combined_parts_are_of_one_receipt"):
            world.call("treasury.combine_receipts", world.offering, "rcp_one1.c", wrong)
    world.call("treasury.combine_receipts", world.offering, "rcp_one1.c", ["rcp_one1.a", "rcp_one1.b"])
    assert world.ask(
        "select receipt_id, amount_minor, status, root_id from treasury.receipt where status <> 'divided'"
    ) == [("rcp_one1.c", PRICE, "unmatched", "rcp_one1")]
    world.call("treasury.record_return", world.offering, "rcp_one1.c", "AC04", "2026-03-31")
    assert world.receipt("rcp_one1.c") == "returned"
    world.check()


def test_held_parts_stay_held_when_they_are_combined(connect: Connect) -> None:
    world = _waiting(connect, fingerprint=STRANGER)
    parts = [{"id": "rcp_a", "amount": 20_000}, {"id": "rcp_b", "amount": PRICE - 20_000}]
    world.call("treasury.divide_receipt", world.offering, "rcp_one1", parts)
    world.call("treasury.combine_receipts", world.offering, "rcp_c", ["rcp_a", "rcp_b"])
    assert (world.receipt("rcp_c"), world.exception("rcp_c")) == ("held", "source_is_not_approved")
    world.check()


def test_a_release_is_decided_on_the_version_seen(connect: Connect) -> None:
    world = Escrow(connect)
    world.build("registered")
    total = world.call("treasury.propose_release", world.offering, "rel_1", world.closing, digest("payee"))
    decide = ("treasury.decide_release", world.offering, "rel_1")
    with refused("decision_is_on_the_version_seen"):
        world.call(*decide, AGREED, digest("payee"), total, 7, actor=SECOND)
    with refused("release_needs_two_people"):
        world.call(*decide, AGREED, digest("payee"), total, 1)
    for payee, amount in (("thief", total), ("payee", total - 1)):
        with refused("both_people_confirm_payee_and_amount"):
            world.call(*decide, AGREED, digest(payee), amount, 1, actor=SECOND)
    world.call(*decide, AGREED, digest("payee"), total, 1, actor=SECOND)
    assert world.ask("select status from treasury.release") == [("sent",)]
    world.check_ledger()


def test_a_payment_term_is_named_by_two_and_has_a_length(connect: Connect) -> None:
    owner = Escrow(connect).login("owner")
    for days, second, rule in (
        (0, "b", "payment_term_is_a_length_of_time"),
        (5, "a", "payment_term_needs_two_people"),
    ):
        with pytest.raises(psycopg.Error) as caught:
            owner.execute(
                "insert into treasury.payment_term values ('2027-01-01', %s, 'a', %s)", [days, second]
            )
        assert caught.value.diag.constraint_name == rule


def test_the_card_asks_for_what_is_short_until_a_banking_day(connect: Connect) -> None:
    world = Escrow(connect)
    world.build("instructed")
    world.pay("first", world.entry(1, amount=20_000))
    short, working, days = world.ask(
        "select short_minor, extract(dow from pay_by) not in (0, 6), pay_by - instructed_at::date"
        " from treasury.funding_card where investment_id = 'inv_one1'"
    )[0]
    assert (short, working) == (PRICE - 20_000, True)
    assert 12 <= days <= 20
    for reader in ("portal", "treasury", "engine"):
        rows = world.login(reader).execute("select pay_by is not null from treasury.funding_card").fetchall()
        assert rows == [(True,)] * 3


def test_every_journal_stands_in_the_beancount_file(connect: Connect, database: Database) -> None:
    world = _waiting(connect)
    text = treasury.ledger_beancount(treasury.keeper(database), world.offering)
    assert "open Liabilities:Inv:Inv-one1:Received" in text
    assert text.count(' * "') == world.ask("select count(*) from treasury.journal")[0][0]
    assert "Assets:Escrow-bank  500.00 USD" in text
    assert "Liabilities:Unmatched  -500.00 USD" in text


def _clear(world: Escrow, seen: int) -> None:
    world.call("treasury.clear_receipt", world.offering, "rcp_one1", seen)


def test_one_receipt_is_final_on_the_version_seen_and_under_no_proposal(connect: Connect) -> None:
    world = _waiting(connect)
    assert world.receipt("rcp_one1") == "matched"
    with refused("decided_record_exists"):
        world.call("treasury.clear_receipt", world.offering, "rcp_none", 1)
    with refused("decision_is_on_the_version_seen"):
        _clear(world, _version(world) - 1)
    _propose(world, "refund")
    with refused("confirmed_receipt_has_no_open_proposal"):
        _clear(world, _version(world))
    _decide(world, agreed=False, because="it is the right sender")
    _clear(world, _version(world))
    assert (world.receipt("rcp_one1"), world.gates(1)) == ("cleared", (True, True))
    with refused("confirmed_receipt_is_matched"):
        _clear(world, _version(world))
    world.check()


def test_a_receipt_that_moves_while_it_is_confirmed_stays_as_it_moved(connect: Connect) -> None:
    world = _waiting(connect)
    seen = _version(world)
    with connect("treasury") as first, connect("admin") as seeing, ThreadPoolExecutor(1) as beside:
        with first.transaction():
            first.execute(
                "select treasury.record_return('usr_bank', 'req_bank', %s, 'rcp_one1', 'R02', %s)",
                [world.offering, DAY],
            )
            confirmed = beside.submit(_clear, world, seen)
            waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and query like %s"
            while not seeing.execute(waiting, ["%clear_receipt%"]).fetchall() and not confirmed.done():
                pass
            assert not confirmed.done()
        with refused("decision_is_on_the_version_seen"):
            confirmed.result()
    assert world.receipt("rcp_one1") == "returned"
    world.check()
