# ruff: noqa: S608 - names and ids come from this file
"""Buy-backs and redemptions in the books: offers, acceptance pro rata, money and cancellation together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from tests.attack.conftest import shared
from tests.attack.world import Connect
from tests.registry.transferring import wall
from tests.servicing.buying import BACK, NUMBERS, PROPOSER, SECOND, Buyer, rule_of
from tests.servicing.paying import DAY
from tests.treasury.escrow import refused
from tests.treasury.test_refunds import block

__all__ = ["shared"]

ONE, TWO, THREE = (f"ivr_one{n}" for n in NUMBERS)
HELD = {ONE: 10, TWO: 20, THREE: 31}


@pytest.fixture
def issuer(connect: Connect, database: Database) -> Buyer:
    return Buyer(connect, database)


def accepted(issuer: Buyer) -> str:
    """Return a buy-back of 30 of 60 units that are offered."""
    made = issuer.invited()
    for n, units in ((10, 9), (20, 20), (31, 31)):
        issuer.tender(made, n, units)
    issuer.accept(made)
    return made


def test_terms_that_do_not_hold_are_refused_by_name(issuer: Buyer) -> None:
    over = clock.now() - timedelta(days=1)
    for rule, changed in {
        "buyback_kind_is_known": {"kind": "auction"},
        "buyback_has_its_price": {"price_minor": 0},
        "buyback_states_its_limit": {"most_units": None},
        "bought_units_are_positive": {"most_units": 0},
        "bought_money_pays_a_unit": {"most_minor": BACK - 1},
        "buyback_window_ends_after_it_opens": {"closes_at": over.isoformat()},
        "buyback_has_its_paper": {"authority_sha256": "00"},
        "buyback_names_its_authority": {"authority_reference": " "},
        "buyback_price_is_in_the_currency_of_the_offer": {"currency": "EUR"},
    }.items():
        with pytest.raises(Refused, match=rule):
            issuer.propose(**changed)
    made = issuer.propose()
    with pytest.raises(Refused, match="one_buyback_is_under_way"):
        issuer.propose()
    with pytest.raises(Refused, match="buyback_needs_two_people"):
        issuer.decide(made, by=PROPOSER)
    with pytest.raises(Refused, match="declined_buyback_has_its_reason"):
        issuer.decide(made, is_approved=False)
    assert rule_of(lambda: issuer.tender(made, 10, 1)) == "tender_comes_within_the_window"
    issuer.decide(made, is_approved=False, because="the price is another")
    with pytest.raises(Refused, match="buyback_exists"):
        issuer.tender("bbk_none", 10, 1)


def test_a_holder_offers_what_is_free_and_takes_it_back_within_the_window(issuer: Buyer) -> None:
    made = issuer.invited()
    assert rule_of(lambda: issuer.tender(made, 10, 11)) == "tender_is_within_the_free_balance"
    assert rule_of(lambda: issuer.tender(made, 10, 0)) == "tendered_units_are_positive"
    issuer.control("freeze_units", investor=ONE, units=3)
    assert rule_of(lambda: issuer.tender(made, 10, 8)) == "tender_is_within_the_free_balance"
    issuer.control("freeze_account", investor=TWO)
    assert rule_of(lambda: issuer.tender(made, 20, 1)) == "tender_is_within_the_free_balance"
    issuer.tender(made, 10, 7)
    assert rule_of(lambda: issuer.tender(made, 10, 1)) == "holder_tenders_once"
    # What is offered is free for nothing else: no freeze, no transfer, no board.
    with pytest.raises(Refused, match="units_to_freeze_are_free"):
        issuer.control("freeze_units", investor=ONE, units=1)
    moving = [{"seller": ONE, "buyer": THREE, "units": 1}]
    ask = "select rule from registry.restraint_refusals(%s, %s)"
    found = issuer.login("registry").execute(ask.encode(), [issuer.offering, Jsonb(moving)])
    assert ("units_are_not_frozen",) in found.fetchall()
    issuer.withdraw(made, 10)
    with pytest.raises(Refused, match="tender_exists"):
        issuer.withdraw(made, 10)
    issuer.tender(made, 10, 6)
    stranger = {"buyback": made, "tender": "tnd_stranger", "investor": "ivr_stranger", "units": 1}
    stranger["paper_sha256"] = b"\x0a" * 32
    assert (
        rule_of(lambda: issuer.back.tender(actor="holder.x", **issuer.where, **stranger))
        == "tender_is_of_a_holder"
    )
    with pytest.raises(Refused, match="window_is_over_before_acceptance"):
        issuer.back.accept_buyback(actor=PROPOSER, **issuer.where, buyback=made)
    issuer.pass_days()
    assert rule_of(lambda: issuer.withdraw(made, 10)) == "tender_is_withdrawn_within_the_window"
    assert rule_of(lambda: issuer.tender(made, 31, 1)) == "tender_comes_within_the_window"


def test_where_periods_bind_only_units_past_theirs_are_offered(issuer: Buyer) -> None:
    made = issuer.invited(periods_bind=True)
    assert rule_of(lambda: issuer.tender(made, 10, 1)) == "tender_is_within_the_free_balance"
    with issuer.untriggered("registry.lot") as admin:
        older = "update registry.lot set acquired_on = acquired_on - 400, period_from = period_from - 400"
        admin.execute(older.encode())
    issuer.tender(made, 10, 10)


def test_acceptance_is_pro_rata_and_frees_the_rest(issuer: Buyer) -> None:
    made = accepted(issuer)
    # 30 of 60: 4.5, 10 and 15.5; one unit is left, and the remainders are equal.
    taken = issuer.taken(made)
    assert (sum(taken.values()), taken[TWO], {taken[ONE], taken[THREE]}) in (
        (30, 10, {4, 16}),
        (30, 10, {5, 15}),
    )
    assert [row["amount_minor"] for row in issuer.lines(made)] == [n * BACK for n in taken.values()]
    ask = "select registry.free_units(%s, %s)"
    free = {
        who: issuer.login("registry").execute(ask.encode(), [issuer.offering, who]).fetchone() for who in HELD
    }
    assert free == {who: (HELD[who] - taken[who],) for who in HELD}
    rows = issuer.back.tenders(**issuer.where, buyback=made)
    assert {row["investor_id"]: row["accepted_units"] for row in rows} == taken
    with pytest.raises(Refused, match="accepted_buyback_is_open"):
        issuer.back.accept_buyback(actor=PROPOSER, **issuer.where, buyback=made)
    with pytest.raises(Refused, match="buyback_is_given_up_by_another_person"):
        issuer.back.abandon_buyback(actor=PROPOSER, **issuer.where, buyback=made, because="no money")
    issuer.back.abandon_buyback(actor=SECOND, **issuer.where, buyback=made, because="no money")
    assert (issuer.held(), issuer.plan(made)) == (HELD, [])
    issuer.tender(issuer.invited(), 10, 10)


def test_the_most_money_limits_the_units_and_an_offer_of_nobody_is_refused(issuer: Buyer) -> None:
    made = issuer.invited(most_units=None, most_minor=5 * BACK + 1)
    issuer.tender(made, 10, 10)
    issuer.tender(made, 20, 20)
    assert issuer.accept(made) == {ONE: 2, TWO: 3}
    issuer.back.abandon_buyback(actor=SECOND, **issuer.where, buyback=made, because="another price")
    made = issuer.invited()
    issuer.pass_days()
    with pytest.raises(Refused, match="something_is_offered"):
        issuer.back.accept_buyback(actor=PROPOSER, **issuer.where, buyback=made)


def test_money_is_set_apart_then_units_go_and_their_price_is_owed(issuer: Buyer) -> None:
    made = accepted(issuer)
    taken = issuer.taken(made)
    # Without its money nothing is burned.
    assert {row["waits_for"] for row in issuer.lines(made)} == {"redemption_is_paid_from_set_apart_money"}
    paid = issuer.draft(made)
    with refused("redemption_follows_its_acceptance"):
        issuer.call("engine.draft_redemption", issuer.offering, made, "dst_again", DAY)
    with pytest.raises(Refused, match="abandoned_buyback_pays_nobody"):
        issuer.back.abandon_buyback(actor=SECOND, **issuer.where, buyback=made, because="no money")
    with refused("distribution_needs_two_people"):
        issuer.approve(paid, actor="usr_first")
    issuer.approve(paid)
    with pytest.raises(Refused, match="distribution_is_funded_before_it_is_paid"):
        issuer.runs.start(issuer.offering, paid, actor="usr_first")
    assert issuer.plan(made) == []
    issuer.fund(paid, issuer.owed(made))
    assert issuer.runs.start(issuer.offering, paid, actor="usr_first") == 0
    # With its money and without its burn nothing is owed.
    assert (issuer.runs.look(clock.today()), issuer.states()) == (0, {})
    assert issuer.balance(f"liab:distribution_funds:{paid}") == 30 * BACK
    lines = issuer.plan(made)
    assert len(lines) == len(HELD)
    first = issuer.sign("first", lines[:1])
    assert len(issuer.plan(made)) == 2
    for again in (lines[:1], [{**lines[1], "units": -1}], [{**lines[1], "address": "ff" * 20}]):
        with refused("line_is_burned_whole_and_once"):
            issuer.sign("again", again)
    with refused("chain_delivered_the_frozen_lines"):
        issuer.final(first, [{**lines[0], "units": -1}])
    assert issuer.final(first, lines[:1]) == 1
    assert issuer.final(first, lines[:1]) == 0
    assert issuer.runs.look(clock.today()) == 1
    assert list(issuer.states().values()) == ["owed"]
    assert issuer.differing() == []
    assert issuer.burn(made) == 2
    assert issuer.held() == {who: HELD[who] - taken[who] for who in HELD}
    ((issued, book),) = issuer.ask("select issued_units, register_units from registry.balance")
    assert (issued, book) == (31, 31)
    assert (issuer.differing(), issuer.balance(f"liab:distribution_funds:{paid}")) == ([], 0)
    (row,) = issuer.back.buybacks(**issuer.where)
    assert (row["status"], row["accepted_units"], row["open_lines"]) == ("executed", 30, 0)
    assert len(issuer.settle(paid)) == 3
    assert issuer.runs.look(clock.today()) == 1
    assert issuer.balance(f"liab:distribution:{paid}") == 0
    issuer.check()
    # Units that are gone are on no tax form as income, and leave with their part of the capital.
    assert issuer.ask("select * from engine.paid_in(%s, %s)", issuer.offering, int(DAY[:4])) == []
    ((capital,),) = issuer.ask("select capital_minor from engine.redemption")
    assert capital == 61 * 50_000 * 30 // 61


def test_a_match_holds_that_holder_with_its_units(issuer: Buyer) -> None:
    made = accepted(issuer)
    paid = issuer.start(made)
    block(issuer, 20)
    waits = {row["investor_id"]: row["waits_for"] for row in issuer.lines(made)}
    assert waits == {ONE: None, TWO: "match_with_a_list", THREE: None}
    assert issuer.burn(made) == 2
    assert issuer.held()[TWO] == HELD[TWO]
    assert len(issuer.settle(paid)) == 2
    (row,) = issuer.back.buybacks(**issuer.where)
    assert (row["status"], row["open_lines"]) == ("accepted", 1)
    # The payment does not end while a line is open, and its money stays where it is.
    assert issuer.runs.look(clock.today()) == 0
    assert issuer.balance(f"liab:distribution_funds:{paid}") == issuer.taken(made)[TWO] * BACK
    assert issuer.differing() == []


def test_a_match_after_the_burn_holds_the_money_and_keeps_it_owed(issuer: Buyer) -> None:
    made = accepted(issuer)
    paid = issuer.start(made)
    assert issuer.burn(made) == 3
    block(issuer, 20)
    assert len(issuer.settle(paid)) == 2
    assert issuer.states()[TWO] == "held"
    assert issuer.balance(f"liab:distribution:{paid}") == issuer.taken(made)[TWO] * BACK
    issuer.check()


def test_a_payment_that_comes_back_is_owed_still_and_units_stay_cancelled(issuer: Buyer) -> None:
    made = accepted(issuer)
    paid = issuer.start(made)
    issuer.burn(made)
    issuer.settle(paid)
    back = issuer.line(10)
    issuer.call("treasury.return_disbursement", issuer.offering, back, "AC04", DAY)
    assert issuer.states()[ONE] == "returned"
    assert issuer.held()[ONE] == HELD[ONE] - issuer.taken(made)[ONE]
    assert issuer.plan(made) == []
    issuer.call("treasury.retry_disbursements", issuer.offering, paid, None)
    assert issuer.settle(paid, "pyo_second") == [back]
    issuer.check()


def test_a_burn_that_is_refused_leaves_its_line_open(issuer: Buyer) -> None:
    made = accepted(issuer)
    issuer.start(made)
    lines = issuer.plan(made)
    signed = issuer.sign("first", lines)
    assert issuer.plan(made) == []
    issuer.call("registry.record_revert", issuer.offering, signed, "not an agent")
    assert (issuer.plan(made), issuer.states()) == (lines, {})
    assert issuer.burn(made, "second") == 3


def test_money_that_the_bank_takes_back_stops_further_burns_and_posts_what_is_burned(issuer: Buyer) -> None:
    made = accepted(issuer)
    issuer.start(made)
    lines = issuer.plan(made)
    signed = issuer.sign("first", lines[:1])
    with issuer.untriggered("treasury.receipt") as admin:
        gone = "update treasury.receipt set status = 'returned', receivable_minor = 1 where receipt_id = %s"
        admin.execute(gone.encode(), ["rcp_issuer"])
    assert issuer.plan(made) == []
    assert {row["waits_for"] for row in issuer.lines(made)} == {"redemption_is_paid_from_set_apart_money"}
    assert issuer.final(signed, lines[:1]) == 1
    assert issuer.differing() == []
    with refused("line_is_burned_whole_and_once"):
        issuer.sign("second", lines[1:])


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("pause", "security_is_not_paused"),
        ("freeze_account", "seller_account_is_not_frozen"),
        ("another account", "account_change_in_progress"),
    ],
)
def test_a_line_waits_for_each_condition_by_its_name(issuer: Buyer, kind: str, rule: str) -> None:
    made = accepted(issuer)
    issuer.start(made)
    if kind == "another account":
        ((source,),) = issuer.ask("select source_id from treasury.source_account where investor_id = %s", TWO)
        issuer.call("treasury.propose_payee_account", TWO, "pac_1", "bank", source, "asked by the payee")
    else:
        issuer.control(kind, **({} if kind == "pause" else {"investor": TWO}))
    waits = {row["investor_id"]: row["waits_for"] for row in issuer.lines(made)}
    assert waits[TWO] == rule
    holding = next(row["holding_id"] for row in issuer.lines(made) if row["investor_id"] == TWO)
    line = {"buyback": made, "holding": holding, "address": issuer.address(20).hex()}
    with refused("line_is_burned_whole_and_once"):
        issuer.sign("past", [{**line, "units": -issuer.taken(made)[TWO]}])


def test_a_line_that_tokens_pay_waits_for_its_wallet_and_for_tokens(issuer: Buyer) -> None:
    made = accepted(issuer)
    issuer.open_coins()
    paid = issuer.draft(made)
    issuer.approve(paid)
    owed = issuer.taken(made)[TWO] * BACK
    issuer.fund(paid, issuer.owed(made) - owed, "bank")
    issuer.fund(paid, owed, "tokens")
    issuer.runs.start(issuer.offering, paid, actor="usr_first")

    def waits() -> str | None:
        return {row["investor_id"]: row["waits_for"] for row in issuer.lines(made)}[TWO]

    issuer.name_coins(TWO)
    assert waits() == "money_is_on_another_rail"
    with issuer.untriggered("treasury.receipt") as admin:
        admin.execute(b"update treasury.receipt set rail = 'stablecoin' where receipt_id = 'rcp_tokens'")
    assert waits() is None
    with issuer.untriggered("treasury.payee_account") as admin:
        admin.execute(b"update treasury.payee_account set proposed_at = proposed_at - interval '9 days'")
    assert waits() == "wallet_changed_since_the_record_date"
    with issuer.untriggered("registry.wallet_mapping") as admin:
        admin.execute(b"update registry.wallet_mapping set linked_at = linked_at - interval '5 days'")
    assert {row["waits_for"] for row in issuer.lines(made)} == {None}
    assert issuer.burn(made) == 3
    assert issuer.states()[TWO] == "owed"


def test_lines_take_the_room_of_their_rail_one_after_another(issuer: Buyer) -> None:
    made = accepted(issuer)
    issuer.open_coins()
    issuer.start(made)
    issuer.name_coins(ONE)
    issuer.name_coins(THREE)
    (_, before), (_, after) = sorted([(issuer.line(10), ONE), (issuer.line(31), THREE)])
    with issuer.untriggered("treasury.receipt") as admin:
        # As much in tokens as the larger of both lines needs, and the bank's money is less by as much.
        room = max(issuer.taken(made)[ONE], issuer.taken(made)[THREE]) * BACK
        rail = "update treasury.receipt set rail = 'stablecoin', amount_minor = %s where receipt_id = %s"
        admin.execute(rail.encode(), [room, "rcp_issuer"])
    waits = {row["investor_id"]: row["waits_for"] for row in issuer.lines(made)}
    assert (waits[before], waits[after]) == (None, "money_is_on_another_rail")


def test_a_redemption_takes_all_units_and_book_entries_by_their_entry(issuer: Buyer) -> None:
    made = issuer.invited(kind="redemption", most_units=None)
    assert rule_of(lambda: issuer.tender(made, 10, 1)) == "tender_comes_within_the_window"
    with issuer.untriggered("registry.issuance_instruction") as admin:
        entered = "update registry.issuance_instruction set address = %s where units = 10"
        # The units of one holder stand in nobody's wallet: they are book entries.
        admin.execute(b"alter table registry.issuance_instruction alter address drop not null")
        admin.execute(entered.encode(), [None])
    assert issuer.accept(made) == HELD
    paid = issuer.start(made)
    entries = [
        r["holding_id"] for r in issuer.back.burn_plan(**issuer.where, buyback=made) if not r["address"]
    ]
    assert len(entries) == 1
    named = {"actor": "process", **issuer.where, "buyback": made, "holding": entries[0]}
    assert issuer.back.cancel_entries(**named) is True
    assert issuer.back.cancel_entries(**named) is False
    assert issuer.burn(made) == 3
    assert issuer.held() == dict.fromkeys(HELD, 0)
    assert issuer.differing() == []
    assert len(issuer.settle(paid)) == 3
    issuer.check()


def test_a_redemption_pro_rata_takes_the_same_part_of_each(issuer: Buyer) -> None:
    made = issuer.invited(kind="redemption", most_units=6)
    assert issuer.accept(made) == {ONE: 1, TWO: 2, THREE: 3}


THEFTS = {
    "tender_comes_within_the_window": "insert into registry.tender (offering_id, tender_id, buyback_id,"
    " status, investor_id, units, tendered_by) select offering_id, 'tnd_late', buyback_id, 'tendered',"
    f" '{ONE}', 1, 'thief' from registry.buyback",
    "redemption_lines_stand_since_the_acceptance": "insert into registry.redemption_line select offering_id,"
    " buyback_id, 'hld_x', investor_id, 1, 1, 1 from registry.redemption_line limit 1",
    "cancellation_is_of_its_line": "insert into registry.cancellation (offering_id, buyback_id, holding_id,"
    " units) select offering_id, buyback_id, holding_id, units from registry.redemption_line",
    "buyback_terms_are_locked": "update registry.buyback set price_minor = price_minor + 1",
    "buyback_ends_with_its_last_line": "update registry.buyback set status = 'executed', executed_at = now()",
    "tender_is_locked": "update registry.tender set units = units + 1",
    "redemption_takes_its_line": "insert into registry.movement (offering_id, movement_id, kind,"
    " from_holding_id, to_holding_id, units, reference, is_tacked) select offering_id, 'mov_x', 'redemption',"
    " holding_id, holding_id, 1, buyback_id || '/' || holding_id, true from registry.redemption_line limit 1",
}


@pytest.mark.parametrize("rule", THEFTS)
def test_the_register_refuses_what_no_acceptance_says(issuer: Buyer, rule: str) -> None:
    made = accepted(issuer)
    assert wall(issuer, THEFTS[rule]) == rule
    burned = (
        "insert into registry.redemption_call select l.offering_id, l.buyback_id, l.holding_id, a.address, 1,"
        " i.intent_id from registry.redemption_line l, registry.address_units a, registry.chain_intent i"
    )
    assert wall(issuer, burned) == "burn_follows_its_money"
    issuer.start(made)
    # Money that is there takes no unit without its burn, and more units than a line has with none.
    assert wall(issuer, THEFTS[rule]) == rule


def test_lines_of_another_working_are_not_accepted(issuer: Buyer) -> None:
    made = issuer.invited()
    issuer.tender(made, 10, 10)
    issuer.tender(made, 31, 31)
    issuer.pass_days()
    stolen = (
        "insert into registry.redemption_line select t.offering_id, t.buyback_id, h.holding_id,"
        " t.investor_id, t.units, least(t.units, 30), least(t.units, 30) * 45000 from registry.tender t"
        " join registry.holding h using (offering_id, investor_id);"
        " update registry.buyback set status = 'accepted', accepted_by = 'thief', accepted_at = now()"
    )
    assert wall(issuer, stolen) == "acceptance_is_pro_rata"


def test_no_money_goes_where_no_unit_went(issuer: Buyer) -> None:
    made = accepted(issuer)
    paid = issuer.start(made)
    owed = (
        "insert into treasury.disbursement (offering_id, disbursement_id, distribution_id, investor_id,"
        " payee_id, status, amount_minor, currency, owed_since) select offering_id, line_id, distribution_id,"
        " investor_id, payee_id, 'owed', net_minor, 'USD', current_date from engine.distribution_line"
        f" where distribution_id = '{paid}'"
    )
    assert wall(issuer, owed, "treasury") == "disbursement_is_what_the_line_says"
    undone = "update engine.distribution set status = 'cancelled', cancelled_because = 'a thief'"
    assert wall(issuer, undone, "engine") == "transition_is_listed_for_the_keeper"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=8), st.integers(1, 10**9))
def test_parts_sum_to_the_whole_and_none_is_more_than_was_offered(
    shared: Callable[[str], psycopg.Connection], offered: list[int], most: int
) -> None:
    keys = [f"hld_{n}" for n in range(len(offered))]
    whole = min(sum(offered), most)
    ask = "select key, part from registry.apportioned(%s, %s, %s)"
    parts = dict(shared("registry").execute(ask.encode(), [whole, keys, offered]).fetchall())
    assert sum(parts.values()) == whole
    for key, units in zip(keys, offered, strict=True):
        assert parts[key] in (whole * units // sum(offered), -(-whole * units // sum(offered)))
        assert parts[key] <= units
