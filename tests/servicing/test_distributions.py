"""Distributions: from the register of their day, to the cent, by two people, to payees who are screened."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from psycopg.types.json import Jsonb

from bookrunner.core.errors import Refused
from bookrunner.core.money import allocate
from bookrunner.db import Database
from bookrunner.engine.life.servicing.distributions import Distributions
from tests.attack.world import Connect
from tests.servicing.paying import POOL, SPONSOR, Payer, payer, pool
from tests.treasury.escrow import PRICE, refused

PREFERRED = {"kind": "preferred_return", "rate_bp": 800}
CATCH_UP = {"kind": "catch_up", "holders_bp": 0, "target_bp": 2000}
W8 = {"form": "W-8BEN", "name": "Example Person", "country": "GB", "treaty": "Article 10(2)"}


@pytest.fixture
def world(connect: Connect, database: Database) -> tuple[Payer, Distributions]:
    return payer(connect, database)


def _lines(runs: Distributions, world: Payer, distribution: str) -> dict[str, tuple[int, int, int]]:
    found = runs.lines(world.offering, distribution)
    return {r["investor_id"]: (r["gross_minor"], r["withheld_minor"], r["net_minor"]) for r in found}


def test_what_is_there_after_reserves_goes_to_the_holders(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = runs.draft(w.offering, pool(POOL, [("roof", 99_00), ("legal", 1_00)]), actor="usr_first")
    gross = allocate(900_00, {w.id("ivr", n): n for n in w.numbers})
    withheld = {name: (amount * 3000 + 5000) // 10000 for name, amount in gross.items()}
    expected = {name: (g, withheld[name], g - withheld[name]) for name, g in gross.items()}
    assert _lines(runs, w, distribution) == expected
    row = runs.standing(w.offering, distribution)
    assert (row["reserved_minor"], row["distributable_minor"], row["units"]) == (100_00, 900_00, 6)
    assert row["net_minor"] + row["withheld_minor"] == 900_00
    (line, *_) = runs.lines(w.offering, distribution)
    assert (line["form"], "no valid form" in line["rate_source"]) == ("none", True)


@pytest.mark.parametrize("amount", [1, 5, 7, 100_01, 999_999_97])
def test_cents_go_by_largest_remainder_as_in_python(world: tuple[Payer, Distributions], amount: int) -> None:
    w, runs = world
    found = _lines(runs, w, runs.draft(w.offering, pool(amount), actor="usr_first"))
    holdings = dict(w.ask("select investor_id, holding_id from registry.holding"))
    shares = allocate(amount, {holdings[w.id("ivr", n)]: n for n in w.numbers})
    assert {holdings[name]: gross for name, (gross, _, _) in found.items()} == shares


def test_a_waterfall_pays_capital_and_sponsor_apart(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    tiers = [{"kind": "return_of_capital"}, PREFERRED, CATCH_UP, {"kind": "split", "holders_bp": 8000}]
    invested = 6 * PRICE
    distribution = runs.draft(
        w.offering, pool(invested + 100_00, tiers=tiers, sponsor=SPONSOR), actor="usr_a"
    )
    paid = runs.terms.distribution_tiers(offering=w.offering, distribution=distribution)
    assert [(t["kind"], t["holders_minor"], t["sponsor_minor"]) for t in paid] == [
        ("return_of_capital", invested, 0),
        ("preferred_return", 0, 0),
        ("catch_up", 0, 0),
        ("split", 80_00, 20_00),
    ]
    lines = {r["investor_id"]: r for r in runs.lines(w.offering, distribution)}
    assert lines[SPONSOR]["gross_minor"] == 20_00
    first = lines[w.id("ivr", 1)]
    assert (first["capital_minor"], first["income_minor"], first["withheld_minor"]) == (PRICE, 13_33, 4_00)
    w.call("engine.cancel_distribution", w.offering, distribution, "wrong", 1)
    with pytest.raises(Refused, match="tiers_sum_to_the_distributable_amount"):
        runs.draft(w.offering, pool(invested + 1, tiers=tiers[:1]), actor="usr_a")
    with pytest.raises(Refused, match="paid_sponsor_is_named"):
        runs.draft(w.offering, pool(invested + 100_00, tiers=tiers), actor="usr_a")


def _raw(w: Payer, **changed: object) -> None:
    """Call the verb with terms that say what they like."""
    today = pool().record_on.isoformat()
    tier = {"kind": "split", "holders_bp": 10000, "holders": 100, "sponsor": 0, "rest": 0, "working": ["x"]}
    terms = {"record_on": today, "pay_on": today, "income": "dividend", "available": 100, "reserves": []}
    tier |= {name[5:]: changed.pop(name) for name in [*changed] if name.startswith("tier_")}
    w.call("engine.draft_distribution", w.offering, "dst_raw", Jsonb(terms | {"tiers": [tier]} | changed))


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"tier_holders": 99}, "tiers_sum_to_the_distributable_amount"),
        ({"available": 101}, "tiers_sum_to_the_distributable_amount"),
        ({"reserves": [{"name": " ", "amount": 1}]}, "reserve_is_named"),
        ({"reserves": [{"name": "x", "amount": 0}]}, "reserve_is_positive"),
        ({"available": 0, "tier_holders": 0}, "something_is_distributed"),
        ({"tier_kind": "gift", "tier_due": 100}, "tier_kind_is_known"),
        ({"tier_kind": "hurdle", "tier_due": 100}, "tier_has_the_rate_that_it_needs"),
        ({"tier_kind": "catch_up", "tier_due": 100}, "only_a_catch_up_has_a_target"),
        ({"tier_kind": "return_of_capital", "tier_due": 99}, "tier_pays_no_more_than_is_due"),
        ({"tier_holders_bp": 9000}, "tier_is_split_by_its_shares"),
        ({"tier_due": 100}, "only_the_split_has_no_limit"),
        ({"tier_day_count": "30/360"}, "only_a_preferred_return_counts_days"),
        ({"tier_working": []}, "tier_shows_its_working"),
        ({"income": "gift"}, "distributed_income_is_known"),
        ({"pay_on": "2020-01-01"}, "payment_follows_the_record_date"),
        ({"record_on": "2999-01-01", "pay_on": "2999-01-01"}, "register_day_has_begun"),
    ],
)
def test_terms_that_do_not_hold_are_refused(
    world: tuple[Payer, Distributions], changed: dict[str, object], rule: str
) -> None:
    with refused(rule):
        _raw(world[0], **changed)


def test_capital_is_returned_once(world: tuple[Payer, Distributions]) -> None:
    w, _ = world
    much = 6 * PRICE + 1
    capital = {"tier_kind": "return_of_capital", "tier_due": much, "tier_holders": much}
    with refused("capital_is_returned_once"):
        _raw(w, available=much, **capital)


def test_what_is_paid_in_after_the_record_date_is_not_returned(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    today = pool().record_on + timedelta(days=1)
    w.post_earlier("interval '-1 day' where holding_id = 'hld_one3'")
    tiers = [{"kind": "return_of_capital"}, {"kind": "split"}]
    terms = replace(pool(6 * PRICE, tiers=tiers), pay_on=today)
    assert [step.holders for step in runs.work_out(w.offering, terms)] == [3 * PRICE, 3 * PRICE]
    much = 3 * PRICE + 1
    capital = {"tier_kind": "return_of_capital", "tier_due": much, "tier_holders": much}
    with refused("capital_is_returned_once"):
        _raw(w, available=much, pay_on=today.isoformat(), **capital)


def test_tiers_count_every_distribution_that_was_started(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    with refused("tiers_count_what_was_paid_before"):
        _raw(w, counted=[distribution])
    runs.start(w.offering, distribution, actor="usr_first")
    with refused("tiers_count_what_was_paid_before"):
        _raw(w)
    _raw(w, counted=[distribution])


def test_a_start_waits_for_a_draft(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    draft = w.login("owner")
    with draft.transaction():
        draft.execute("select from engine.offer for update")
        w.login("engine").execute("set lock_timeout = '200ms'")
        with refused("55P03"):
            w.call("engine.start_distribution", w.offering, distribution)
    w.call("engine.start_distribution", w.offering, distribution)


def test_an_unreconciled_record_date_is_refused(connect: Connect, database: Database) -> None:
    w, runs = payer(connect, database)
    w.compare("run_two", missing=1)
    with pytest.raises(Refused, match="record_date_is_reconciled"):
        runs.draft(w.offering, pool(), actor="usr_first")
    w.compare("run_three")
    distribution = runs.draft(w.offering, pool(), actor="usr_first")
    w.screen()
    w.compare("run_four", missing=1)
    with refused("record_date_is_reconciled"):
        w.approve(distribution)


def test_a_record_date_that_nobody_compared_is_refused(connect: Connect) -> None:
    w = Payer(connect)
    w.build("registered")
    w.post_earlier("interval '1 day'")
    with refused("record_date_is_reconciled"):
        _raw(w)


def test_two_people_approve_what_was_screened_and_seen(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = runs.draft(w.offering, pool(), actor="usr_first")
    with refused("payees_are_screened_before_approval"):
        w.approve(distribution)
    w.screen()
    with refused("distribution_needs_two_people"):
        w.approve(distribution, "usr_first")
    with refused("decision_is_on_the_version_seen"):
        w.call("engine.approve_distribution", w.offering, distribution, 7, actor="usr_second")
    with refused("one_distribution_is_prepared"):
        _raw(w)
    w.approve(distribution)
    with refused("distribution_is_funded_before_it_is_paid"):
        w.call("engine.start_distribution", w.offering, distribution)


def test_a_record_date_is_approved_after_its_end(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    today = pool().record_on + timedelta(days=1)
    distribution = runs.draft(w.offering, replace(pool(), record_on=today, pay_on=today), actor="usr_first")
    w.screen()
    with refused("record_date_has_ended"):
        w.approve(distribution)


def test_units_that_moved_after_the_draft_are_seen(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = runs.draft(w.offering, pool(), actor="usr_first")
    w.screen()
    move = """insert into registry.posting
            (offering_id, posting_id, holding_id, movement_id, units, posted_at)
        select offering_id, 'pst_moved', holding_id, 'mov_none', 1, now() - interval '1 day'
        from registry.holding limit 1"""
    w.login("admin").execute("alter table registry.posting disable trigger all")
    w.login("admin").execute(move.encode())
    with refused("lines_are_of_the_register_of_their_day"):
        w.approve(distribution)


def test_a_distribution_is_not_paid_before_an_earlier_one(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    w.login("admin").execute("alter table engine.distribution disable trigger user")
    w.login("admin").execute("update engine.distribution set pay_on = pay_on + 1")
    with pytest.raises(Refused, match="distributions_follow_each_other"):
        runs.draft(w.offering, pool(), actor="usr_first")


def test_the_form_of_each_payee_sets_its_rate(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    w.form(1, form="W-9", name="Example Person", backup_withholding=False)
    w.form(2, form="W-9", name="Example Person", backup_withholding=True)
    w.form(3, **W8)
    distribution = runs.draft(w.offering, pool(600_00), actor="usr_first")
    found = {r["investor_id"]: r for r in runs.lines(w.offering, distribution)}
    rates = [(found[w.id("ivr", n)]["rate_bp"], found[w.id("ivr", n)]["withheld_minor"]) for n in w.numbers]
    assert rates == [(0, 0), (2400, 48_00), (1500, 45_00)]
    assert "unconfirmed" in found[w.id("ivr", 3)]["rate_source"]
    assert found[w.id("ivr", 3)]["country"] == "GB"


def test_a_form_that_is_too_old_is_none(world: tuple[Payer, Distributions]) -> None:
    w, _ = world
    w.form(3, **W8)
    ((year,),) = w.ask("select extract(year from now())::integer")
    question = "select form, country from engine.tax_standing(%s, %s, %s::date)"
    asked = (w.offering, [w.id("ivr", 3)])
    assert w.ask(question, *asked, f"{year + 3}-12-31") == [("W-8", "GB")]
    assert w.ask(question, *asked, f"{year + 4}-01-01") == [("none", "")]


def test_a_later_rate_takes_the_place_of_an_earlier_one(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    rate = """insert into engine.withholding_rate
        values ('none', '', 'dividend', '2020-01-01', 2500, 'law', 'confirmed', %s, %s)"""
    with refused("withholding_rate_needs_two_people"):
        w.login("owner").execute(rate.encode(), ["usr_1", "usr_1"])
    w.login("owner").execute(rate.encode(), ["usr_1", "usr_2"])
    distribution = runs.draft(w.offering, pool(600_00), actor="usr_first")
    assert {r["rate_source"] for r in runs.lines(w.offering, distribution)} == {"law"}
    assert runs.standing(w.offering, distribution)["withheld_minor"] == 150_00


RAW = [
    ("engine", "42501", "update engine.distribution set net_minor = net_minor + 1"),
    ("engine", "42501", "update engine.distribution_line set net_minor = 5"),
    ("engine", "42501", "update treasury.disbursement set status = 'paid'"),
    ("treasury", "42501", "update treasury.disbursement set status = 'paid'"),
    ("treasury", "42501", "update engine.distribution set status = 'paid'"),
    ("treasury", "42501", "select engine.approve_distribution('usr_x', 'req_x', 'ofr_one', 'dst_x', 1)"),
    ("registry", "42501", "select treasury.declare_disbursements('usr_x', 'req_x', 'ofr_one', 'dst_x')"),
    ("owner", "distribution_stays_as_drafted", "update engine.distribution set pay_on = pay_on + 1"),
    ("owner", "history_is_append_only", "update engine.distribution_line set net_minor = 5"),
    ("owner", "history_is_append_only", "delete from engine.distribution_tier"),
    ("owner", "records_are_never_deleted", "delete from treasury.disbursement"),
    (
        "owner",
        "disbursement_is_what_the_line_says",
        "update treasury.disbursement set amount_minor = amount_minor + 1",
    ),
    (
        "owner",
        "distribution_stays_as_drafted",
        """insert into engine.distribution_reserve
            select offering_id, distribution_id, 9, 'x', 1 from engine.distribution""",
    ),
    (
        "owner",
        "disbursement_is_what_the_line_says",
        """insert into treasury.disbursement (offering_id, disbursement_id, distribution_id, investor_id,
            payee_id, status, amount_minor, currency, owed_since)
            select offering_id, 'dln_twice', distribution_id, investor_id, payee_id, 'owed', amount_minor,
                currency, owed_since from treasury.disbursement limit 1""",
    ),
]


def test_raw_statements_change_nothing(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    runs.start(w.offering, distribution, actor="usr_first")
    for login, rule, statement in RAW:
        with refused(rule):
            w.login(login).execute(statement.encode())


def test_a_distribution_before_its_day_waits(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    terms = pool()
    later = replace(terms, pay_on=terms.pay_on + timedelta(days=9))
    distribution = runs.draft(w.offering, later, actor="usr_first")
    w.screen()
    w.approve(distribution)
    w.fund(distribution)
    with refused("distribution_is_paid_from_its_day_on"):
        w.call("engine.start_distribution", w.offering, distribution)


def test_only_final_money_within_the_amount_funds_a_distribution(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = runs.draft(w.offering, pool(), actor="usr_first")
    with refused("funded_distribution_is_approved"):
        w.fund(distribution)
    w.screen()
    w.approve(distribution)
    with refused("fund_is_final_and_within_the_amount"):
        w.fund(distribution, POOL + 1, "much")
    w.call("treasury.fund_distribution", w.offering, distribution, "rcp_issuer", w.version("issuer"))
    with refused("fund_is_final_and_within_the_amount"):
        w.call("treasury.fund_distribution", w.offering, distribution, "rcp_issuer", w.version("issuer"))
    w.check()


def test_money_is_taken_back_before_a_distribution_is_cancelled(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    with refused("cancelled_distribution_holds_no_money"):
        w.call("engine.cancel_distribution", w.offering, distribution, "wrong", 2)
    w.unfund()
    assert (w.receipt("rcp_issuer"), w.balance("liab:unmatched")) == ("unmatched", POOL)
    assert w.balance(f"liab:distribution_funds:{distribution}") == 0
    w.call("treasury.fund_distribution", w.offering, distribution, "rcp_issuer", w.version("issuer"))
    assert w.balance(f"liab:distribution_funds:{distribution}") == POOL
    w.unfund(proposal="prp_again")
    w.check()
    w.call("engine.cancel_distribution", w.offering, distribution, "wrong", 2)
    with refused("funded_distribution_is_approved"):
        w.call("treasury.fund_distribution", w.offering, distribution, "rcp_issuer", w.version("issuer"))


def test_money_is_not_taken_back_from_a_payment_that_began(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    runs.start(w.offering, w.ready(runs), actor="usr_first")
    with refused("money_stays_in_a_payment_that_began"):
        w.unfund()
    w.check()


def test_nobody_cancels_while_money_is_taken(world: tuple[Payer, Distributions]) -> None:
    w, runs = world
    distribution = w.ready(runs)
    w.unfund()
    locked = "select status from engine.distribution where distribution_id = %s for update nowait"
    with w.login("treasury").transaction():
        w.call("treasury.fund_distribution", w.offering, distribution, "rcp_issuer", w.version("issuer"))
        with refused("55P03"):
            w.login("owner").execute(locked.encode(), [distribution])
