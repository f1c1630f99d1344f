"""Coupons: day counts against published examples, missing fixings, the distribution that pays one."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from bookrunner.core.errors import Refused
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.coupons import Coupons
from tests.allocation.test_illegal import every_right
from tests.attack.world import Connect
from tests.servicing.paying import Payer, payer, yesterday
from tests.treasury.escrow import PRICE, refused

# Periods with the end that they would have whole; 30/360 by the examples of ISDA, ICMA by "EMU and market
# conventions" (ISDA, 1998): a regular period, and a short last one.
FRACTIONS = (
    ("2007-01-31", "2007-02-28", "30/360", 1, "2007-02-28", Fraction(28, 360)),
    ("2006-08-31", "2007-02-28", "30/360", 6, "2007-02-28", Fraction(178, 360)),
    ("2007-02-28", "2007-08-31", "30/360", 6, "2007-08-31", Fraction(183, 360)),
    ("2003-11-01", "2004-05-01", "actual/360", 6, "2004-05-01", Fraction(182, 360)),
    ("2003-11-01", "2004-05-01", "actual/365", 6, "2004-05-01", Fraction(182, 365)),
    ("2003-11-01", "2004-05-01", "actual/actual", 6, "2004-05-01", Fraction(1, 2)),
    ("2000-01-30", "2000-06-30", "actual/actual", 6, "2000-07-30", Fraction(152, 364)),
)
SAID = {"kind": "fixed", "rate_bp": 600, "principal": PRICE, "day_count": "30/360", "months": 6}


def _put(w: Payer, name: str, **said: object) -> None:
    """Let two people put a schedule in force whose first period ended yesterday."""
    ends = yesterday()
    (start,) = w.ask("select (%s::date - interval '6 months')::date", ends)[0]
    dated = {"starts_on": start.isoformat(), "ends_on": (ends + timedelta(days=400)).isoformat()}
    w.call("engine.propose_schedule", w.offering, name, SAID | dated | said)
    with refused("schedule_needs_two_people"):
        w.call("engine.decide_schedule", w.offering, name, "true")
    w.call("engine.decide_schedule", w.offering, name, "true", actor="usr_second")


def _fix(w: Payer, name: str, on: object, value: str) -> None:
    w.call(
        "engine.propose_fixing",
        w.offering,
        name,
        {"index": "SOFR", "on": str(on), "value": value, "source": "s"},
    )


def test_a_coupon_is_worked_out_and_paid_once(connect: Connect, database: Database) -> None:
    w, runs = payer(connect, database)
    for from_on, to_on, count, months, whole, part in FRACTIONS:
        asked = "select numerator, denominator from engine.day_fraction(%s, %s, %s, %s, %s)"
        assert Fraction(*w.ask(asked, from_on, to_on, count, months, whole)[0]) == part
    coupons = Coupons(Desk(database))
    with pytest.raises(Refused, match="coupon_schedule_is_in_force"):
        coupons.work_out(w.offering, 1, yesterday())
    _put(w, "csc_icma", day_count="actual/actual")
    worked = coupons.work_out(w.offering, 1, yesterday())
    assert worked["amount_minor"] == 6 * PRICE * 600 // 10000 // 2
    assert worked["to_on"] == yesterday()
    # The second period is not over: its draft is not tied, and none is left that pays nothing.
    with pytest.raises(Refused, match="distribution_pays_its_coupon"):
        coupons.draft(w.offering, 2, yesterday(), pay_on=yesterday(), actor="usr_first")
    assert w.ask("select count(*) from engine.distribution") == [(0,)]
    _put(w, "csc_floating", kind="floating", rate_bp=150, index="SOFR", day_count="actual/360")
    with pytest.raises(Refused, match="coupon_has_its_fixing"):
        coupons.draft(w.offering, 1, yesterday(), pay_on=None, actor="usr_first")
    _fix(w, "fix_1", worked["from_on"], "4.5")
    with pytest.raises(Refused, match="coupon_has_its_fixing"):
        coupons.work_out(w.offering, 1, yesterday())
    with refused("fixing_needs_two_people"):
        w.call("engine.decide_fixing", w.offering, "fix_1", "true")
    w.call("engine.decide_fixing", w.offering, "fix_1", "true", actor="usr_second")
    _fix(w, "fix_2", worked["from_on"], "9")
    with refused("index_is_fixed_once_a_day"):
        w.call("engine.decide_fixing", w.offering, "fix_2", "true", actor="usr_second")
    with every_right(w, "engine") as login, refused("coupon_terms_stay_as_proposed"):
        login.execute("update engine.coupon_fixing set value = 9 where status = 'in_force'")
    days = (worked["to_on"] - worked["from_on"]).days
    floating = coupons.work_out(w.offering, 1, yesterday())
    exact = Fraction(6 * PRICE * 600 * days, 10000 * 360)
    assert abs(floating["amount_minor"] - exact) <= Fraction(1, 2)
    assert any("SOFR" in line and "4.5 %" in line for line in floating["working"])
    made = coupons.draft(w.offering, 1, yesterday(), pay_on=None, actor="usr_first")
    assert runs.standing(w.offering, made)["distributable_minor"] == floating["amount_minor"]
    kept = coupons.terms.coupon_of(offering=w.offering, distribution=made)
    assert (kept["number"], kept["working"]) == (1, floating["working"])
    with refused("coupon_is_paid_once"):
        w.call("engine.tie_coupon", w.offering, made, 1)
    later = "select from_on from engine.coupon_periods(%s, 'csc_floating') where number = 2"
    _fix(w, "fix_3", w.ask(later, w.offering)[0][0], "4.75")
    w.call("engine.decide_fixing", w.offering, "fix_3", "true", actor="usr_second")
    with refused("distribution_pays_its_coupon"):
        w.call("engine.tie_coupon", w.offering, made, 2)
    with every_right(w, "engine") as login, refused("history_is_append_only"):
        login.execute("update engine.coupon_run set amount_minor = 1")


def test_an_indexed_coupon_moves_with_its_index(connect: Connect, database: Database) -> None:
    w, _ = payer(connect, database)
    _put(w, "csc_indexed", kind="indexed", rate_bp=200, index="SOFR", base="100", day_count="actual/actual")
    _fix(w, "fix_1", yesterday(), "103.25")
    w.call("engine.decide_fixing", w.offering, "fix_1", "true", actor="usr_second")
    worked = Coupons(Desk(database)).work_out(w.offering, 1, yesterday())
    exact = Fraction(6 * PRICE * 200 * 10325, 10000 * 10000 * 2)
    assert abs(worked["amount_minor"] - exact) <= Fraction(1, 2)
