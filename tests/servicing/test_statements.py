"""What a bank statement says of lines: paid, sent back, and paid under the name of the next try."""

from __future__ import annotations

from bookrunner.adapters.payments import payment_id
from bookrunner.db import Database
from tests.attack.world import Connect
from tests.servicing.paying import payer
from tests.treasury.test_returned_entries import Desktop, moved


def test_a_statement_settles_lines_and_brings_them_back(connect: Connect, database: Database) -> None:
    world, runs = payer(connect, database)
    distribution = world.ready(runs)
    runs.start(world.offering, distribution, actor="usr_first")
    assert len(world.send(distribution)) == 3
    desktop = Desktop(world, database)
    net = dict(world.ask("select disbursement_id, amount_minor from treasury.disbursement"))
    one, two, three = (world.line(n) for n in world.numbers)
    back = moved(net[two], two, credit=True, return_reason="AC04")
    assert desktop.take(moved(net[one], one), moved(net[two], two), back) == 0
    assert desktop.take(moved(net[three] - 1, three)) == 0
    assert world.states() == {
        world.id("ivr", 1): "paid",
        world.id("ivr", 2): "returned",
        world.id("ivr", 3): "paying",
    }
    assert world.ask("select bounce_code from treasury.disbursement where disbursement_id = %s", two) == [
        ("AC04",)
    ]
    world.call("treasury.retry_disbursements", world.offering, distribution, None)
    assert world.send(distribution, "pyo_2") == [two]
    assert desktop.take(moved(net[two], two)) == 0
    assert world.states()[world.id("ivr", 2)] == "paying"
    assert desktop.take(moved(net[two], payment_id(two, 2)), moved(net[three], three)) == 0
    assert set(world.states().values()) == {"paid"}
    world.check()
