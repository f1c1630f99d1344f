"""What a bank statement says of lines: paid, sent back, and paid under the name of the next try."""

from __future__ import annotations

import pytest

from bookrunner.adapters.payments import payment_id
from bookrunner.db import Database
from tests.attack.world import Connect
from tests.servicing.paying import DAY, POOL, payer
from tests.treasury.escrow import refused
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


@pytest.mark.parametrize("is_started", [False, True])
def test_a_bank_takes_the_money_of_a_distribution_back(
    connect: Connect, database: Database, *, is_started: bool
) -> None:
    world, runs = payer(connect, database)
    distribution = world.ready(runs)
    if is_started:
        runs.start(world.offering, distribution, actor="usr_first")
    assert Desktop(world, database).take(moved(POOL, "e2e-issuer", return_reason="AC04")) == 0
    assert world.receipt("rcp_issuer") == "returned"
    assert world.balance(f"liab:distribution_funds:{distribution}") == 0
    assert world.balance("asset:clawback_receivable") == (POOL if is_started else 0)
    if not is_started:
        with refused("distribution_is_funded_before_it_is_paid"):
            world.call("engine.start_distribution", world.offering, distribution)
        return
    # No other money of the escrow pays the holders meanwhile.
    assert world.send(distribution) == []
    with refused("payout_has_its_money"):
        world.call("treasury.store_disbursements", world.offering, "pyo_1", b"bytes", [world.line(1)])
    world.call("treasury.record_recovery", world.offering, "rcp_issuer", POOL, DAY)
    assert len(world.send(distribution)) == 3
    world.check()


def test_an_order_is_not_handed_over_from_money_that_went_back(connect: Connect, database: Database) -> None:
    world, runs = payer(connect, database)
    distribution = world.ready(runs)
    runs.start(world.offering, distribution, actor="usr_first")
    with world.login("treasury").transaction():
        taken = world.call("treasury.take_disbursements", world.offering, distribution, 100)
        lines = [line["refund"] for line in taken]
        world.call("treasury.store_disbursements", world.offering, "pyo_1", b"bytes", lines)
    assert Desktop(world, database).take(moved(POOL, "e2e-issuer", return_reason="AC04")) == 0
    with refused("payout_goes_to_nobody_held"):
        world.call("treasury.take_payout", world.offering, "pyo_1")
    world.call("treasury.withdraw_payout", world.offering, "pyo_1")
    assert set(world.states().values()) == {"owed"}
    world.check()
