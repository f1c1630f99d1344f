"""The issuer's money of a distribution: what was taken, what a bank took back, what may leave on it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from bookrunner.api import api
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api
from tests.attack.world import Connect
from tests.servicing.paying import DAY, POOL, Payer, payer
from tests.serving import serving
from tests.treasury.escrow import refused
from tests.treasury.test_returned_entries import Desktop, moved

_SUMS = ("funded_minor", "taken_back_minor", "receivable_minor")
_WAITING = """
select count(*) from pg_stat_activity
where wait_event_type = 'Lock' and query like '%take_payout%' and pid <> pg_backend_pid()
"""


def _shown(value: int) -> dict[str, str]:
    return {"amount": f"{value // 100}.{value % 100:02}", "currency": "USD"}


@pytest.mark.parametrize("is_started", [False, True])
def test_what_a_bank_took_back_is_shown_beside_what_was_funded(
    connect: Connect, database: Database, endpoint: Endpoint, *, is_started: bool
) -> None:
    world, runs = payer(connect, database)
    name = world.ready(runs)

    def sums() -> tuple[int, ...]:
        row = runs.standing(world.offering, name)
        return tuple(row[each] for each in _SUMS)

    assert sums() == (POOL, 0, 0)
    if is_started:
        runs.start(world.offering, name, actor="usr_first")
    assert Desktop(world, database).take(moved(POOL, "e2e-issuer", return_reason="AC04")) == 0
    open_minor = POOL if is_started else 0
    assert sums() == (POOL, POOL, open_minor)
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        told = calls.get(f"/v1/offers/{world.offering}/distributions/{name}", "treasury").json()
    assert (told["funded"], told["taken_back"], told["receivable"]) == (
        _shown(POOL),
        _shown(POOL),
        _shown(open_minor),
    )
    if not is_started:
        world.fund(name, name="issuer_again")
        assert sums() == (2 * POOL, POOL, 0)
        assert runs.start(world.offering, name, actor="usr_first") == 3
        return
    world.call("treasury.record_recovery", world.offering, "rcp_issuer", POOL - 1, DAY)
    assert sums() == (POOL, POOL, 1)
    world.call("treasury.record_recovery", world.offering, "rcp_issuer", 1, DAY)
    assert sums() == (POOL, POOL, 0)
    world.check()


def _stored(world: Payer, distribution: str) -> None:
    taken = world.call("treasury.take_disbursements", world.offering, distribution, 100)
    lines = [line["refund"] for line in taken]
    world.call("treasury.store_disbursements", world.offering, "pyo_1", b"bytes", lines)


def test_no_order_leaves_while_its_money_is_taken_back(connect: Connect, database: Database) -> None:
    world, runs = payer(connect, database)
    distribution = world.ready(runs)
    runs.start(world.offering, distribution, actor="usr_first")
    _stored(world, distribution)
    bank, watcher = connect("treasury"), world.login("admin")
    returned = "select treasury.record_return('usr_first', 'req_back', %s, 'rcp_issuer', 'AC04', %s, true)"
    with ThreadPoolExecutor(1) as pool:
        with bank.transaction():
            bank.execute(returned.encode(), [world.offering, DAY])
            taken = pool.submit(world.call, "treasury.take_payout", world.offering, "pyo_1")
            for _ in range(200):
                if taken.done() or watcher.execute(_WAITING.encode()).fetchone() == (1,):
                    break
                time.sleep(0.05)
            assert not taken.done(), "bytes were given out beside a return that nobody had seen"
        with refused("payout_goes_to_nobody_held"):
            taken.result()


def test_a_return_waits_until_an_order_that_leaves_has_left(connect: Connect, database: Database) -> None:
    world, runs = payer(connect, database)
    distribution = world.ready(runs)
    runs.start(world.offering, distribution, actor="usr_first")
    _stored(world, distribution)
    desk, bank = world.login("treasury"), connect("treasury")
    with desk.transaction():
        assert bytes(world.call("treasury.take_payout", world.offering, "pyo_1")) == b"bytes"
        bank.execute(b"set lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            bank.execute(
                b"select treasury.record_return('usr_first', 'req_back', %s, 'rcp_issuer', 'AC04', %s, true)",
                [world.offering, DAY],
            )
        world.call("treasury.mark_handed_over", world.offering, "pyo_1", "ack")
    assert Desktop(world, database).take(moved(POOL, "e2e-issuer", return_reason="AC04")) == 0
    assert set(world.states().values()) == {"paying"}
    assert runs.standing(world.offering, distribution)["receivable_minor"] == POOL
    world.check()
