"""The arithmetic of distributions: published examples, and ten thousand cap tables against a second model."""

from __future__ import annotations

import random
from datetime import date
from fractions import Fraction

import pytest

from bookrunner.core.errors import Refused
from bookrunner.core.money import allocate
from bookrunner.engine.life.servicing.distributions.waterfall import (
    DayCount,
    Flow,
    Run,
    Step,
    Tier,
    TierKind,
    day_number,
    read_tier,
    run_tiers,
)

ALL_OURS = Tier(kind=TierKind.SPLIT)
CAPITAL = Tier(kind=TierKind.RETURN_OF_CAPITAL)
CASES = 10_000

# ISDA's sheet "30/360 day count conventions" of the 2006 Definitions, column 30/360 (bond basis).
THIRTY_360 = [
    ("2007-01-15", "2007-01-30", 15),
    ("2007-01-15", "2007-02-15", 30),
    ("2007-01-15", "2007-07-15", 180),
    ("2007-09-30", "2008-03-31", 180),
    ("2007-09-30", "2007-10-31", 30),
    ("2007-09-30", "2008-09-30", 360),
    ("2007-01-15", "2007-01-31", 16),
    ("2007-01-31", "2007-02-28", 28),
    ("2007-02-28", "2007-03-31", 33),
    ("2006-08-31", "2007-02-28", 178),
    ("2007-02-28", "2007-08-31", 183),
    ("2007-02-14", "2007-02-28", 14),
    ("2007-02-26", "2008-02-29", 363),
    ("2008-02-29", "2009-02-28", 359),
    ("2008-02-29", "2008-03-30", 31),
    ("2008-02-29", "2008-03-31", 32),
]


def _paid(steps: list[Step]) -> list[tuple[int, int]]:
    return [(step.holders, step.sponsor) for step in steps]


def _preferred(percent: int, **terms: object) -> Tier:
    return Tier(kind=TierKind.PREFERRED_RETURN, rate=Fraction(percent, 100), **terms)  # type: ignore[arg-type]


def _waterfall(preferred: Tier, catch_up: Fraction = Fraction(0)) -> list[Tier]:
    """Return capital, preferred return, catch-up to a fifth of all profit, and four fifths of the rest."""
    return [
        CAPITAL,
        preferred,
        Tier(kind=TierKind.CATCH_UP, holders=catch_up, target=Fraction(1, 5)),
        Tier(kind=TierKind.SPLIT, holders=Fraction(4, 5)),
    ]


@pytest.mark.parametrize(("start", "end", "days"), THIRTY_360)
def test_days_of_months_of_thirty_are_those_of_the_definitions(start: str, end: str, days: int) -> None:
    assert day_number(date.fromisoformat(start), date.fromisoformat(end), DayCount.THIRTY_360) == days


def test_a_published_waterfall_comes_out_to_the_dollar() -> None:
    # trytentt.com/tools/waterfall-calculator, as it opens: 50 million for five years, 125 million back, 8 % a
    # year compounded, full catch-up, 80/20. It prints 23,466,404 / 5,866,601 / 36,533,596 and 9,133,399.
    run = Run(125_000_000_00, date(2025, 1, 1), [Flow(on=date(2020, 1, 1), contributed=50_000_000_00)])
    steps = run_tiers(run, _waterfall(_preferred(8, day_count=DayCount.THIRTY_360, compounds=True)))
    assert _paid(steps) == [
        (50_000_000_00, 0),
        (23_466_403_84, 0),
        (0, 5_866_600_96),
        (36_533_596_16, 9_133_399_04),
    ]
    assert sum(step.holders for step in steps) == 110_000_000_00
    assert sum(step.sponsor for step in steps) == 15_000_000_00


