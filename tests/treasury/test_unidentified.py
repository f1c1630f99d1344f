"""Money that nobody owns has an owner of its queue, an age and a day on which it goes back by itself."""

from __future__ import annotations

from datetime import date

import pytest

from bookrunner.books import treasury
from bookrunner.core import clock
from bookrunner.db import Database
from tests.attack.world import Connect
from tests.treasury.escrow import Escrow, refused

BOOKED = "2026-01-05"
# Ten banking days on: Monday the 19th is the birthday of Martin Luther King, Jr.
DUE = date(2026, 1, 20)


@pytest.fixture
def world(connect: Connect) -> Escrow:
    """Return an offer with one stray wire, one without a known source and one that somebody works on."""
    world = Escrow(connect)
    world.build("instructed")
    stray = {"reference": None, "booked_on": BOOKED}
    world.pay(
        "strays",
        world.entry(1, **stray),
        world.entry(2, **stray | {"fingerprint": None}),
        world.entry(3, **stray),
        world.entry(1, id="rcp_late", key="late", **stray | {"booked_on": "2026-01-06"}),
    )
    return world


def propose(world: Escrow) -> None:
    ((seen,),) = world.ask("select version from treasury.receipt where receipt_id = %s", world.id("rcp", 3))
    values = ["prp_1", "match", world.id("rcp", 3), world.id("inv", 3), "its owner called", seen]
    world.call("treasury.propose_act", world.offering, *values)


def give_back(world: Escrow, on: date, most: int = 10) -> int:
    returned: int = world.call("treasury.return_unidentified", world.offering, on, most)
    return returned


def test_what_nobody_owned_goes_back_on_its_day_and_once(world: Escrow) -> None:
    propose(world)
    assert give_back(world, date(2026, 1, 16)) == 0
    assert give_back(world, DUE) == 1
    assert give_back(world, DUE) == 0
    assert world.ask("select receipt_id, reason, status from treasury.refund") == [
        (world.id("rcp", 1), "unidentified", "created")
    ]
    assert world.balance("liab:refund_payable") == world.entry(1)["amount"]
    world.check()


def test_the_queue_says_since_when_whose_and_until_when(world: Escrow) -> None:
    receipt = world.id("rcp", 1)
    question = (
        "select owner, goes_back_on, waits_since is not null from treasury.waiting where receipt_id = %s"
    )
    assert world.ask(question, receipt) == [("usr_first", DUE, True)]
    world.call("treasury.give_receipt", world.offering, receipt, "usr_night")
    world.call("treasury.give_receipt", world.offering, receipt, "usr_day")
    assert world.ask(question, receipt) == [("usr_day", DUE, True)]
    with refused("receipt_owner_is_named"):
        world.call("treasury.give_receipt", world.offering, receipt, " ")
    give_back(world, DUE)
    with refused("owned_receipt_waits"):
        world.call("treasury.give_receipt", world.offering, receipt, "usr_day")


def test_nothing_goes_back_outside_of_its_offers_turn(world: Escrow) -> None:
    owner, keeper = world.login("owner"), world.login("treasury")
    with owner.transaction():
        owner.execute("select treasury.take_turn(%s)", (world.offering,))
        keeper.execute("set lock_timeout = '200ms'")
        with refused("55P03"):
            give_back(world, DUE)
    keeper.execute("reset lock_timeout")
    assert give_back(world, DUE) == 2


def test_no_day_to_come_sends_anything_back(world: Escrow) -> None:
    with refused("return_day_has_come"):
        give_back(world, date(2999, 1, 1))


def test_the_worker_returns_in_every_offer(world: Escrow, database: Database) -> None:
    keeper = treasury.keeper(database)
    assert treasury.return_due(keeper, clock.today()) == 3
    assert treasury.return_due(keeper, clock.today()) == 0
    assert world.receipt(world.id("rcp", 2)) == "unmatched"


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("'2999-01-01', 0, 'policy', 'a', 'b'", "unidentified_term_is_a_length_of_time"),
        ("'2999-01-01', 5, ' ', 'a', 'b'", "unidentified_term_names_its_source"),
        ("'2999-01-01', 5, 'policy', 'a', 'a'", "unidentified_term_needs_two_people"),
    ],
)
def test_a_term_is_a_rule_of_two_people(world: Escrow, values: str, rule: str) -> None:
    with refused(rule):
        world.login("owner").execute(f"insert into treasury.unidentified_term values ({values})".encode())  # noqa: S608
