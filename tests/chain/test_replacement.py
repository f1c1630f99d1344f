"""A delivery with two attempts: whichever comes through, its lines are posted once and belong to it."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.attack.world import World, digest

Connect = Callable[[str], psycopg.Connection]
STATES = b"select transaction_id, status from registry.chain_transaction order by attempt_no"
LINES = b"select distinct transaction_id, status from registry.issuance_instruction"


@pytest.fixture
def world(connect: Connect) -> World:
    """Return an offering whose delivery was sent twice."""
    built = World(connect, "twice", 2).build("submitted")
    second = {"id": "txn_second", "max_fee": 4 * 10**9, "priority_fee": 2 * 10**9}
    second |= {"hash": digest("second").hex(), "raw": "02"}
    assert built.call("registry.record_replacement", built.offering, "txn_twice", second) is True
    return built


def _finalize(world: World, transaction: str) -> int:
    delivered = [{"address": world.address(n).hex(), "units": n, "ordinal": n - 1} for n in world.numbers]
    block = {"number": 5, "hash": digest("block").hex(), "incarnation": digest("genesis").hex()}
    posted: int = world.call("registry.finalize", world.offering, transaction, block, delivered)
    return posted


@pytest.mark.parametrize(("winner", "loser"), [("txn_twice", "txn_second"), ("txn_second", "txn_twice")])
def test_the_attempt_that_came_through_has_the_lines(
    world: World, connect: Connect, winner: str, loser: str
) -> None:
    assert _finalize(world, winner) == 2
    owner = connect("owner")
    assert dict(owner.execute(STATES).fetchall()) == {winner: "final", loser: "replaced"}
    assert owner.execute(LINES).fetchall() == [(winner, "posted")]
    ((postings,),) = owner.execute(b"select count(*) from registry.posting").fetchall()
    assert postings == 2
    assert _finalize(world, winner) == 0, "a second worker posts nothing"


def test_an_attempt_that_was_replaced_never_becomes_final(world: World) -> None:
    _finalize(world, "txn_second")
    with pytest.raises(psycopg.Error) as refused:
        _finalize(world, "txn_twice")
    assert refused.value.diag.constraint_name == "transition_is_listed_for_the_keeper"


@pytest.mark.parametrize("winner", ["txn_twice", "txn_second"])
def test_the_lines_of_a_refused_delivery_are_free_whichever_attempt_came_through(
    world: World, connect: Connect, winner: str
) -> None:
    world.call("registry.record_revert", world.offering, winner, "the chain refused it")
    owner = connect("owner")
    assert owner.execute(LINES).fetchall() == [(winner, "stopped")]
    assert owner.execute(b"select distinct issuance from engine.position").fetchall() == [("open",)]


def test_no_further_attempt_is_stored_once_one_came_through(world: World) -> None:
    _finalize(world, "txn_second")
    third = {
        "id": "txn_third",
        "max_fee": 8 * 10**9,
        "priority_fee": 4 * 10**9,
        "hash": "11" * 32,
        "raw": "03",
    }
    assert world.call("registry.record_replacement", world.offering, "txn_second", third) is False
