"""What the process proposes, a person decides through the API."""

from __future__ import annotations

from bookrunner.api import api
from bookrunner.db import Database, Endpoint
from bookrunner.engine import Desk, Process
from tests.api.conftest import Api
from tests.attack.world import Connect, World
from tests.serving import serving


def test_an_allocation_that_the_process_proposed_is_approved(
    endpoint: Endpoint, database: Database, connect: Connect
) -> None:
    world = World(connect).build("signed")
    Process(Desk(database)).drain()
    row = (
        world.login("owner")
        .execute("select approval_id from subscription.allocation_approval where investment_id = 'inv_one1'")
        .fetchone()
    )
    assert row is not None
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        path = f"/v1/investments/inv_one1/allocations/{row[0]}/approve"
        answer = calls.post(path, keeper="subscription", seen='"1"')
        assert (answer.status_code, answer.json()["status"]) == (200, "approved")
