# ruff: noqa: S608 - names and ids come from this file
"""Conversions in the register alone: inputs, the working, what they wait for, what they do to every lot."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from fractions import Fraction
from math import floor

import psycopg
import pytest

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from tests.attack.world import CHAIN, Connect, digest
from tests.registry.converting import CLERK, LOWER, PROPOSER, SECOND, UNDELIVERED, Note
from tests.registry.transferring import Transferring, wall


@pytest.fixture
def note(connect: Connect, database: Database) -> Note:
    return Note(connect, database)


@pytest.fixture
def at_rest(note: Note) -> Note:
    note.enter_holders(note.holders)
    note.close()
    return note


def test_terms_and_inputs_that_do_not_hold_are_refused_by_name(note: Note) -> None:
    for rule, changed in {
        "conversion_has_a_rule_for_fractions": {"fractions": None},
        "conversion_formula_is_known": {"formula": "guess"},
        "ratio_takes_no_interest": {"formula": "fixed_ratio"},
        "conversion_goes_into_another_class": {"into": note.world.offering},
        "offer_exists": {"into": "ofr_none"},
        "conversion_has_its_paper": {"authority_sha256": "00"},
        "conversion_names_its_authority": {"authority_reference": " "},
    }.items():
        with pytest.raises(Refused, match=rule):
            note.propose(**changed)
    admin = note.world.login("admin")
    for rule, column in {
        "conversion_stays_with_its_issuer": "issuer_id = 'iss_two'",
        "conversion_is_in_the_currency_of_both_offers": "currency = 'EUR'",
    }.items():
        change = f"update engine.offer set {column} where offering_id = 'ofr_two'"
        with admin.transaction(force_rollback=True):
            admin.execute(b"alter table engine.offer disable trigger user")
            admin.execute(change.encode())
            with pytest.raises(psycopg.Error) as refused:
                admin.execute(
                    b"insert into registry.conversion (offering_id, conversion_id, status, into_offering_id,"
                    b" formula, bears_interest, fractions, currency, effective_at, authority_sha256,"
                    b" authority_reference, proposed_by) values ('ofr_one', 'cnv_x', 'proposed', 'ofr_two',"
                    b" 'fixed_price', false, 'cash', 'USD', now(), sha256('a'), 'paper', 'usr_one')"
                )
        assert refused.value.diag.constraint_name == rule
    conversion = note.propose()
    with pytest.raises(Refused, match="one_conversion_waits"):
        note.propose()
    for rule, said in {
        "conversion_takes_the_inputs_of_its_formula": {"price_minor": 5},
        "conversion_input_is_within_its_bounds": {"discount_ppm": 1_000_000},
        "conversion_input_is_an_amount_or_a_day": {"year_days": None},
    }.items():
        with pytest.raises(Refused, match=rule):
            note.confirm(conversion, said)


def test_a_missing_input_is_named_and_nobody_approves_what_it_confirmed(note: Note) -> None:
    conversion = note.propose()
    note.confirm(conversion, {n: v for n, v in LOWER.items() if n not in {"diluted_units", "interest_from"}})
    with pytest.raises(Refused, match=r"lacks diluted_units, interest_from") as lacking:
        note.decide(conversion)
    assert lacking.value.rule == "conversion_has_its_inputs"
    assert note.working(conversion) == {}
    note.confirm(conversion, {"interest_from": "2025-01-01"})
    seen = note.version(conversion)
    note.confirm(conversion, {"diluted_units": 700_000})
    told = {"is_approved": True, "because": "", "seen": seen}
    with pytest.raises(Refused, match="decision_is_on_the_version_seen"):
        note.keeper.decide_conversion(actor=SECOND, **note.where, conversion=conversion, **told)
    with pytest.raises(Refused, match="conversion_needs_two_people"):
        note.decide(conversion, by=PROPOSER)
    with pytest.raises(Refused, match="whoever_confirms_an_input_approves_nothing"):
        note.decide(conversion, by=CLERK)
    with pytest.raises(Refused, match="declined_conversion_has_its_reason"):
        note.decide(conversion, is_approved=False)
    # Whoever corrects an input answers for it in the place of whoever confirmed it first.
    inputs = note.keeper.conversion_inputs(**note.where, conversion=conversion)
    assert {row["name"]: row["confirmed_by"] for row in inputs} == dict.fromkeys(LOWER, CLERK)
    note.decide(conversion)
    with pytest.raises(Refused, match="conversion_inputs_are_locked"):
        note.confirm(conversion, {"diluted_units": 1})


def test_a_conversion_waits_for_each_condition_by_its_name(note: Note) -> None:
    later = (clock.now() + timedelta(days=1)).isoformat()
    conversion = note.propose(effective_at=later)
    note.control("freeze_units", note.world.offering, investor=note.taker, units=1)
    asked = note.moves.asked(note.taker)
    open_things = [
        "conversion_is_agreed",
        "conversion_time_has_come",
        "conversion_has_its_inputs",
        "conversion_follows_the_sale",
        "conversion_meets_no_open_closing",
        "conversion_meets_paused_securities",
        "conversion_meets_units_at_rest",
        "conversion_meets_no_restraint",
    ]
    assert note.hindrances(conversion) == open_things
    note.confirm(conversion, LOWER)
    note.decide(conversion)
    holders = ["holders_are_cleared_for_the_new_units", "holders_have_a_wallet_for_the_new_units"]
    assert note.hindrances(conversion) == ["conversion_time_has_come", *open_things[3:], *holders]
    note.close()
    assert note.hindrances(conversion) == ["conversion_time_has_come", *open_things[6:], *holders]
    with pytest.raises(Refused, match="conversion_time_has_come"):
        note.begin(conversion)
    note.keeper.abandon_conversion(
        actor=SECOND, **note.where, conversion=conversion, because="at once instead"
    )
    note.moves.keeper.end_transfer(
        actor="holder.clerk", **note.where, transfer=asked, status="withdrawn", reasons=[]
    )
    note.control("thaw_units", note.world.offering, investor=note.taker, units=1)
    note.enter_holders(note.holders[:-1])
    conversion = note.agreed()
    assert note.hindrances(conversion) == holders
    note.enter_holders([note.taker])
    assert note.hindrances(conversion) == []
    note.register.keep_apart(
        actor=CLERK, offering=note.into.offering, entry="sub_one", side="credit", units=1, reference="paper",
        because="no holding is named", owner=CLERK,
    )  # fmt: skip
    assert note.hindrances(conversion) == ["conversion_meets_records_that_agree"]
    with pytest.raises(Refused, match="conversion_meets_records_that_agree"):
        note.begin(conversion)
    assert note.open_lines(conversion) == {}


@pytest.mark.parametrize("which", ["ofr_one", "ofr_two"])
def test_terms_of_units_that_were_split_since_are_not_carried_out(at_rest: Note, which: str) -> None:
    rule = "conversion_is_of_the_units_as_proposed"
    undecided = at_rest.propose()
    at_rest.confirm(undecided, LOWER)
    at_rest.split(which)
    with pytest.raises(Refused, match=rule):
        at_rest.decide(undecided)
    stolen = "update registry.conversion set status = 'approved', decided_by = 'thief', decided_at = now()"
    assert wall(at_rest.world, stolen) == rule
    gone = {"actor": SECOND, **at_rest.where, "because": "the units were split"}
    at_rest.keeper.abandon_conversion(**gone, conversion=undecided)
    agreed = at_rest.agreed()
    assert at_rest.hindrances(agreed) == []
    at_rest.split(which)
    assert at_rest.hindrances(agreed) == [rule]
    with pytest.raises(Refused, match=rule):
        at_rest.begin(agreed)


def test_a_class_without_a_token_takes_part_in_no_conversion(note: Note) -> None:
    admin = note.world.login("admin")
    for offering in ("ofr_one", "ofr_two"):
        with admin.transaction():
            admin.execute(b"alter table engine.offer disable trigger user")
            admin.execute(
                b"update engine.offer set status = 'draft', chain_id = null, token_address = null,"
                b" treasury_address = null where offering_id = %s",
                [offering],
            )
            admin.execute(b"alter table engine.offer enable trigger user")
        with pytest.raises(Refused, match="conversion_goes_from_token_to_token"):
            note.propose()


def test_the_lower_price_converts_principal_and_interest_to_the_day(at_rest: Note) -> None:
    conversion = at_rest.agreed()
    (shown,) = at_rest.keeper.conversions(**at_rest.where)
    # The cap's price of 714.28… is lower than the discounted one of 800.
    assert (shown["basis"], Fraction(int(shown["above"]), int(shown["below"]))) == ("cap", Fraction(5000, 7))
    (bought,) = {day for (day,) in at_rest.ask("select min(acquired_on) from registry.lot")}
    days = (clock.today() - max(bought, clock.today().replace(year=2025, month=1, day=1))).days
    expected = {}
    held = {"ivr_one101": 91, "ivr_one31": 31, "ivr_one70": 70, at_rest.taker: 10}
    for holder, units in held.items():
        principal = units * 50_000
        interest = floor(Fraction(principal * days * 80_000, 1_000_000 * 365))
        whole, rest = divmod(Fraction(principal + interest), Fraction(5000, 7))
        expected[holder] = (units, principal, interest, whole, floor(rest))
    assert at_rest.working(conversion) == expected
    at_rest.begin(conversion)
    assert at_rest.working(conversion) == expected
    lots = "investor_id, acquired_on, period_from, legend from registry.lot_standing where offering_id"
    old = {row[0]: row[1:] for row in at_rest.ask(f"select lot_id, {lots} = 'ofr_one' and left_units > 0")}
    lines = at_rest.open_lines(conversion)
    assert sorted(line["units"] for line in lines["ofr_one"]) == [-91, -70, -31, -10]  # type: ignore[type-var]
    assert sum(line["units"] for line in lines["ofr_two"]) == sum(row[3] for row in expected.values())  # type: ignore[misc]

    # While wallets are changed one by one, nothing else moves in either class and no wallet is changed twice.
    for act in (
        lambda: at_rest.control("resume", "ofr_one"),
        lambda: at_rest.control("resume", "ofr_two"),
        lambda: at_rest.moves.asked(at_rest.taker),
    ):
        with pytest.raises(Refused, match="conversion_is_carried_through_first"):
            act()
    burned = at_rest.sign("burned", "ofr_one", lines["ofr_one"][:2])
    for again in (lines["ofr_one"][:1], [{**lines["ofr_one"][2], "units": -1}]):
        with pytest.raises(psycopg.Error) as refused:
            at_rest.sign("again", "ofr_one", again)
        assert refused.value.diag.constraint_name == "wallet_is_converted_once"
    with pytest.raises(psycopg.Error) as refused:
        at_rest.final(burned, "ofr_one", [lines["ofr_one"][0], {**lines["ofr_one"][1], "units": -1}])
    assert refused.value.diag.constraint_name == "chain_delivered_the_frozen_lines"
    assert at_rest.final(burned, "ofr_one", lines["ofr_one"][:2]) == 2
    minted = at_rest.sign("minted", "ofr_two", lines["ofr_two"])
    assert at_rest.final(minted, "ofr_two", lines["ofr_two"]) == 4
    assert at_rest.units("ofr_one") == held
    rest = at_rest.sign("rest", "ofr_one", lines["ofr_one"][2:])
    assert at_rest.final(rest, "ofr_one", lines["ofr_one"][2:]) == 2
    assert at_rest.final(rest, "ofr_one", lines["ofr_one"][2:]) == 0
    at_rest.look()

    assert at_rest.units("ofr_one") == dict.fromkeys(held, 0)
    got = at_rest.units("ofr_two")
    assert {holder: got[holder] for holder in held} == {holder: row[3] for holder, row in expected.items()}
    assert at_rest.differing() == []
    new = at_rest.ask(f"select from_lot_id, {lots} = 'ofr_two' and from_lot_id is not null")
    assert {row[0]: row[1:] for row in new} == old
    books = at_rest.ask(
        "select offering_id, authorised_units, issued_units, authority_sha256 from registry.control_book"
    )
    assert {row[0]: row[1:] for row in books} == {
        "ofr_one": (1_000_000, 0, digest("resolution")),
        "ofr_two": (1_000_000, 3 + sum(row[3] for row in expected.values()), digest("resolution")),
    }
    on_chain = at_rest.ask("select offering_id, sum(units)::bigint from registry.address_units group by 1")
    assert dict(on_chain) == {"ofr_two": sum(got.values())}  # type: ignore[arg-type]
    described = registry.Described("Example Issuer Inc.", clock.today(), "US")
    for offering, left in (("ofr_one", 0), ("ofr_two", sum(got.values()))):
        package = registry.export_package(at_rest.register, offering, described, clock.now())
        judged = registry.judge_package(package)
        assert (judged.faults, judged.units) == ([], left)


# What 31 units of 500.00 become by each formula: units and the cash for the rest.
FORMULAS = {
    "fixed_price": ({"principal_minor": 50_000, "price_minor": 30_000}, (51, 20_000)),
    "discounted_price": (
        {"principal_minor": 50_000, "round_price_minor": 999, "discount_ppm": 1},
        (1551, 552),
    ),
    "capped_price": (
        {"principal_minor": 50_000, "valuation_cap_minor": 7, "diluted_units": 3},
        (664_285, 1),
    ),
    "fixed_ratio": ({"new_units": 2, "for_units": 7, "unit_price_minor": 1_000}, (8, 857)),
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_each_formula_rounds_units_down_and_owes_the_rest(note: Note, formula: str) -> None:
    said, expected = FORMULAS[formula]
    conversion = note.propose(formula=formula, bears_interest=False)
    note.confirm(conversion, said)
    assert note.working(conversion)["ivr_one31"][3:] == expected


def test_fractions_lapse_where_the_paper_says_so_and_dust_leaves_no_units(at_rest: Note) -> None:
    ratio = {"new_units": 1, "for_units": 40}
    conversion = at_rest.agreed(ratio, formula="fixed_ratio", bears_interest=False, fractions="lapse")
    at_rest.begin(conversion)
    at_rest.carry(conversion)
    got = at_rest.units("ofr_two")
    assert {holder: got.get(holder, 0) for holder in at_rest.holders} == {
        "ivr_one101": 2,
        "ivr_one31": 0,
        "ivr_one70": 1,
        at_rest.taker: 0,
    }
    assert at_rest.units("ofr_one") == dict.fromkeys(at_rest.holders, 0)
    assert {row[4] for row in at_rest.working(conversion).values()} == {0}
    assert at_rest.differing() == []
    with pytest.raises(Refused, match="conversion_is_agreed"):
        at_rest.begin(conversion)
    ((transfer,), *_) = at_rest.ask("select request_id from registry.transfer_request order by 1")
    back = {"transfer": transfer, "because": "x", "order_sha256": "0b" * 32, "order_reference": "deed"}
    on = {**at_rest.where, "rescission": "rsn_1", "action": "cta_back"}
    with pytest.raises(Refused, match="rescinded_units_were_not_converted"):
        at_rest.moves.keeper.ask_rescission(actor=CLERK, **on, asked=back)
    # Nothing is left of the convertible, and its offer ends; not while another conversion waits.
    leave = ("engine.move_offer", "ofr_one", "exited")
    waiting = at_rest.propose()
    with pytest.raises(psycopg.Error, match="exit_leaves_no_units_under_way 1"):
        at_rest.world.call(*leave)
    at_rest.decide(waiting, is_approved=False, because="nothing is left to convert")
    # Nobody released the escrow of this world, and nothing else keeps the offer.
    with pytest.raises(psycopg.Error, match=r"is not exited: exit_leaves_no_money_in_escrow \d+\n"):
        at_rest.world.call(*leave)
    at_rest.world.login("admin").execute("delete from treasury.balance where offering_id = 'ofr_one'")
    at_rest.world.call(*leave)


def test_what_is_asked_in_the_new_class_while_a_conversion_begins_waits_and_is_refused(
    at_rest: Note,
) -> None:
    conversion = at_rest.agreed()
    into = Transferring(at_rest.into, at_rest.keeper.database)
    into.seller = "ivr_two3"
    at_rest.look()
    waiting = "select from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0"
    with ThreadPoolExecutor(1) as other:
        with at_rest.world.login("registry").transaction():
            at_rest.world.call("registry.begin_conversion", "ofr_one", conversion, UNDELIVERED)
            asked = other.submit(into.asked, at_rest.taker)
            watcher = at_rest.world.login("admin")
            while not asked.done() and not watcher.execute(waiting.encode()).fetchall():
                pass
        with pytest.raises(Refused, match="conversion_is_carried_through_first"):
            asked.result()
    # Nothing is on its way yet; once it is, the supply may have any part of it, and no more.
    assert [at_rest.supply_differs(units) for units in (3, 4)] == [(0, 0), (1, 1)]
    lines = at_rest.open_lines(conversion)["ofr_two"]
    at_rest.sign("minted", "ofr_two", lines)
    whole = 3 + sum(line["units"] for line in lines)  # type: ignore[misc]
    supplies = (2, 3, 4, whole, whole + 1)
    assert [at_rest.supply_differs(units)[0] for units in supplies] == [1, 0, 0, 0, 1]
    assert [at_rest.supply_differs(units)[1] for units in supplies] == [1, 0, 0, 0, 1]


def test_new_units_stay_within_the_authorised_ones_and_the_caps_of_the_new_class(at_rest: Note) -> None:
    conversion = at_rest.agreed(
        {"principal_minor": 50_000, "price_minor": 11}, formula="fixed_price", bears_interest=False
    )
    issued = 3 + sum(row[3] for row in at_rest.working(conversion).values())
    assert issued < 1_000_000
    with pytest.raises(Refused, match="new_units_stay_within_the_authorised_ones"):
        at_rest.begin(conversion, 1_000_001 - issued)
    into = Transferring(at_rest.into, at_rest.keeper.database)
    into.rule("holder_cap", amount=4)
    assert at_rest.hindrances(conversion) == ["conversion_stays_within_the_holder_cap"]
    with pytest.raises(Refused, match="conversion_stays_within_the_holder_cap"):
        at_rest.begin(conversion, 0)


def test_a_period_of_the_new_exemption_runs_from_the_conversion(at_rest: Note) -> None:
    into = Transferring(at_rest.into, at_rest.keeper.database)
    into.exempt("reg_s")
    conversion = at_rest.agreed(
        {"new_units": 1, "for_units": 1}, formula="fixed_ratio", bears_interest=False, fractions="lapse"
    )
    at_rest.begin(conversion)
    at_rest.carry(conversion)
    days = at_rest.ask(
        "select distinct acquired_on, period_from from registry.lot"
        " where offering_id = 'ofr_two' and from_lot_id is not null"
    )
    assert days == [(clock.today(), clock.today())]


WALLET = "registry.linked_address('ofr_two', h.investor_id)"
HOLDINGS = """
insert into registry.holding (offering_id, holding_id, investor_id, status, units, registration_fact,
    registration_digest)
