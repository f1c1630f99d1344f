"""A delivery with two attempts: whichever comes through, its lines are posted once and belong to it."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.attack.world import PRICE, World, digest

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


def test_an_attempt_that_stands_after_all_has_the_lines(world: World, connect: Connect) -> None:
    """The first attempt carried them, both were dropped, and the chain holds the second."""
    assert world.call("registry.drop_intent", world.offering, "txn_second", "stp_1")
    world.call("registry.find_again", world.offering, "stp_1", "txn_second")
    assert world.call("registry.drop_intent", world.offering, "txn_second", "stp_2"), "a second time"
    world.call("registry.find_again", world.offering, "stp_2", "txn_second")
    assert _finalize(world, "txn_second") == 2
    assert connect("owner").execute(LINES).fetchall() == [("txn_second", "posted")]


def test_nothing_is_freed_while_the_bytes_may_be_mined(world: World, connect: Connect) -> None:
    world.call("registry.drop_intent", world.offering, "txn_second", "stp_1")
    world.call("registry.propose_start", world.offering, "stp_1", "nothing was found")
    with pytest.raises(psycopg.Error) as refused:
        world.call("registry.start_key", world.offering, "stp_1", 0, actor="usr_second")
    assert refused.value.diag.constraint_name == "dropped_nonce_is_spent"
    assert connect("owner").execute(LINES).fetchall() == [("txn_twice", "submitted")]
    world.call("registry.start_key", world.offering, "stp_1", 1, actor="usr_second")
    assert connect("owner").execute(LINES).fetchall() == [("txn_twice", "stopped")]


class _OneHolder(World):
    """Two investments of one investor."""

    def id(self, prefix: str, number: int) -> str:
        return super().id(prefix, 1 if prefix == "ivr" else number)

    def _of_the_holder(self, step: str) -> None:
        both, self.numbers = self.numbers, range(1, 2)
        getattr(super(), step)()
        self.numbers = both

    def profiled(self) -> None:
        self._of_the_holder("profiled")

    def cleared(self) -> None:
        self._of_the_holder("cleared")

    def linked(self) -> None:
        self._of_the_holder("linked")

    def instructed(self) -> None:
        source = [self.id("ivr", 1), self.id("src", 1), digest(f"account {self.id('ivr', 1)}")]
        self.call("treasury.approve_source", *source)
        for n in self.numbers:
            asked = [self.id("pay", n), self.id("inv", n), f"RF{n:014}", n * PRICE, "USD"]
            self.call("treasury.release_instructions", self.offering, *asked)


def test_two_lines_for_one_wallet_are_two_postings(connect: Connect) -> None:
    world = _OneHolder(connect, "pair", 2).build("registered")
    owner = connect("owner")
    found = owner.execute(b"select units, ordinal from registry.posting order by units").fetchall()
    assert found == [(1, 0), (2, 1)]
    held = owner.execute(b"select investor_id, units from registry.holding").fetchall()
    assert held == [(world.id("ivr", 1), 3)]
