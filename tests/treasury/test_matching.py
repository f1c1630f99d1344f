"""Matching in its fixed order: reference, currency, investment, source, amount; anything else waits."""

from __future__ import annotations

import pytest

from tests.attack.world import Connect
from tests.treasury.escrow import PRICE, Escrow, digest, refused

STRANGER = digest("a stranger").hex()


@pytest.mark.parametrize(
    ("changed", "exception", "status"),
    [
        ({"reference": None}, "no_reference", "unmatched"),
        ({"reference": "RF99123456789012"}, "unknown_reference", "unmatched"),
        ({"currency": "EUR"}, "currency_differs", "unmatched"),
        ({"currency": "EUR", "fingerprint": STRANGER}, "currency_differs", "unmatched"),
        ({"fingerprint": STRANGER}, "source_is_not_approved", "held"),
        ({"fingerprint": None}, "source_is_not_approved", "held"),
        ({"fingerprint": STRANGER, "amount": 5}, "source_is_not_approved", "held"),
        ({"reference": None, "fingerprint": STRANGER}, "no_reference", "unmatched"),
    ],
)
def test_the_first_rule_that_applies_stops_a_receipt(
    connect: Connect, changed: dict[str, object], exception: str, status: str
) -> None:
    world = Escrow(connect).build("instructed")
    assert world.pay("first", world.entry(1, **changed)) == 0
    assert (world.exception("rcp_one1"), world.receipt("rcp_one1")) == (exception, status)
    held = PRICE if "amount" not in changed else 5
    if "currency" not in changed:
        assert world.balance("liab:held_source") == (held if status == "held" else 0)
    assert world.gates(1) == (False, False)
    world.check()