select 'ofr_two', 'hld_new' || holding_id, investor_id, 'registered', 0, registration_fact,
    registration_digest
from registry.holding where offering_id = 'ofr_one';
"""
LINES = """
insert into registry.conversion_line
select {key}, l.holding_id, l.units_before, l.principal_minor, l.interest_minor, {units}, l.cash_minor,
    'hld_new' || l.holding_id, {wallet}
from registry.conversion c, lateral registry.lines_of_conversion(c) l
join registry.holding h on h.offering_id = 'ofr_one' and h.holding_id = l.holding_id {of};
"""
PLACES = """
insert into registry.conversion_place
select p.offering_id, {key}, p.address, p.holding_id, p.units_before, {units}
from registry.conversion c, lateral registry.places_of_conversion(c) p {of};
"""
BEGIN = """
update registry.conversion set status = 'begun', begun_at = now(), undelivered_units = {undelivered} {of};
"""
SEEN = """
insert into registry.conversion_seen
select offering_id, from_offering_id, conversion_id, address, {chain}, sha256('thief'), 0
from registry.conversion_place limit 1
"""
LATE_PLACE = """
insert into registry.conversion_place select 'ofr_two', {key}, sha224('a')::bytea, holding_id, 0, 9
from registry.holding where offering_id = 'ofr_two' limit 1
"""
MOVED = """
insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units,
    reference, is_tacked)
