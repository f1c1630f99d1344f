"""Reinvestment in the books: plans, elections and their cut-off, what a run makes of them, and its money."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from bookrunner.core import clock
from bookrunner.core.errors import BookrunnerError, Refused
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.coupons import Amortisation
from tests.attack.world import Connect, digest
from tests.registry.transferring import wall
from tests.servicing.buying import rule_of
from tests.servicing.paying import DAY, pool, yesterday
from tests.servicing.reinvesting import ONE, PROPOSER, SECOND, THREE, TWO, Reinvestor
from tests.servicing.test_amortisation import pay, put, said
from tests.servicing.test_distributions import W8
from tests.treasury.escrow import PRICE, refused
from tests.treasury.test_refunds import block

POOL = 6_100_00
PAYEE = {"because": "asked in writing", "sha256": digest("mandate").hex()}


@pytest.fixture
def issuer(connect: Connect, database: Database) -> Reinvestor:
    return Reinvestor(connect, database)


def chosen(issuer: Reinvestor) -> str:
    """Return a plan under which one holder takes all and another half in units."""
    plan = issuer.planned()
    issuer.elect(ONE, 10_000)
    issuer.elect(TWO, 5_000)
    return plan


def test_terms_that_do_not_hold_are_refused_by_name(issuer: Reinvestor) -> None:
    for rule, changed in {
        "plan_has_its_price": {"price_minor": 0},
        "plan_cut_off_is_within_a_year": {"cutoff_days": -1},
        "plan_issues_a_unit_or_more": {"most_units": 0},
        "plan_has_its_paper": {"authority_sha256": "00"},
        "plan_names_its_authority": {"authority_reference": " "},
        "plan_price_is_in_the_currency_of_the_offer": {"currency": "EUR"},
    }.items():
        assert rule_of(lambda changed=changed: issuer.propose_plan(**changed)) == rule
    early = issuer.propose_plan(cutoff_days=5, from_on=(clock.today() + timedelta(days=5)).isoformat())
    with pytest.raises(Refused, match="plan_begins_after_its_cut_off"):
        issuer.decide_plan(early)
    with pytest.raises(Refused, match="declined_plan_has_its_reason"):
        issuer.decide_plan(early, is_approved=False)
    issuer.decide_plan(early, is_approved=False, because="too soon")
    plan = issuer.propose_plan()
    assert rule_of(issuer.propose_plan) == "one_plan_is_proposed"
    with pytest.raises(Refused, match="plan_needs_two_people"):
        issuer.decide_plan(plan, by=PROPOSER)
    told = {"is_approved": True, "because": "", "seen": 7}
    with pytest.raises(BookrunnerError, match="version 1"):
        issuer.desk.decide_plan(actor=SECOND, **issuer.where, plan=plan, **told)
    with pytest.raises(BookrunnerError, match="no plan"):
        issuer.desk.decide_plan(actor=SECOND, **issuer.where, plan="rpl_none", **told)
    with issuer.untriggered("engine.offer") as admin:
        admin.execute(b"update engine.offer set token_address = null, status = 'draft', chain_id = null")
    assert rule_of(lambda: issuer.decide_plan(plan)) == "plan_is_of_a_class_with_a_token"


def test_a_plan_takes_the_place_of_another_from_its_day_and_two_people_end_it(issuer: Reinvestor) -> None:
    first = issuer.planned(price_minor=2_000)
    issuer.elect(ONE, 10_000)
    later = (clock.today() + timedelta(days=30)).isoformat()
    second = issuer.decide_plan(issuer.propose_plan(from_on=later))
    states = {row["plan_id"]: row["status"] for row in issuer.desk.plans(**issuer.where)}
    assert states == {first: "superseded", second: "in_force"}
    (row,) = issuer.desk.elections(**issuer.where)
    assert row["counts_from"] == yesterday(), "until the day of the second, the first one's cut-off"
    # Until its day, record dates are by the one before.
    run = issuer.drafted(POOL)
    assert issuer.found(run)[ONE] == (35, 70_000, None)
    issuer.cancel(run)
    end = {**issuer.where, "plan": second}
    with pytest.raises(Refused, match="end_of_a_plan_is_proposed_first"):
        issuer.desk.decide_plan_end(actor=SECOND, **end, is_agreed=True, seen=issuer.seen(second))
    with pytest.raises(Refused, match="plan_ends_for_a_reason"):
        issuer.desk.propose_plan_end(actor=PROPOSER, **end, because=" ", seen=issuer.seen(second))
    ask = {"because": "the price is another", "actor": PROPOSER}
    issuer.desk.propose_plan_end(**end, **ask, seen=issuer.seen(second))
    with pytest.raises(Refused, match="plan_is_ended_by_two_people"):
        issuer.desk.decide_plan_end(actor=PROPOSER, **end, is_agreed=True, seen=issuer.seen(second))
    issuer.desk.decide_plan_end(actor=SECOND, **end, is_agreed=False, seen=issuer.seen(second))
    issuer.desk.propose_plan_end(**end, **ask, seen=issuer.seen(second))
    run = issuer.drafted(POOL)
    assert issuer.found(run)[ONE][0] == 35
    issuer.desk.decide_plan_end(actor=SECOND, **end, is_agreed=True, seen=issuer.seen(second))
    # What was drafted under it is not approved any more, and the one before does not come back.
    with refused("reinvestment_is_as_elected"):
        issuer.approve(run)
    issuer.cancel(run)
    assert issuer.found(issuer.drafted(POOL)) == {}
    elected = {"election": "elc_late", "investor": TWO, "paper_sha256": None}
    elect = issuer.desk.elect_reinvestment
    assert (
        rule_of(lambda: elect(actor=TWO, **issuer.where, **elected, share_bp=1))
        == "election_is_under_a_plan_in_force"
    )
    elect(actor=TWO, **issuer.where, **elected, share_bp=0)


def test_an_election_is_the_holders_or_names_its_paper(issuer: Reinvestor) -> None:
    issuer.planned()
    elect = issuer.desk.elect_reinvestment
    said = {"election": "elc_1", "investor": ONE, "share_bp": 100, "paper_sha256": None}
    assert (
        rule_of(lambda: elect(actor="agent.theo", **issuer.where, **said))
        == "election_for_another_names_its_paper"
    )
    for share in (-1, 10_001):
        wrong = {**said, "share_bp": share}
        assert (
            rule_of(lambda wrong=wrong: elect(actor=ONE, **issuer.where, **wrong))
            == "elected_share_is_a_part"
        )
    stranger = {**said, "investor": "ivr_stranger", "paper_sha256": digest("letter")}
    assert rule_of(lambda: elect(actor="agent.theo", **issuer.where, **stranger)) == "election_is_of_a_holder"
    elect(actor="agent.theo", **issuer.where, **{**said, "paper_sha256": digest("letter")})
    (row,) = issuer.desk.elections(**issuer.where)
    assert (row["investor_id"], row["share_bp"], row["counts_from"]) == (ONE, 100, clock.today())
    # Its moment is that of the database, and nobody changes it.
    for statement in (
        "update registry.reinvestment_election set share_bp = 1",
        "update registry.reinvestment_election set given_at = given_at - interval '9 days'",
        "delete from registry.reinvestment_election",
    ):
        assert wall(issuer, statement) is not None


def test_whoever_elects_for_a_holder_takes_no_part_in_the_run(issuer: Reinvestor) -> None:
    issuer.planned()
    said = {"investor": ONE, "share_bp": 10_000, "paper_sha256": digest("letter")}
    issuer.desk.elect_reinvestment(actor="usr_second", **issuer.where, election="elc_1", **said)
    issuer.elect(TWO, 10_000)
    issuer.backdate("registry.reinvestment_election", "given_at = given_at - interval '1 day'")
    rule = "whoever_elects_for_another_decides_no_run"
    for same in ("usr_second", "key:usr_second~1"):
        with pytest.raises(Refused, match=rule):
            issuer.runs.draft(issuer.offering, pool(POOL), actor=same)
    run = issuer.drafted(POOL)
    for same in ("usr_second", "key:usr_second~1"):
        with refused(rule):
            issuer.approve(run, actor=same)
    issuer.approve(run, actor="usr_third")


def test_an_election_is_kept_when_it_is_given(issuer: Reinvestor) -> None:
    issuer.planned()
    admin, table = issuer.login("admin"), "registry.reinvestment_election"
    held = "alter column given_at set default clock_timestamp() - interval '61 seconds'"
    for change in ("disable trigger election_stands", held):
        admin.execute(f"alter table {table} {change}".encode())
    said = {"investor": ONE, "share_bp": 100, "paper_sha256": None}
    elect = lambda: issuer.desk.elect_reinvestment(actor=ONE, **issuer.where, election="elc_1", **said)  # noqa: E731
    assert rule_of(elect) == "election_is_kept_when_it_is_given"
    assert issuer.desk.elections(**issuer.where) == []
    later = held.replace("61", "55")
    admin.execute(f"alter table {table} {later}".encode())
    elect()


def test_an_election_counts_to_its_cut_off_and_later_for_the_next_run(issuer: Reinvestor) -> None:
    issuer.planned(cutoff_days=3)
    on_the_day = issuer.elect(ONE, 10_000, days_ago=4)
    issuer.elect(TWO, 10_000, days_ago=3)
    issuer.elect(THREE, 10_000, days_ago=9)
    changed = issuer.elect(THREE, 2_500, days_ago=8)
    run = issuer.drafted(POOL)
    rows = issuer.ask(
        "select investor_id, election_id from engine.reinvestment where distribution_id = %s", run
    )
    assert dict(rows) == {ONE: on_the_day, THREE: changed}
    counts = {row["investor_id"]: row["counts_from"] for row in issuer.desk.elections(**issuer.where)}
    assert counts[TWO] == clock.today()
    (own,) = issuer.desk.reinvestments_of(investor=TWO)
    assert (own["share_bp"], own["counts_from"]) == (10_000, clock.today())
    issuer.cancel(run)
    # One day later it is the next run's, and one that was ended is none of it.
    issuer.elect(ONE, 0, days_ago=5)
    issuer.elect(THREE, 0, days_ago=4)
    issuer.backdate("registry.reinvestment_election", "given_at = given_at - interval '1 day'")
    assert {holder: found[0] > 0 for holder, found in issuer.found(issuer.drafted(POOL)).items()} == {
        ONE: True,
        TWO: True,
    }


def test_an_election_between_draft_and_approval_asks_for_another_draft(issuer: Reinvestor) -> None:
    chosen(issuer)
    run = issuer.drafted(POOL)
    issuer.elect(THREE, 1_000)
    with refused("reinvestment_is_as_elected"):
        issuer.approve(run)
    issuer.cancel(run)
    issuer.approve(issuer.drafted(POOL))


@pytest.mark.parametrize("seed", range(3))
def test_every_line_sums_whatever_the_amounts(issuer: Reinvestor, seed: int) -> None:
    draw = random.Random(seed)
    issuer.form(20, **W8)
    for _ in range(6):
        price = draw.choice([1, 7, 333, 3_000, 99_999])
        issuer.planned(price_minor=price, most_units=10**6)
        shares = {holder: draw.choice([0, 1, 3_333, 5_000, 10_000]) for holder in (ONE, TWO, THREE)}
        for holder, share in shares.items():
            issuer.elect(holder, share)
        issuer.backdate("registry.reinvestment_election", "given_at = given_at - interval '1 hour'")
        pool = draw.choice([1, 61, 12_345, 610_000, 987_654])
        run = issuer.drafted(pool)
        lines = issuer.ask(
            "select investor_id, gross_minor, withheld_minor, reinvested_minor, net_minor"
            " from engine.distribution_line where distribution_id = %s", run
        )  # fmt: skip
        found = issuer.found(run)
        assert sum(line[1] for line in lines) == pool
        for holder, gross, withheld, reinvested, net in lines:
            units = (gross - withheld) * shares[holder] // (10_000 * price)
            assert reinvested == units * price
            assert gross == withheld + reinvested + net
            assert net >= 0
            assert found.get(holder, (0, 0, None))[:2] == (units, units * price)
        row = issuer.runs.standing(issuer.offering, run)
        assert pool == row["withheld_minor"] + row["reinvested_minor"] + row["net_minor"]
        issuer.cancel(run)


def test_what_is_reinvested_is_never_paid_in_money(issuer: Reinvestor) -> None:
    chosen(issuer)
    run = issuer.drafted(POOL)
    assert issuer.found(run) == {ONE: (23, 69_000, None), TWO: (23, 69_000, None)}
    issuer.approve(run)
    money = POOL - 2 * 69_000
    with refused("fund_is_final_and_within_the_amount"):
        issuer.fund(run, money + 1, "more")
    issuer.fund(run, money - 1, "less")
    with pytest.raises(Refused, match=f"{money - 1} of {money} are there"):
        issuer.runs.start(issuer.offering, run, actor="usr_first")
    issuer.fund(run, 1, "rest")
    issuer.runs.start(issuer.offering, run, actor="usr_first")
    owed = dict(issuer.ask("select investor_id, amount_minor from treasury.disbursement"))
    assert owed == {ONE: 1_000, TWO: 71_000, THREE: 217_000}
    assert issuer.balance(f"liab:distribution_funds:{run}") == 0
    issuer.settle(run)
    assert issuer.balance(f"liab:distribution:{run}") == 0
    issuer.check()
    # It is not over while units are owed, and each line is on the forms of the year in which both came.
    year = int(DAY[:4])
    paid = "select investor_id from engine.paid_in(%s, %s)"
    assert issuer.runs.look(clock.today()) == 0
    assert issuer.ask(paid, issuer.offering, year) == [(THREE,)]
    assert issuer.issue() == 2
    assert issuer.runs.look(clock.today()) == 1
    assert issuer.runs.standing(issuer.offering, run)["status"] == "paid"
    here = issuer.ask(
        "select investor_id, income_minor from engine.paid_in(%s, %s)", issuer.offering, clock.today().year
    )
    assert {row for row in here if row[0] != THREE} == {(ONE, 100_000), (TWO, 200_000)}
    # What was set off is capital that holders paid in.
    flows = issuer.ask(
        "select contributed from engine.distribution_flows(%s, %s)", issuer.offering, clock.today()
    )
    assert (138_000,) in flows


def test_a_distribution_that_is_reinvested_whole_needs_no_money(issuer: Reinvestor) -> None:
    issuer.planned(price_minor=50)
    for n, holder in ((10, ONE), (20, TWO), (31, THREE)):
        issuer.form(n, form="W-9", name="Example Person", backup_withholding=False)
        issuer.elect(holder, 10_000)
    run = issuer.started(6_100)
    row = issuer.runs.standing(issuer.offering, run)
    assert (row["status"], row["net_minor"], row["reinvested_minor"]) == ("paying", 0, 6_100)
    assert issuer.issue() == 3
    assert issuer.held() == {ONE: 30, TWO: 60, THREE: 93}
    assert issuer.runs.look(clock.today()) == 1
    assert issuer.runs.standing(issuer.offering, run)["status"] == "paid"
    assert issuer.differing() == []


def test_whoever_may_have_no_units_is_paid_in_cash_and_told_why(issuer: Reinvestor) -> None:
    issuer.planned()
    for holder in (ONE, TWO, THREE):
        issuer.elect(holder, 10_000)
    issuer.control("freeze_account", investor=ONE)
    block(issuer, 20)
    with issuer.untriggered("registry.wallet_mapping") as admin:
        admin.execute(
            b"update registry.wallet_mapping set status = 'revoked' where investor_id = %s", [THREE]
        )
    run = issuer.drafted(POOL)
    assert issuer.found(run) == {
        ONE: (0, 0, "account_is_frozen"),
        TWO: (0, 0, "match_with_a_list"),
        THREE: (0, 0, "wallet_is_not_linked"),
    }
    assert issuer.runs.standing(issuer.offering, run)["reinvested_minor"] == 0


def test_another_payee_small_amounts_limits_and_clearances_mean_cash(issuer: Reinvestor) -> None:
    issuer.planned()
    for holder in (ONE, TWO, THREE):
        issuer.elect(holder, 10_000)
    said = {"kind": "holding_limit", "starts_on": "2026-01-01", "amount": 6_000, "because": "charter"}
    said["paper"] = digest("charter").hex()
    issuer.call("registry.propose_transfer_rule", issuer.offering, "rul_1", said)
    issuer.call("registry.decide_transfer_rule", issuer.offering, "rul_1", "true", "", actor=SECOND)
    issuer.revoke(31)
    found = issuer.found(issuer.drafted(POOL))
    assert found[ONE][0] == 23
    assert (found[TWO][2], found[THREE][2]) == ("share_is_over_its_limit", "holder_is_not_cleared")


def test_affiliates_come_to_their_limit_together(issuer: Reinvestor) -> None:
    issuer.planned()
    issuer.elect(ONE, 5_000)
    issuer.elect(TWO, 2_500)
    issuer.elect(THREE, 500)
    # The first two have 30 of 61 units and are due 11 each: one of them stays within 42 units, both do not.
    terms = {"kind": "holding_limit", "starts_on": "2026-01-01", "amount": 7_000, "because": "charter"}
    terms["paper"] = digest("charter").hex()
    issuer.call("registry.propose_transfer_rule", issuer.offering, "rul_1", terms)
    issuer.call("registry.decide_transfer_rule", issuer.offering, "rul_1", "true", "", actor=SECOND)
    run = issuer.drafted(POOL)
    assert {holder: row[0] for holder, row in issuer.found(run).items()} == {ONE: 11, TWO: 11, THREE: 3}
    issuer.cancel(run)
    for holder in (ONE, TWO):
        told = [issuer.offering, f"afl_{holder}", holder, "family", "brothers"]
        issuer.call("registry.record_affiliation", *told)
    over = (0, 0, "share_is_over_its_limit")
    found = issuer.found(issuer.drafted(POOL))
    assert (found[ONE], found[TWO], found[THREE][0]) == (over, over, 3)


def test_a_payee_and_an_amount_below_a_unit_mean_cash(issuer: Reinvestor) -> None:
    issuer.planned()
    issuer.elect(ONE, 10_000)
    issuer.elect(TWO, 300)
    mandate = {"holder": ONE, "payee": THREE, **PAYEE}
    issuer.call("registry.propose_payee", issuer.offering, "pmd_1", mandate)
    issuer.runs.screen_payee(THREE, actor="usr_first")
    issuer.screen()
    issuer.call("registry.decide_payee", issuer.offering, "pmd_1", "true", 1, actor=SECOND)
    issuer.backdate("registry.payee_mandate", "decided_at = decided_at - interval '2 days'")
    found = issuer.found(issuer.drafted(60_000))
    assert found == {ONE: (0, 0, "payee_is_another"), TWO: (0, 0, "amount_is_less_than_a_unit")}


def test_units_are_promised_once(issuer: Reinvestor) -> None:
    plan = issuer.planned(most_units=60)
    issuer.elect(ONE, 10_000)
    issuer.elect(TWO, 5_000)
    first = issuer.started(POOL)
    second = issuer.drafted(POOL)
    assert {found[2] for found in issuer.found(second).values()} == {"plan_has_too_few_units"}
    issuer.cancel(second)
    (row,) = (one for one in issuer.desk.plans(**issuer.where) if one["plan_id"] == plan)
    assert (row["promised_units"], row["issued_units"]) == (46, 0)
    issuer.planned()
    issuer.look(1_000_000 - 61 - 46 - 45)
    second = issuer.drafted(POOL)
    assert {row[2] for row in issuer.found(second).values()} == {"authorised_units_are_too_few"}
    issuer.cancel(second)
    issuer.look(1_000_000 - 61 - 46 - 46)
    second = issuer.drafted(POOL)
    assert {row[0] for row in issuer.found(second).values()} == {23}
    lower = [issuer.offering, "cch_1", 1_000_000 - 1, digest("lower"), "resolution 10"]
    issuer.call("registry.propose_control_change", *lower)
    with refused("promised_units_stay_authorised"):
        issuer.call("registry.decide_control_change", issuer.offering, "cch_1", "true", "", actor=SECOND)
    issuer.call("registry.decide_control_change", issuer.offering, "cch_1", "false", "owed", actor=SECOND)
    # A split, a conversion and the end of the offer wait for what is promised.
    under_way = {
        row[0] for row in issuer.ask("select subject_id from registry.units_under_way(%s)", issuer.offering)
    }
    lines = issuer.ask(
        "select line_id from engine.reinvestment where distribution_id in (%s, %s)", first, second
    )
    assert under_way == {line for (line,) in lines}
    ((open_units,),) = issuer.ask(
        "select open from engine.exit_hindrances(%s) where place = 20", issuer.offering
    )
    assert open_units >= 4


def test_nobody_knows_the_supply_without_a_look(connect: Connect, database: Database) -> None:
    issuer = Reinvestor(connect, database)
    chosen(issuer)
    with issuer.untriggered("registry.supply_seen") as admin:
        admin.execute(b"delete from registry.supply_seen")
    assert {found[2] for found in issuer.found(issuer.drafted(POOL)).values()} == {"supply_is_not_known"}


def test_a_split_makes_the_plan_one_of_other_units(issuer: Reinvestor) -> None:
    chosen(issuer)
    drafted = issuer.drafted(POOL)
    proposed = issuer.propose_plan()
    with issuer.untriggered("registry.split") as admin:
        admin.execute(
            b"insert into registry.split (offering_id, split_id, status, new_units, for_units, fractions,"
            b" currency, effective_at, authority_sha256, authority_reference, proposed_by, decided_by,"
            b" authorised_before, authorised_after, begun_at, executed_at, version, chain_head)"
            b" values (%s, 'spl_1', 'executed', 2, 1, 'round_up', 'USD', now(), sha256('x'), 'resolution 6',"
            b" 'issuer.iris', 'agent.tess', 1, 2, now(), clock_timestamp(), 1, 'x')",
            [issuer.offering],
        )
    with refused("reinvestment_is_as_elected"):
        issuer.approve(drafted)
    issuer.cancel(drafted)
    found = issuer.found(issuer.drafted(POOL))
    assert {row[2] for row in found.values()} == {"units_changed_since_the_plan"}
    assert rule_of(lambda: issuer.decide_plan(proposed)) == "plan_is_of_the_units_as_proposed"


def test_an_instalment_of_principal_makes_the_plan_one_of_other_units(
    issuer: Reinvestor, database: Database
) -> None:
    chosen(issuer)
    proposed = issuer.propose_plan()
    put(issuer, "amo_1", said(20_001, PRICE - 20_001))
    days = {"record_on": yesterday(), "pay_on": yesterday()}
    drafted = Amortisation(Desk(database)).draft(issuer.offering, 1, **days, actor="usr_first")
    pay(issuer, issuer.runs, drafted, "part")
    found = issuer.found(issuer.drafted(POOL))
    assert {row[2] for row in found.values()} == {"units_changed_since_the_plan"}
    assert rule_of(lambda: issuer.decide_plan(proposed)) == "plan_is_of_the_units_as_proposed"


CONVERTED = """insert into registry.conversion (offering_id, conversion_id, status, into_offering_id, formula,
    bears_interest, fractions, currency, effective_at, authority_sha256, authority_reference, proposed_by,
    instalments_begun, decided_by, undelivered_units, begun_at, executed_at, version, chain_head)
    values (%(of)s, 'cnv_1', %(status)s, %(into)s, 'fixed_ratio', false, 'lapse', 'USD', now(), sha256('x'),
    'resolution 7', 'issuer.iris', 0, 'agent.tess', 0, now(),
    case when %(status)s = 'executed' then clock_timestamp() end, 1, 'x')"""
REDEEMED = """insert into registry.buyback (offering_id, buyback_id, status, kind, price_minor, currency,
    periods_bind, opens_at, closes_at, authority_sha256, authority_reference, proposed_by, decided_by,
    accepted_by, accepted_at, executed_at, version, chain_head)
    values (%(of)s, 'bbk_1', %(status)s, 'redemption', 1, 'USD', false, now() - interval '1 day', now(),
    sha256('x'), 'resolution 8', 'issuer.iris', 'agent.tess', 'agent.tess', now(),
    case when %(status)s = 'executed' then clock_timestamp() end, 1, 'x')"""


@pytest.mark.parametrize(
    ("row", "status", "rule"),
    [
        (CONVERTED, "begun", "units_changed_since_the_plan"),
        (CONVERTED, "executed", "units_changed_since_the_plan"),
        (REDEEMED, "accepted", "units_changed_since_the_plan"),
        (REDEEMED, "executed", "units_changed_since_the_plan"),
        ("into", "begun", "another_class_is_converted_into_this_one"),
    ],
)
def test_units_that_become_others_end_what_a_plan_is_of(
    issuer: Reinvestor, row: str, status: str, rule: str
) -> None:
    chosen(issuer)
    drafted = issuer.drafted(POOL)
    proposed = issuer.propose_plan()
    of = {"of": issuer.offering, "into": "off_other", "status": status}
    if row == "into":
        row, of = CONVERTED, {**of, "of": "off_other", "into": issuer.offering}
    with issuer.untriggered(row.split()[2]) as admin:
        admin.execute(b"set local session_replication_role = replica")
        admin.execute(row.encode(), of)
    with refused("reinvestment_is_as_elected"):
        issuer.approve(drafted)
    issuer.cancel(drafted)
    assert {found[2] for found in issuer.found(issuer.drafted(POOL)).values()} == {rule}
    if rule == "units_changed_since_the_plan":
        assert rule_of(lambda: issuer.decide_plan(proposed)) == "plan_is_of_the_units_as_proposed"
    else:
        issuer.decide_plan(proposed)


def test_whoever_has_no_units_any_more_takes_none(issuer: Reinvestor) -> None:
    chosen(issuer)
    with issuer.untriggered("registry.holding") as admin:
        admin.execute(b"update registry.holding set units = 0 where investor_id = %s", [ONE])
    found = issuer.found(issuer.drafted(POOL))
    assert (found[ONE], found[TWO][0]) == ((0, 0, "holder_has_no_units"), 23)


def test_units_of_a_sale_that_are_not_posted_yet_are_promised_to_nobody(issuer: Reinvestor) -> None:
    chosen(issuer)
    issuer.look(1_000_000 - 61 - 46)
    run = issuer.drafted(POOL)
    assert {row[0] for row in issuer.found(run).values()} == {23}
    issuer.cancel(run)
    with issuer.untriggered("registry.issuance_instruction") as admin:
        admin.execute(
            b"update registry.issuance_instruction set status = 'submitted' where investor_id = %s", [ONE]
        )
    found = issuer.found(issuer.drafted(POOL))
    assert {row[2] for row in found.values()} == {"authorised_units_are_too_few"}


def test_terms_of_principal_and_buy_backs_reinvest_nothing(issuer: Reinvestor) -> None:
    chosen(issuer)
    made = issuer.invited()
    issuer.tender(made, 10, 5)
    issuer.accept(made)
    issuer.draft(made)
    assert issuer.ask("select * from engine.reinvestment") == []
