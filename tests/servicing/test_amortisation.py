"""Amortisation: instalments that sum to the principal, each paid once, and coupons on what is left."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.coupons import Amortisation, Coupons
from bookrunner.engine.life.servicing.distributions import Distributions
from tests.attack.world import Connect, World
from tests.registry.transferring import wall
from tests.servicing.paying import DAY, Payer, payer, yesterday
from tests.treasury.escrow import PRICE, refused

UNITS = 6
FIRST, SECOND = 20_001, PRICE - 20_001


@pytest.fixture
def world(connect: Connect, database: Database) -> tuple[Payer, Distributions, Amortisation]:
    w, runs = payer(connect, database)
    return w, runs, Amortisation(Desk(database))


def said(*parts: int, principal: int = PRICE, first: date | None = None) -> dict[str, object]:
    """Return terms whose instalments are due from a day on, half a year apart."""
    start = first or yesterday()
    due = [{"due_on": str(start + timedelta(days=182 * n)), "part": part} for n, part in enumerate(parts)]
    return {"principal": principal, "instalments": due}


def put(w: Payer, name: str, terms: dict[str, object]) -> None:
    """Let two people put terms in force."""
    w.call("engine.propose_amortisation", w.offering, name, terms)
    with refused("amortisation_needs_two_people"):
        w.call("engine.decide_amortisation", w.offering, name, "true")
    w.call("engine.decide_amortisation", w.offering, name, "true", actor="usr_second")


def pay(w: Payer, runs: Distributions, drafted: str, name: str) -> None:
    """Take a draft to the bank and back."""
    w.screen()
    w.approve(drafted)
    ((amount,),) = w.ask(
        "select distributable_minor from engine.distribution where distribution_id = %s", drafted
    )
    w.fund(drafted, amount, name)
    runs.start(w.offering, drafted, actor="usr_first")
    w.call("treasury.settle_disbursements", w.offering, w.send(drafted, f"pyo_{name}"), DAY)
    runs.look(yesterday())


def split(w: Payer) -> None:
    """Let the units have been split two for one, now."""
    admin = w.login("admin")
    with admin.transaction():
        admin.execute(b"alter table registry.split disable trigger user")
        admin.execute(
            b"insert into registry.split (offering_id, split_id, status, new_units, for_units, fractions,"
            b" currency, effective_at, authority_sha256, authority_reference, proposed_by, decided_by,"
            b" authorised_before, authorised_after, begun_at, executed_at, version, chain_head)"
            b" values (%s, 'spl_1', 'executed', 2, 1, 'round_up', 'USD', now(), sha256('x'), 'resolution 6',"
            b" 'issuer.iris', 'agent.tess', 1, 2, now(), clock_timestamp(), 1, 'x')",
            [w.offering],
        )
        admin.execute(b"alter table registry.split enable trigger user")


def converted(w: Payer, old: str, new: str, *, executed: str | None) -> None:
    """Let a class have been converted into another one at a moment, or be on its way there."""
    admin = w.login("admin")
    with admin.transaction():
        admin.execute(b"alter table registry.conversion disable trigger all")
        admin.execute(b"delete from registry.conversion")
        admin.execute(
            b"insert into registry.conversion (offering_id, conversion_id, status, into_offering_id, formula,"
            b" bears_interest, fractions, currency, effective_at, authority_sha256, authority_reference,"
            b" proposed_by, decided_by, decided_at, instalments_begun, undelivered_units, begun_at,"
            b" executed_at, version, chain_head)"
            b" values (%s, 'cnv_1', %s, %s, 'fixed_ratio', false, 'lapse', 'USD', now(), sha256('x'), 'nine',"
            b" 'issuer.iris', 'agent.tess', now(), 0, 0, now(), cast(%s as timestamptz), 1, 'x')",
            [old, "begun" if executed is None else "executed", new, executed],
        )
        admin.execute(b"alter table registry.conversion enable trigger all")


def left(a: Amortisation, w: Payer) -> dict[str, int]:
    """Return what the lots of each holder have left."""
    return {r["investor_id"]: r["outstanding_minor"] for r in a.terms.lot_principal(offering=w.offering)}


def test_instalments_lower_every_lot_and_leave_nothing(
    world: tuple[Payer, Distributions, Amortisation],
) -> None:
    w, runs, a = world
    put(w, "amo_one", said(FIRST, SECOND, first=yesterday() - timedelta(days=182)))
    holders = [w.id("ivr", n) for n in (1, 2, 3)]
    assert left(a, w) == {holder: n * PRICE for n, holder in enumerate(holders, 1)}
    day = yesterday()
    first = a.draft(w.offering, 1, day, pay_on=day, actor="usr_first")
    # What is drafted is not paid yet, and nobody drafts it twice.
    assert sum(left(a, w).values()) == UNITS * PRICE
    with pytest.raises(Refused, match="one_distribution_is_prepared"):
        a.draft(w.offering, 1, day, pay_on=day, actor="usr_first")
    lines = w.ask(
        "select investor_id, capital_minor, withheld_minor, net_minor from engine.distribution_line"
    )
    assert sorted(lines) == [(who, n * FIRST, 0, n * FIRST) for n, who in enumerate(holders, 1)]
    pay(w, runs, first, "one")
    assert left(a, w) == {holder: n * SECOND for n, holder in enumerate(holders, 1)}
    with pytest.raises(Refused, match="instalment_is_paid_once"):
        a.draft(w.offering, 1, day, pay_on=day, actor="usr_first")
    pay(w, runs, a.draft(w.offering, 2, day, pay_on=day, actor="usr_first"), "two")
    assert left(a, w) == dict.fromkeys(holders, 0)
    rows = a.terms.instalments(offering=w.offering)
    assert [(row["number"], row["status"]) for row in rows] == [(1, "paid"), (2, "paid")]
    ((units,),) = w.ask("select sum(units)::bigint from registry.holding")
    assert units == UNITS
    with pytest.raises(Refused, match="instalment_exists"):
        a.draft(w.offering, 3, day, pay_on=day, actor="usr_first")
    # Nothing is left that other terms could pay, and none of it is income.
    w.call("engine.propose_amortisation", w.offering, "amo_more", said(1, principal=1))
    with refused("principal_is_what_is_outstanding"):
        w.call("engine.decide_amortisation", w.offering, "amo_more", "true", actor="usr_second")
    assert w.ask("select * from engine.paid_in(%s, %s)", w.offering, int(DAY[:4])) == []
    w.check()


def test_terms_that_pay_more_or_less_than_the_principal_are_refused(
    world: tuple[Payer, Distributions, Amortisation],
) -> None:
    w, runs, a = world
    for parts in ((FIRST, SECOND + 1), (FIRST,), ()):
        with refused("instalments_sum_to_the_principal"):
            w.call("engine.propose_amortisation", w.offering, "amo_bad", said(*parts))
    put(w, "amo_one", said(FIRST, SECOND))
    with pytest.raises(Refused, match="distribution_pays_its_instalment"):
        a.draft(w.offering, 2, yesterday(), pay_on=yesterday(), actor="usr_first")
    before = yesterday() - timedelta(days=1)
    with pytest.raises(Refused, match="something_is_distributed"):
        a.draft(w.offering, 1, before, pay_on=before, actor="usr_first")
    first = a.draft(w.offering, 1, yesterday(), pay_on=yesterday(), actor="usr_first")
    w.call("engine.propose_amortisation", w.offering, "amo_two", said(SECOND, principal=SECOND))
    with refused("open_instalment_is_paid_first"):
        w.call("engine.decide_amortisation", w.offering, "amo_two", "true", actor="usr_second")
    pay(w, runs, first, "one")
    w.call("engine.propose_amortisation", w.offering, "amo_three", said(SECOND + 1, principal=SECOND + 1))
    with refused("principal_is_what_is_outstanding"):
        w.call("engine.decide_amortisation", w.offering, "amo_three", "true", actor="usr_second")
    w.call("engine.decide_amortisation", w.offering, "amo_two", "true", actor="usr_second")
    assert sum(left(a, w).values()) == UNITS * SECOND
    pay(w, runs, a.draft(w.offering, 1, yesterday(), pay_on=yesterday(), actor="usr_first"), "two")
    assert sum(left(a, w).values()) == 0


def test_terms_of_units_that_were_split_since_go_into_no_force(
    world: tuple[Payer, Distributions, Amortisation],
) -> None:
    w, _, _ = world
    w.call("engine.propose_amortisation", w.offering, "amo_old", said(FIRST, SECOND))
    split(w)
    with refused("terms_are_of_the_units_as_proposed"):
        w.call("engine.decide_amortisation", w.offering, "amo_old", "true", actor="usr_second")
    stolen = "update engine.amortisation set status = 'in_force', decided_by = 'thief', decided_at = now()"
    assert wall(w, stolen, "engine") == "terms_are_of_the_units_as_proposed"
    w.call("engine.decide_amortisation", w.offering, "amo_old", "false", actor="usr_second")
    put(w, "amo_new", said(FIRST, SECOND))


def test_a_conversion_is_of_the_principal_as_proposed(
    world: tuple[Payer, Distributions, Amortisation], connect: Connect
) -> None:
    w, runs, a = world
    into = World(connect, "two")
    into.numbers = (3,)  # type: ignore[assignment]
    into.build("registered")
    keeper, on = registry.conversions_of(runs.terms.database), {"offering": w.offering, "conversion": "cnv_1"}
    asked = {"into": into.offering, "formula": "fixed_price", "fractions": "cash"}
    asked |= {"effective_at": "2026-01-01T00:00:00+00:00", "authority_sha256": "ab" * 32}
    put(w, "amo_one", said(FIRST, SECOND))
    keeper.propose_conversion(
        actor="issuer.iris", **on, asked=asked | {"authority_reference": "resolution 7"}
    )
    for name, amount in {"principal_minor": PRICE, "price_minor": 3_000}.items():
        told = {"name": name, "amount": amount, "source": "note", "source_sha256": "cd" * 32}
        keeper.confirm_input(actor="agent.theo", **on, said=told)

    def hindrances() -> set[str]:
        return {row["rule"] for row in keeper.conversion_hindrances(**on)}

    paid, open_one = "conversion_is_of_the_principal_as_proposed", "open_instalment_is_paid_first"
    assert not hindrances() & {paid, open_one}
    first = a.draft(w.offering, 1, yesterday(), pay_on=yesterday(), actor="usr_first")
    assert hindrances() & {paid, open_one} == {open_one}
    pay(w, runs, first, "one")
    assert hindrances() & {paid, open_one} == {paid}
    with pytest.raises(Refused, match=paid):
        keeper.decide_conversion(actor="agent.tess", **on, is_approved=True, because="", seen=3)


THEFTS = {
    "amortisation_stays_as_proposed": "update engine.amortisation set principal_minor = 1",
    "history_is_append_only": "update engine.instalment set part_minor = part_minor + 1",
    "instalment_is_paid_once": "insert into engine.instalment_run select offering_id, 'dst_x',"
    " amortisation_id, number from engine.instalment_run",
    "distribution_pays_its_instalment": "insert into engine.instalment_run select offering_id,"
    " distribution_id, amortisation_id, 2 from engine.instalment_run",
    "principal_names_its_instalment": "set constraints engine.principal_names_its_instalment immediate;"
    " insert into engine.distribution_tier (offering_id, distribution_id, tier, kind, holders_bp, due_minor,"
    " holders_minor, sponsor_minor, left_minor, working) select offering_id, 'dst_thief', 1, 'principal',"
    " 10000, 1, 1, 0, 0, '{x}' from engine.offer",
    "instalments_sum_to_the_principal": "set constraints engine.instalments_sum immediate; insert into"
    " engine.amortisation (offering_id, amortisation_id, status, principal_minor, proposed_by)"
    " select offering_id, 'amo_thief', 'proposed', 1, 'thief' from engine.offer",
}


def test_raw_sql_pays_no_more_than_is_outstanding(world: tuple[Payer, Distributions, Amortisation]) -> None:
    w, _, a = world
    put(w, "amo_one", said(FIRST, SECOND))
    a.draft(w.offering, 1, yesterday(), pay_on=yesterday(), actor="usr_first")
    assert {rule: wall(w, theft, "engine") for rule, theft in THEFTS.items()} == {r: r for r in THEFTS}
    more = "insert into engine.instalment select offering_id, amortisation_id, 9, due_on + 9, 1"
    more += " from engine.instalment"
    assert wall(w, more, "engine") == "amortisation_stays_as_proposed"


def test_coupons_are_on_the_principal_that_is_left(world: tuple[Payer, Distributions, Amortisation]) -> None:
    w, runs, a = world
    coupons, start = Coupons(Desk(runs.terms.database)), yesterday()
    terms = {"kind": "fixed", "rate_bp": 600, "principal": PRICE, "day_count": "actual/actual", "months": 6}
    ((half,),) = w.ask("select (%s::date + interval '6 months')::date", start)
    ((ago,),) = w.ask("select (%s::date - interval '6 months')::date", start)
    dated = {"starts_on": str(ago), "ends_on": str(half)}
    w.call("engine.propose_schedule", w.offering, "csc_one", terms | dated)
    w.call("engine.decide_schedule", w.offering, "csc_one", "true", actor="usr_second")
    # The terms were agreed on before the instalment was due.
    with_days = "alter table engine.coupon_schedule {0} trigger user"
    admin = w.login("admin")
    admin.execute(with_days.format("disable").encode())
    admin.execute(b"update engine.coupon_schedule set decided_at = decided_at - interval '2 days'")
    admin.execute(with_days.format("enable").encode())
    whole = UNITS * PRICE * 600 // 10_000 // 2
    inside = said(FIRST, SECOND, first=start - timedelta(days=30))
    put(w, "amo_inside", inside)
    with pytest.raises(Refused, match="principal_is_paid_between_coupons"):
        a.draft(w.offering, 1, start, pay_on=start, actor="usr_first")
    put(w, "amo_one", said(FIRST, SECOND))
    assert coupons.work_out(w.offering, 2, start)["amount_minor"] == whole
    pay(w, runs, a.draft(w.offering, 1, start, pay_on=start, actor="usr_first"), "one")
    # The period that ended with the instalment had all of it, the next one has what is left.
    assert coupons.work_out(w.offering, 1, start)["amount_minor"] == whole
    worked = coupons.work_out(w.offering, 2, start)
    exact = UNITS * SECOND * 600
    assert worked["amount_minor"] == (2 * exact + 20_000) // (2 * 20_000)
    assert any(f"{SECOND * PRICE}/{PRICE * PRICE} is left" in line for line in worked["working"])


@pytest.mark.parametrize("is_old", [True, False])
def test_an_instalment_of_a_day_before_a_conversion_is_not_drafted_after_it(
    world: tuple[Payer, Distributions, Amortisation], *, is_old: bool
) -> None:
    w, runs, a = world
    put(w, "amo_1", said(FIRST, SECOND))
    pair = (w.offering, "ofr_two") if is_old else ("ofr_two", w.offering)
    for executed in (None, "now"):
        converted(w, *pair, executed=executed)
        with pytest.raises(Refused, match="instalment_is_of_the_units_after_the_conversion"):
            a.draft(w.offering, 1, yesterday(), pay_on=yesterday(), actor="usr_first")
    assert w.ask("select count(*) from engine.distribution") == [(0,)]
    # Whoever held units at the end of a day after it has its part of them.
    converted(w, *pair, executed=f"{yesterday()} 12:00")
    drafted = a.draft(w.offering, 1, yesterday(), pay_on=yesterday(), actor="usr_first")
    assert runs.standing(w.offering, drafted)["status"] == "draft"
