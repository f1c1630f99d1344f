"""A closing waits for the breaks of its set, and the worker compares what events touched."""

from __future__ import annotations

import pytest

from bookrunner.api import api
from bookrunner.app import Application
from bookrunner.core.errors import Refused
from bookrunner.db import Endpoint
from tests.api.conftest import Api, problem
from tests.attack.world import Connect, World
from tests.reconciliation.conftest import Books
from tests.serving import serving

BREAKS = "select kind, owner, status from reconciliation.break order by kind"


def spoilt(world: World, number: int, units: int) -> None:
    """Change an approval past every verb."""
    admin = world.login("admin")
    with admin.transaction():
        admin.execute("alter table subscription.allocation_approval disable trigger all")
        admin.execute(
            "update subscription.allocation_approval set units = %s where approval_id = %s",
            [units, world.id("alc", number)],
        )
        admin.execute("alter table subscription.allocation_approval enable trigger all")
        for trigger in ("zz_guard", "aa_never_deleted", "aa_never_truncated"):
            admin.execute(
                f"alter table subscription.allocation_approval enable always trigger {trigger}".encode()
            )


def test_a_closing_waits_for_a_break_of_its_set_alone(connect: Connect, application: Application) -> None:
    world = Books(connect).build("linked")
    spoilt(world, 1, 2)
    application.comparing.without_chain(world.offering, actor="recon.rita")
    rows = world.login("owner").execute(BREAKS).fetchall()
    assert ("units_are_not_the_approved_ones", "subscription", "open") in rows
    closing = (world.offering, world.closing)
    freeze = application.desk.engine.freeze_closing
    ask = {"actor": "usr_1", "offering": closing[0], "closing": closing[1]}
    spoilt(world, 1, 1)
    with pytest.raises(Refused) as refused:
        freeze(**ask, investments=[world.id("inv", 1), world.id("inv", 2)])
    assert refused.value.rule == "closing_set_has_no_blocking_break"
    assert freeze(**ask, investments=[world.id("inv", 2)]) == 1


def runs(world: Books) -> int:
    """Return how many comparisons there were."""
    found = world.login("owner").execute("select count(*) from reconciliation.run").fetchone()
    assert found is not None
    return int(found[0])


def test_a_closing_over_the_api_is_compared_first(
    connect: Connect, application: Application, endpoint: Endpoint
) -> None:
    world = Books(connect).build("linked")
    spoilt(world, 1, 2)
    app = api(application.database)
    app.state.compare = application.comparing.before_closing
    with serving(app) as url:
        calls, path = Api(url, endpoint, world), f"/v1/offers/{world.offering}/closings"
        seen = calls.post(f"{path}/dry_run").headers["etag"]
        body = {"members": [world.id("inv", 1), world.id("inv", 2)]}
        foreign = calls.post(path, body, keeper="treasury", seen=seen)
        assert foreign.status_code == 403
        assert world.login("owner").execute(BREAKS).fetchall() == [], "nobody who may not close compares"
        refused = calls.post(path, body, seen=seen)
        assert refused.status_code == 409
        found = ("units_are_not_the_approved_ones", "subscription")
        assert (*found, "open") in world.login("owner").execute(BREAKS).fetchall()
        unknown = calls.post("/v1/offers/ofr_none/closings", body, seen=seen)
        assert problem(unknown)["code"] == "offer_exists"
        spoilt(world, 1, 1)
        frozen = calls.post(path, body, seen=seen, request="close-1")
        assert (frozen.status_code, frozen.json()["members"]) == (201, 2), frozen.text
        compared = runs(world)
        again = calls.post(path, body, seen=seen, request="close-1")
        assert (again.json(), again.headers["idempotent-replayed"]) == (frozen.json(), "true")
        other = calls.post(path, {"members": "all"}, seen=seen, request="close-1")
        assert problem(other)["code"] == "request_key_has_one_body"
        assert calls.post(path, body, seen=seen).status_code == 412
        assert runs(world) == compared, "what freezes nothing compares nothing"
        assert (*found, "verified") in world.login("owner").execute(BREAKS).fetchall()


def test_a_worker_compares_what_events_touch(connect: Connect, application: Application) -> None:
    world = Books(connect).build("received")
    application.tend()
    assert world.login("owner").execute(BREAKS).fetchall() == []
    spoilt(world, 3, 2)
    application.tend()
    assert world.login("owner").execute(BREAKS).fetchall() == [], "no event touched it"
    runs = world.login("owner").execute("select count(*) from reconciliation.run").fetchone()
    world.revoke(3)
    application.tend()
    rows = world.login("owner").execute(BREAKS).fetchall()
    assert ("units_are_not_the_approved_ones", "subscription", "open") in rows
    seen = world.login("owner").execute(
        "select is_whole, compared from reconciliation.run order by started_at"
    )
    assert seen.fetchall()[runs[0] :] == [(False, 2)], "one investment and its investor, and no whole run"
    spoilt(world, 3, 3)
    world.call("portal.require_correction", world.id("ivr", 3))
    application.tend()
    rows = world.login("owner").execute(BREAKS).fetchall()
    assert ("units_are_not_the_approved_ones", "subscription", "verified") in rows


def test_the_cadence_follows_the_phase(connect: Connect, application: Application) -> None:
    world = Books(connect).build("published")
    owner = world.login("owner")
    due = "select phase, every, is_due, is_missed from reconciliation.due"

    def age(days: int) -> None:
        with owner.transaction():
            owner.execute("alter table engine.offer disable trigger user")
            owner.execute(
                "update engine.offer set published_at = clock_timestamp() - make_interval(days => %s)", [days]
            )

    assert [str(row[0]) for row in owner.execute(due).fetchall()] == ["raising"]
    for days, is_due, is_missed in ((6, False, False), (8, True, False), (9, True, True)):
        age(days)
        ((phase, every, *told),) = owner.execute(due).fetchall()
        assert (phase, every.days, *told) == ("raising", 7, is_due, is_missed)
    assert application.comparing.keep_cadence() == 1
    assert owner.execute(BREAKS).fetchall() == [("run_was_missed", "reconciliation", "open")]