def test_a_hurdle_asks_for_the_last_payment_of_a_known_return() -> None:
    # The example of XIRR in Microsoft's reference of Excel functions: its result is 0.373362535.
    paid = [("2008-03-01", 2750_00), ("2008-10-30", 4250_00), ("2009-02-15", 3250_00)]
    history = [Flow(on=date.fromisoformat(day), further=amount) for day, amount in paid]
    history.append(Flow(on=date(2008, 1, 1), contributed=10_000_00))
    hurdle = Tier(kind=TierKind.HURDLE, rate=Fraction(373_362_535, 10**9))
    steps = run_tiers(Run(3_000_00, date(2009, 4, 1), history), [hurdle, ALL_OURS])
    assert _paid(steps) == [(2_750_00, 0), (250_00, 0)]


def test_a_hurdle_gives_the_sponsor_its_part_beside_the_holders() -> None:
    history = [Flow(on=date(2025, 1, 1), contributed=1_000_00)]
    hurdle = Tier(kind=TierKind.HURDLE, rate=Fraction(10, 100), holders=Fraction(4, 5))
    tiers = [CAPITAL, hurdle, Tier(kind=TierKind.SPLIT, holders=Fraction(1, 2))]
    steps = run_tiers(Run(1_325_00, date(2026, 1, 1), history), tiers)
    assert _paid(steps) == [(1_000_00, 0), (100_00, 25_00), (100_00, 100_00)]


def test_a_preferred_return_follows_the_capital_that_is_not_returned() -> None:
    history = [
        Flow(on=date(2025, 1, 1), contributed=100_000_00),
        Flow(on=date(2025, 7, 1), returned=40_000_00, preferred=1_000_00),
    ]
    simple = _preferred(6, day_count=DayCount.THIRTY_360)
    first, rest = run_tiers(Run(10_000_00, date(2026, 1, 1), history), [simple, ALL_OURS])
    assert (first.due, first.holders, rest.holders) == (3_800_00, 3_800_00, 6_200_00)
    assert first.working == (
        "2025-01-01 to 2025-07-01: 100,000.00 USD x 6.00 % x 180 days by 30/360 = 3,000.00 USD",
        "2025-07-01 to 2026-01-01: 60,000.00 USD x 6.00 % x 180 days by 30/360 = 1,800.00 USD",
        "accrued less 1,000.00 USD paid before = 3,800.00 USD",
    )


def test_what_is_unpaid_earns_from_its_anniversary_on() -> None:
    history = [Flow(on=date(2024, 2, 29), contributed=1_000_00), Flow(on=date(2025, 8, 28), preferred=100_00)]
    compounded = _preferred(10, day_count=DayCount.THIRTY_360, compounds=True)
    first, _ = run_tiers(Run(500_00, date(2026, 2, 28), history), [compounded, ALL_OURS])
    # 359 days on 1,000 make 99.72; 180 on 1,099.72 make 54.99; 100 is paid; 180 on 1,054.71 make 52.74.
    assert first.due == 107_44


def test_a_partial_catch_up_leads_to_its_target_over_all_profit() -> None:
    history = [Flow(on=date(2025, 1, 1), contributed=1_000_00)]
    tiers = _waterfall(_preferred(8), catch_up=Fraction(1, 2))
    steps = run_tiers(Run(1_500_00, date(2026, 1, 1), history), tiers)
    ours, theirs = sum(s.holders for s in steps[1:]), sum(s.sponsor for s in steps)
    assert _paid(steps)[1:3] == [(80_00, 0), (26_66, 26_67)]
    assert abs(theirs * 5 - (ours + theirs)) <= 5


def test_too_little_money_stops_in_the_tier_that_it_reaches() -> None:
    history = [Flow(on=date(2025, 1, 1), contributed=1_000_00)]
    steps = run_tiers(Run(1_050_00, date(2026, 1, 1), history), _waterfall(_preferred(8)))
    assert _paid(steps) == [(1_000_00, 0), (50_00, 0), (0, 0), (0, 0)]


