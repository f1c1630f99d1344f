"""Effective shares against an exact model, and two shares at once that would close a cycle."""

from __future__ import annotations

import threading
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookrunner.core.ownership import Stake, ultimate_owners
from tests.compliance.conftest import rolled_back

if TYPE_CHECKING:
    from tests.attack.world import Connect, World

NODES = 6
WHOLE = 10_000
Edges = dict[tuple[int, int], int]


@st.composite
def graphs(draw: st.DrawFn) -> Edges:
    """Return shares in basis points from an owned node to an owner; node 0 is the investor, no cycle."""
    left = dict.fromkeys(range(NODES), WHOLE)
    edges: Edges = {}
    for owned, owner in combinations(range(NODES), 2):
        share = draw(st.one_of(st.just(0), st.integers(1, left[owned]) if left[owned] else st.just(0)))
        if share:
            edges[owned, owner] = share
            left[owned] -= share
    return edges


def model(edges: Edges) -> dict[int, Fraction]:
    """Return the share of each node in the investor, multiplied along paths and added over them."""
    reached = {0: Fraction(1)}
    for owner in range(1, NODES):
        paths = [
            reached[owned] * Fraction(edges[owned, owner], WHOLE)
            for owned in reached
            if (owned, owner) in edges
        ]
        if paths:
            reached[owner] = sum(paths, Fraction(0))
    del reached[0]
    return reached


def node(number: int) -> str:
    return f"ent_{number}" if number else "ivr_book1"


def open_nodes(connection: psycopg.Connection, investor: str) -> None:
    declare = "select compliance.declare_owner('u', 'r', %s, %s, 0, false, true, 'entity')"
    connection.execute(
        "select compliance.open_case('u', 'r', %s, %s, 'entity')", [investor, f"kyc_{investor}"]
    )
    for number in range(1, NODES):
        connection.execute(declare, [investor, node(number)])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graphs())
def test_effective_shares_equal_the_model(world: World, edges: Edges) -> None:
    with rolled_back(world) as connection:
        open_nodes(connection, "ivr_book1")
        for (owned, owner), share in edges.items():
            connection.execute(
                "select compliance.declare_share('u', 'r', 'ivr_book1', %s, %s, %s, %s)",
                [f"shr_{owned}_{owner}", node(owned), node(owner), share],
            )
        rows = connection.execute("select * from compliance.effective_shares('ivr_book1')").fetchall()
        found = {who: Fraction(share) / WHOLE for who, share in rows}
        assert found == {node(number): share for number, share in model(edges).items()}
        stakes = [Stake(node(a), node(b), Fraction(share, WHOLE)) for (b, a), share in edges.items()]
        in_the_end = {owner.owner: owner.share for owner in ultimate_owners(stakes, node(0))}
        above = {owned for owned, _ in edges}
        assert (
            in_the_end
            == {node(number): share for number, share in model(edges).items() if number not in above}
            == {who: share for who, share in found.items() if who in in_the_end}
        )
        behind = connection.execute("select owner_id from compliance.people_behind('ivr_book1')").fetchall()
        assert {who for (who,) in behind} == {who for who, share in found.items() if share >= Fraction(1, 4)}


def test_two_shares_at_once_cannot_close_a_cycle(shared: Connect) -> None:
    first, second = shared("compliance"), shared("compliance")
    declare = "select compliance.declare_share('u', 'r', 'ivr_book9', %s, %s, %s, 5000)"
    refused: list[str | None] = []

    def close() -> None:
        try:
            second.execute(declare, ["shr_y", "ent_2", "ent_1"])
        except psycopg.Error as fault:
            refused.append(fault.diag.constraint_name)

    open_nodes(first, "ivr_book9")
    closing = threading.Thread(target=close)
    with first.transaction():
        first.execute(declare, ["shr_x", "ent_1", "ent_2"])
        closing.start()
        closing.join(0.5)
        assert closing.is_alive()
    closing.join()
    assert refused == ["ownership_has_no_cycle"]
