"""The timeline of a person follows what names them: both sides of a transfer, money on its way back."""

from __future__ import annotations

import pytest

from bookrunner.app.lists import Filter, listed
from bookrunner.db import Database
from tests.attack.world import Connect, World, digest
from tests.registry.test_board import Board
from tests.registry.test_transfer_machines import observe
from tests.treasury.escrow import PRICE, Escrow


@pytest.fixture
def board(connect: Connect, database: Database) -> Board:
    return Board(World(connect).build("registered"), database)


def kinds(database: Database, person: str) -> set[str]:
    found = listed(database, "timeline", Filter(person=person))
    assert found.gaps == []
    return {row["kind"].partition(".")[0] for row in found.rows}


def test_both_sides_of_a_match_have_it_and_nobody_else(board: Board, database: Database) -> None:
    board.match(board.post(2))
    for person in (board.seller, board.buyer):
        assert {"interest", "transfer_request"} <= kinds(database, person)
    assert not {"interest", "transfer_request"} & kinds(database, board.world.id("ivr", 1))


def test_an_observed_transfer_is_of_both_holders(board: Board, database: Database) -> None:
    assert observe(board, "lone", board.world.address(3), digest("wallet taker")[:20])
    for person in (board.seller, board.buyer):
        assert "observed_transfer" in kinds(database, person)


def test_money_on_its_way_back_is_of_its_payer(connect: Connect, database: Database) -> None:
    world = Escrow(connect).build("instructed")
    world.pay("first", world.entry(1, amount=PRICE + 500))
    assert {"receipt", "refund"} <= kinds(database, world.id("ivr", 1))
    assert "refund" not in kinds(database, world.id("ivr", 2))