@pytest.mark.parametrize(
    ("tiers", "rule"),
    [
        ([], "tiers_sum_to_the_distributable_amount"),
        ([CAPITAL], "tiers_sum_to_the_distributable_amount"),
        (
            [Tier(kind=TierKind.CATCH_UP, holders=Fraction(4, 5), target=Fraction(1, 5)), ALL_OURS],
            "catch_up_gets_more_than_its_target",
        ),
    ],
)
def test_tiers_that_do_not_add_up_are_refused(tiers: list[Tier], rule: str) -> None:
    with pytest.raises(Refused, match=rule):
        run_tiers(Run(1_000_01, date(2026, 1, 1), [Flow(on=date(2025, 1, 1), contributed=1_000_00)]), tiers)


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"kind": "gift"},
        {"kind": "split", "holders_bp": 0.5},
        {"kind": "split", "holders_bp": -1},
        {"kind": "split", "holders_bp": 10_001},
        {"kind": "preferred_return", "rate_bp": 10_001},
        {"kind": "catch_up", "holders_bp": 0, "target_bp": -1},
        {"kind": "split", "day_count": "none"},
    ],
)
def test_a_tier_that_is_not_defined_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(Refused, match="tier_is_defined"):
        read_tier(row)


def test_a_hurdle_pays_the_holders() -> None:
    with pytest.raises(Refused, match="hurdle_pays_the_holders"):
        read_tier({"kind": "hurdle", "rate_bp": 800, "holders_bp": 0})


def _oracle(total: int, units: dict[str, int]) -> dict[str, int]:
    """Deal the cents out one by one, each to whom most is missing of its exact part; nothing is divided."""
    mass, dealt = sum(units.values()), dict.fromkeys(units, 0)
    for name, held in units.items():
        while (dealt[name] + 1) * mass <= total * held:
            dealt[name] += 1
    for _ in range(total - sum(dealt.values())):
        most = max(total * units[name] - dealt[name] * mass for name in units)
        name = min(n for n in units if total * units[n] - dealt[n] * mass == most)
        dealt[name] += 1
    return dealt


def _random_tiers(chance: random.Random) -> list[Tier]:
    share = Fraction(chance.randrange(1, 10_001), 10_000)
    target = Fraction(chance.randrange(0, 50), 100)
    tiers = [
        CAPITAL,
        Tier(
            kind=TierKind.PREFERRED_RETURN,
            rate=Fraction(chance.randrange(0, 2_000), 10_000),
            day_count=chance.choice([*DayCount]),
            compounds=chance.random() < 0.5,
        ),
        Tier(kind=TierKind.CATCH_UP, holders=Fraction(chance.randrange(0, 50), 100), target=target),
        Tier(kind=TierKind.HURDLE, holders=share, rate=Fraction(chance.randrange(0, 3_000), 10_000)),
    ]
    return [*chance.sample(tiers, chance.randrange(0, 5)), Tier(kind=TierKind.SPLIT, holders=share)]


def test_ten_thousand_cap_tables_are_paid_to_the_cent() -> None:
    chance = random.Random(1)
    for _ in range(CASES):
        units = {f"hld_{n}": chance.randrange(0, 9) for n in range(chance.randrange(1, 7))}
        units["hld_x"] = chance.randrange(1, 9)
        days = sorted(date(2020, 1, 1).toordinal() + chance.randrange(0, 1_500) for _ in range(3))
        first, second, on = (date.fromordinal(day) for day in days)
        history = [Flow(on=first, contributed=100), Flow(on=second, returned=3, preferred=2, sponsor=1)]
        pool = chance.randrange(0, 300)
        steps = run_tiers(Run(pool, on, history), _random_tiers(chance))
        holders, sponsor = sum(step.holders for step in steps), sum(step.sponsor for step in steps)
        assert holders + sponsor == pool
        assert all(step.due is None or 0 <= step.amount <= step.due for step in steps)
        assert all(step.holders >= 0 and step.sponsor >= 0 for step in steps)
        lines = allocate(holders, units)
        assert sum(lines.values()) + sponsor == pool
        assert lines == _oracle(holders, units)
