"""Units that are instructed while a refund waits for its lock keep their money."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.attack.rights import kept
from tests.attack.test_illegal_statements import NAMED
from tests.attack.world import Connect
from tests.treasury.escrow import Escrow

_WAITING = """
select count(*) from pg_stat_activity
where wait_event_type = 'Lock' and query like '%refund_ended%' and pid <> pg_backend_pid()
"""
_INSTRUCTED = """
update engine.position set issuance = 'instructed', issuance_is_stopped = true
where investment_id = 'inv_one1'
"""


def test_no_money_leaves_that_units_were_instructed_for(connect: Connect) -> None:
    world = Escrow(connect).build("funded")
    world.call("engine.move_offer", world.offering, "closed_unsuccessfully")
    registry, watcher = connect("admin"), world.login("admin")
    with ThreadPoolExecutor(1) as pool:
        with kept(registry, "registry"):
            registry.execute(NAMED.encode())
            registry.execute(_INSTRUCTED.encode())
            refunded = pool.submit(world.call, "treasury.refund_ended", world.offering, None, 10)
            for _ in range(200):
                if watcher.execute(_WAITING.encode()).fetchone() == (1,):
                    break
                time.sleep(0.05)
            else:
                raise AssertionError("the refund never waited")
        assert refunded.result() == len(world.numbers) - 1
    assert (world.receipt("rcp_one1"), world.receipt("rcp_one2")) == ("cleared", "refunding")
    world.check()