def test_parts_add_up(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.pay("first", world.entry(2, id="rcp_a", key="a", amount=40_000))
    assert world.ask(
        "select is_partial, short_minor from treasury.funding where investment_id = 'inv_one2'"
    ) == [(True, 60_000)]
    assert (world.funding(2), world.gates(2)) == ("initialized", (False, False))
    world.pay("second", world.entry(2, id="rcp_b", key="b", amount=60_000))
    assert (world.funding(2), world.gates(2)) == ("received", (True, False))
    world.check()


def test_what_is_over_goes_to_the_refund_queue(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.pay("first", world.entry(1, amount=PRICE + 500))
    assert world.ask("select amount_minor, reason, payee_fingerprint from treasury.refund") == [
        (500, "excess", digest("account ivr_one1"))
    ]
    assert world.ask("select is_over from treasury.funding where investment_id = 'inv_one1'") == [(True,)]
    assert (world.receipt("rcp_one1"), world.receipt("rcp_one1.1")) == ("divided", "matched")
    assert world.gates(1) == (True, False)
    world.check()


def test_a_second_payment_of_the_whole_waits(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.pay("first", world.entry(1), world.entry(1, id="rcp_b", key="zz"))
    assert world.exception("rcp_b") == "amount_exceeds_due"
    world.pay("second", world.entry(1, id="rcp_c", key="zzz"))
    assert world.exception("rcp_c") == "amount_exceeds_due"
    world.call("treasury.fail_payment", world.offering, "pay_one2", "wire", "AC01")
    world.pay("third", world.entry(2, id="rcp_d", key="d"))
    assert world.exception("rcp_d") == "attempt_is_not_open"
    world.check()


def test_two_equal_deposits_post_twice_and_the_same_key_once(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.pay(
        "first",
        world.entry(2, id="rcp_a", key="a", amount=50_000),
        world.entry(2, id="rcp_b", key="b", amount=50_000),
    )
    assert world.pay("second", world.entry(2, id="rcp_c", key="a", amount=50_000)) == 0
    assert world.balance("asset:escrow_bank") == 100_000
    world.check()


def test_several_references_need_the_exact_sum_and_every_source(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    both = {"reference": None, "references": ["RF00000000000001", "RF00000000000002"]}
    assert world.pay("first", world.entry(1, amount=3 * PRICE, **both)) == 0
    assert (world.exception("rcp_one1"), world.receipt("rcp_one1")) == ("source_is_not_approved", "held")
    world.call("treasury.approve_source", "ivr_one2", "src_shared", digest("account ivr_one1"))
    assert world.call("treasury.match", world.offering) == 2
    assert world.balance("liab:held_source") == 0
    assert (world.gates(1), world.gates(2)) == ((True, False), (True, False))
    world.pay("second", world.entry(3, **both | {"references": ["RF00000000000003", "RF00000000000002"]}))
    assert world.exception("rcp_one3") == "source_is_not_approved"
    world.check()


def test_several_references_that_do_not_sum_wait(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.call("treasury.approve_source", "ivr_one2", "src_shared", digest("account ivr_one1"))
    both = {"reference": None, "references": ["RF00000000000001", "RF00000000000002"]}
    assert world.pay("first", world.entry(1, amount=3 * PRICE - 1, **both)) == 0
    assert world.exception("rcp_one1") == "references_do_not_sum"
    world.check()


def test_held_money_is_let_in_by_two_people_with_a_reason(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.pay("first", world.entry(1, fingerprint=STRANGER))
    decision = [world.offering, "rcp_one1", "officer", "a trust of the investor"]
    with refused("proposal_needs_two_people"):
        world.call("treasury.accept_source", *decision, actor="officer")
    with refused("proposal_has_its_reason"):
        world.call("treasury.accept_source", *decision[:3], "")
    world.call("treasury.accept_source", *decision)
    assert world.gates(1) == (True, False)
    world.check()


def test_an_account_approved_later_frees_what_was_held(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.pay("first", world.entry(1, fingerprint=STRANGER))
    world.call("treasury.approve_source", "ivr_one1", "src_late", bytes.fromhex(STRANGER))
    assert world.call("treasury.match", world.offering) == 1
    assert world.balance("liab:held_source") == 0
    world.check()


def test_a_dry_run_says_what_a_run_will_do(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    head, entries = world.statement(
        "first", [world.entry(1), world.entry(2, amount=PRICE * 2 + 7), world.entry(3, reference=None)]
    )
    world.call("treasury.import_statement", world.offering, head, entries)
    told = world.ask("select receipt_id, exception, takes_minor from treasury.verdict order by receipt_id")
    assert told[:2] == [("rcp_one1", None, PRICE), ("rcp_one2", None, 2 * PRICE)]
    assert told[2][1] == "no_reference"
    before = world.ask("select count(*) from audit.event")
    assert (
        world.ask("select receipt_id, exception, takes_minor from treasury.verdict order by receipt_id")
        == told
    )
    assert world.ask("select count(*) from audit.event") == before
    assert world.call("treasury.match", world.offering) == 2


def test_candidates_name_their_reasons_and_never_guess(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.pay("first", world.entry(1, reference=None))
    assert world.ask("select investment_id, reasons from treasury.candidate") == [
        ("inv_one1", ["source_is_approved", "amount_is_due"])
    ]
    other = Escrow(connect, "two").build("instructed")
    other.call("treasury.approve_source", "ivr_two1", "src_x", bytes.fromhex(STRANGER))
    other.pay("first", other.entry(2, reference=None, fingerprint=STRANGER))
    assert other.ask(
        "select investment_id, reasons from treasury.candidate where offering_id = 'ofr_two'"
    ) == [("inv_two1", ["source_is_approved"])]


def test_an_undo_reverses_the_journal_and_is_not_matched_again(connect: Connect) -> None:
    world = Escrow(connect).build("funded")
    undo = [world.offering, "rcp_one1", "the payer meant another offer", "usr_second"]
    with refused("proposal_needs_two_people"):
        world.call("treasury.undo_match", *undo, actor="usr_second")
    world.call("treasury.undo_match", *undo)
    assert (world.funding(1), world.gates(1)) == ("initialized", (False, False))
    assert world.ask("select reverses is not null from treasury.journal where kind = 'match_undone'") == [
        (True,)
    ]
    assert world.call("treasury.match", world.offering) == 0
    assert world.exception("rcp_one1") == "match_was_undone"
    world.check()
    world.call("treasury.match_by_hand", world.offering, "rcp_one1", "inv_one1", "usr_second")
    assert world.gates(1) == (True, False)
    world.check()


def test_an_undo_after_issuance_is_refused(connect: Connect) -> None:
    world = Escrow(connect).build("prepared")
    with refused("money_stands_after_issuance"):
        world.call("treasury.undo_match", world.offering, "rcp_one1", "late", "usr_second")
    with refused("money_stands_after_issuance"):
        world.call("treasury.refund_receipt", world.offering, "rcp_one1", "cancellation")


def test_a_receipt_is_divided_and_its_parts_matched_by_hand(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    world.call("treasury.approve_source", "ivr_one2", "src_shared", digest("account ivr_one1"))
    world.pay("first", world.entry(1, amount=3 * PRICE, reference=None))
    parts = [{"id": "rcp_x", "amount": PRICE}, {"id": "rcp_y", "amount": 2 * PRICE}]
    with refused("parts_sum_to_the_receipt"):
        world.call(
            "treasury.divide_receipt", world.offering, "rcp_one1", [*parts, {"id": "rcp_z", "amount": 1}]
        )
    world.call("treasury.divide_receipt", world.offering, "rcp_one1", parts)
    with refused("divided_receipt_waits"):
        world.call("treasury.divide_receipt", world.offering, "rcp_one1", parts)
    world.call("treasury.match_by_hand", world.offering, "rcp_x", "inv_one1", "usr_second")
    world.call("treasury.match_by_hand", world.offering, "rcp_y", "inv_one2", "usr_second")
    assert (world.gates(1), world.gates(2)) == ((True, False), (True, False))
    world.check()
    world.call("treasury.record_return", world.offering, "rcp_x")
    assert (world.funding(1), world.funding(2)) == ("returned", "returned")
    world.check()


def test_further_entries_join_only_in_the_transaction_of_their_statement(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    head, entries = world.statement("first", [world.entry(1), world.entry(2)])
    with world.login("treasury").transaction():
        world.call("treasury.import_statement", world.offering, head, entries[:1])
        world.call("treasury.import_entries", world.offering, head["id"], entries[1:])
    assert (world.receipt("rcp_one1"), world.receipt("rcp_one2")) == ("unmatched", "matched")
    assert world.call("treasury.match", world.offering) == 1
    with refused("statement_is_open"):
        world.call("treasury.import_entries", world.offering, head["id"], [world.entry(3)])
    world.check()


def test_a_long_statement_is_matched_in_parts(connect: Connect) -> None:
    world = Escrow(connect, investors=5).build("instructed")
    head, entries = world.statement("first", [world.entry(n) for n in world.numbers])
    world.call("treasury.import_statement", world.offering, head, entries)
    assert [world.call("treasury.match", world.offering, 2) for _ in range(4)] == [2, 2, 1, 0]
    world.check()