select offering_id, 'mov_thief', {kind}, holding_id, 5, 'cnv_9/' || holding_id, true
from registry.holding where offering_id = 'ofr_two' limit 1;
set constraints all immediate
"""
INPUT = """
insert into registry.conversion_input
values ({key}, 90, 'year_days', 360, null, 'paper', sha256('paper'), 'somebody')
"""
BOOK = """
update registry.control_book set authority_sha256 = sha256('resolution') where offering_id = 'ofr_two'
"""


def test_no_login_writes_a_conversion_past_its_walls(at_rest: Note) -> None:
    conversion = at_rest.agreed()
    of, key = f"where conversion_id = '{conversion}'", f"'ofr_one', '{conversion}'"

    def lines(units: str = "l.units_after", wallet: str = WALLET) -> str:
        return HOLDINGS + LINES.format(key=key, of=of, units=units, wallet=wallet)

    def places(units: str = "p.units_after") -> str:
        return PLACES.format(key=key, of=of, units=units)

    at_rest.look()
    begin, elsewhere = BEGIN.format(of=of, undelivered=UNDELIVERED), f"decode('{'ee' * 20}', 'hex')"
    for rule, forged in (
        ("conversion_has_the_undelivered_units_of_the_chain", BEGIN.format(of=of, undelivered=0)),
        ("conversion_has_a_line_for_every_holder", begin),
        ("conversion_has_a_line_for_every_holder", lines("l.units_after + 1") + places() + begin),
        ("conversion_has_a_place_for_every_wallet", lines() + begin),
        ("conversion_has_a_place_for_every_wallet", lines() + places("p.units_after + 5") + begin),
        ("conversion_has_a_place_for_every_wallet", lines(wallet=elsewhere) + places() + begin),
        ("conversion_terms_are_locked", f"update registry.conversion set formula = 'fixed_price' {of}"),
        ("conversion_terms_are_locked", f"update registry.conversion set confirmations = 99 {of}"),
        (
            "transition_is_listed_for_the_keeper",
            f"update registry.conversion set status = 'proposed' {of}",
        ),
        ("records_are_never_deleted", f"delete from registry.conversion {of}"),
        ("conversion_inputs_are_locked", INPUT.format(key=key)),
    ):
        assert wall(at_rest.world, forged) == rule, forged
    at_rest.begin(conversion)
    executed = f"update registry.conversion set status = 'executed', executed_at = now() {of}"
    for rule, statement in (
        ("conversion_follows_its_chains", executed),
        ("conversion_follows_its_chains", SEEN.format(chain=CHAIN)),
        ("conversion_lines_stand_since_it_began", LATE_PLACE.format(key=key)),
        ("history_is_append_only", "update registry.conversion_line set units_after = units_after + 1"),
        ("history_is_append_only", "update registry.conversion_input set amount = amount + 1"),
        ("control_book_changes_on_written_authority", BOOK),
        ("conversion_is_carried_through_first", MOVED.format(kind="'import', null")),
    ):
        assert wall(at_rest.world, statement) == rule, statement
    at_rest.carry(conversion)
    assert wall(at_rest.world, MOVED.format(kind="'conversion', holding_id")) == "movement_keeps_its_units"


def test_a_conversion_begins_with_the_units_that_the_chain_showed(at_rest: Note) -> None:
    conversion = at_rest.agreed()
    for claimed in (0, UNDELIVERED - 1, UNDELIVERED + 1):
        with pytest.raises(Refused, match="conversion_has_the_undelivered_units_of_the_chain"):
            at_rest.begin(conversion, undelivered=claimed)
    at_rest.begin(conversion)
