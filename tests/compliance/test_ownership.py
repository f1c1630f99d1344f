"""Effective shares against an exact model, and two shares at once that would close a cycle."""

from __future__ import annotations

import threading
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
        behind = connection.execute("select owner_id from compliance.people_behind('ivr_book1')").fetchall()
        assert {who for (who,) in behind} == {who for who, share in found.items() if share >= Fraction(1, 4)}


def blocked_model(edges: Edges, blocked: set[int]) -> set[int]:
    """Return the nodes that are blocked in the end, owners first: every owner has a higher number."""
    for owned in reversed(range(NODES)):
        if sum(edges.get((owned, owner), 0) for owner in blocked) * 2 >= WHOLE:
            blocked = blocked | {owned}
    return blocked


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graphs(), st.sets(st.integers(1, NODES - 1)))
def test_what_blocked_owners_hold_half_of_is_blocked(world: World, edges: Edges, blocked: set[int]) -> None:
    with rolled_back(world) as connection:
        open_nodes(connection, "ivr_book1")
        for (owned, owner), share in edges.items():
            connection.execute(
                "select compliance.declare_share('u', 'r', 'ivr_book1', %s, %s, %s, %s)",
                [f"shr_{owned}_{owner}", node(owned), node(owner), share],
            )
        for number in blocked:
            confirm(connection, node(number))
        row = connection.execute("select compliance.blocked_behind('ivr_book1')").fetchone()
        assert row is not None
        assert set(row[0]) == {node(number) for number in blocked_model(edges, blocked)}


def confirm(connection: psycopg.Connection, subject: str) -> None:
    """Confirm a match of a subject, by two people."""
    connection.execute(
        "select compliance.record_screening('u', 'r', %s, %s, 'list-1', %s)",
        [subject, f"scr_{subject}", f"sdn-{subject}"],
    )
    row = connection.execute("select hit_id from compliance.hit where subject_id = %s", [subject]).fetchone()
    assert row is not None
    connection.execute(
        "select compliance.decide_under('one', 'r', compliance.programme_in_force()),"
        " compliance.decide_hit('one', 'r', %s, %s, 'confirmed', 'the same', 1)",
        [subject, row[0]],
    )
    connection.execute(
        "select compliance.decide_under('two', 'r', compliance.programme_in_force()),"
        " compliance.second_hit('two', 'r', %s, %s, true, 'the same', 2)",
        [subject, row[0]],
    )


@pytest.mark.parametrize(
    ("shares", "is_locked"),
    [
        ({"own_1": 2000, "own_2": 2000, "own_3": 1000}, True),
        ({"own_1": 2000, "own_2": 2000, "own_3": 999}, False),
    ],
)
def test_small_blocked_owners_lock_a_clearance_together(
    world: World, shares: dict[str, int], *, is_locked: bool
) -> None:
    """None of them reaches the 25 percent at which an owner must be known."""
    with rolled_back(world) as connection:
        connection.execute("select compliance.open_case('u', 'r', 'ivr_book1', 'kyc_1', 'entity')")
        connection.execute("select compliance.open_clearance('u', 'r', 'ofr_book', 'clr_1', 'ivr_book1')")
        for owner, share in shares.items():
            connection.execute(
                "select compliance.declare_owner('u', 'r', 'ivr_book1', %s, %s, false, true)", [owner, share]
            )
            confirm(connection, owner)
        row = connection.execute("select lacks from compliance.clearance").fetchone()
        assert row is not None
        assert ("blocked_owners_hold_less_than_half" in row[0]) == is_locked
        assert "sanctions_are_clear" not in row[0]
        assert connection.execute("select count(*) from compliance.sanctions_report").fetchone() == (3,)
        connection.execute("select compliance.end_share('u', 'r', 'ivr_book1', 'shr_own_1')")
        row = connection.execute("select lacks from compliance.clearance").fetchone()
        assert row is not None
        assert "blocked_owners_hold_less_than_half" not in row[0]


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
