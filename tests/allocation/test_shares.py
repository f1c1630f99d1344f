"""Shares in proportion sum exactly, and are those of a second, plain computation."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bookrunner.core.money import allocate
from tests.attack.world import Connect

CALLED = "select id, units from engine.pro_rata(%s, %s, %s, %s)"
Orders = dict[str, int]
MOST = 2**62
small = st.integers(1, 30)
orders_of = st.dictionaries(
    st.text("abcZ09_", min_size=1, max_size=4), small | st.integers(1, MOST), max_size=12
)


def expected(orders: Orders, units: int, minimum: int) -> Orders:
    """Drop the smallest order while its exact share is below the minimum, then share among the others."""
    kept = sorted(orders, key=lambda name: (-orders[name], name))
    while kept:
        mass = sum(orders[name] for name in kept)
        least = orders[kept[-1]]
        if least >= minimum and (mass <= units or least * units >= minimum * mass):
            break
        kept.pop()
    nothing = dict.fromkeys(orders, 0)
    chosen = {name: orders[name] for name in kept}
    if sum(chosen.values()) <= units:
        return nothing | chosen
    return nothing | allocate(units, chosen)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example({"a": 1, "b": 1, "c": 1}, (2, 1), 0)
@example({"a": MOST, "b": MOST}, (MOST, 1), 0)
@example({}, (5, 1), 0)
@example({"a": 500, "b": 500}, (600, 400), 0)
@given(
    orders_of, st.tuples(st.integers(0, 100) | st.integers(0, MOST), st.integers(1, 12)), st.integers(0, 9)
)
def test_shares_are_exact_and_stable(
    shared: Connect, orders: Orders, terms: tuple[int, int], seed: int
) -> None:
    units, minimum = terms
    rows = list(orders.items())
    random.Random(seed).shuffle(rows)
    asked = [[name for name, _ in rows], [ordered for _, ordered in rows], units, minimum]
    shares = dict(shared("owner").execute(CALLED, asked).fetchall())
    assert shares == expected(orders, units, minimum)
    assert sum(shares.values()) <= units
    assert all(share == 0 or minimum <= share <= orders[name] for name, share in shares.items())
    given_to = {name: orders[name] for name, share in shares.items() if share}
    assert sum(shares.values()) == min(units, sum(given_to.values()))
