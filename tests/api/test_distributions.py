"""Distributions over the API: whoever may reads them, another person decides on the version that it saw."""

from __future__ import annotations

from bookrunner.api import api
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem
from tests.attack.world import Connect
from tests.servicing.paying import payer, pool
from tests.serving import serving

PATH = "/v1/offers/ofr_one/distributions"


def test_another_person_decides_on_what_it_read(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    world, runs = payer(connect, database)
    name = runs.draft(world.offering, pool(900_00, [("roof", 1_00)]), actor="usr_first")
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        (listed,) = calls.get(PATH, "treasury").json()["distributions"]
        one = calls.get(f"{PATH}/{name}", "audit")
        assert (one.json(), one.headers["etag"]) == (listed, '"1"')
        assert listed["distributed"] == {"amount": "899.00", "currency": "USD"}
        assert listed["tiers"][0]["working"] == ["whatever is left"]
        lines = calls.get(f"{PATH}/{name}/lines?limit=2", "engine").json()
        rest = calls.get(f"{PATH}/{name}/lines?cursor={lines['next']}", "engine").json()
        both = [*lines["lines"], *rest["lines"]]
        assert {each["investor"] for each in both} == {"ivr_one1", "ivr_one2", "ivr_one3"}
        assert {each["status"] for each in both} == {"entitled"}
        decide = f"{PATH}/{name}/decisions"
        said = {"decision": "approved"}
        assert problem(calls.get(PATH, "registry"))["code"] == "key_serves_this_keeper"
        assert problem(calls.post(decide, said, seen='"9"'))["status"] == 412
        waits = "payees_are_screened_before_approval"
        assert problem(calls.post(decide, said, seen='"1"'))["code"] == waits
        world.screen()
        assert calls.post(decide, said, seen='"1"', request="once").json()["status"] == "approved"
        again = calls.post(decide, said, seen='"1"', request="once")
        assert (again.json()["version"], again.headers["idempotent-replayed"]) == ("2", "true")
        assert problem(calls.post(decide, {"decision": "cancelled"}, seen='"2"'))["status"] in {400, 422}
        end = {"decision": "cancelled", "because": "another day"}
        assert calls.post(decide, end, seen='"2"').json()["status"] == "cancelled"
        assert problem(calls.get(f"{PATH}/dst_none", "treasury"))["code"] == "distribution_exists"
    assert calls.events(name) == ["distribution.drafted", "distribution.approved", "distribution.cancelled"]
