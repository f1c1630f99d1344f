"""The clock closes what has lapsed, and the process answers."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg

from bookrunner.adapters.identity import IdentityEvent, Outcome, VerifiedMessage
from bookrunner.app import Application
from bookrunner.core import clock
from bookrunner.db import Database
from bookrunner.engine import Desk, Process
from bookrunner.engine.intake import record_identities
from tests.attack.world import World, digest

Connect = Callable[[str], psycopg.Connection]
SECONDS = 5


def test_a_lapsed_identity_holds_what_is_in_flight(database: Database, connect: Connect) -> None:
    world = World(connect, "lapse", 2).build("prepared")
    process = Process(Desk(database))
    process.drain()
    owner = world.login("owner")
    row = owner.execute(
        "select detail_digest from portal.profile where investor_id = 'ivr_lapse1'"
    ).fetchone()
    assert row is not None
    soon = owner.execute("select clock_timestamp() + make_interval(secs => %s)", [SECONDS]).fetchone()
    assert soon is not None
    world.call("compliance.record_identity", "ivr_lapse1", "approved", digest("e"), row[0], soon[0])
    assert process.expire() == 0
    gate = (
        "select engine.holds(p) & 2, issuance_is_stopped, clearance_lacks from engine.position p order by 1"
    )
    assert [r[0] for r in owner.execute(gate.encode()).fetchall()] == [2, 2]
    time.sleep(SECONDS)
    assert [r[0] for r in owner.execute(gate.encode()).fetchall()] == [0, 2]
    assert process.expire() == 1
    assert owner.execute(gate.encode()).fetchall() == [
        (0, True, ["identity_is_verified"]),
        (2, False, []),
    ]
    told = owner.execute(
        "select e.kind, r.result from audit.event e join audit.reaction r using (scope, subject, version)"
        " where e.kind = 'clearance.expired'"
    ).fetchall()
    assert told == [("clearance.expired", "done")]


def test_a_message_that_contradicts_an_officer_is_a_task_and_undoes_no_other(
    database: Database, connect: Connect
) -> None:
    world = World(connect, "contra", 3).build("cleared")
    world.revoke(2)
    sent = [(_message(n), _event(f"ivr_contra{n}", n), b"{}") for n in (1, 2, 3)]
    desk = Desk(database)
    assert record_identities(desk, sent) == [True, True, True]
    assert record_identities(desk, sent) == [False, False, False]
    owner = world.login("owner")
    cases = owner.execute("select status from compliance.kyc_case order by investor_id").fetchall()
    assert cases == [("approved",), ("revoked",), ("approved",)]
    tasks = owner.execute("select investor_id, because from compliance.discrepancy").fetchall()
    assert tasks == [("ivr_contra2", "the provider says approved of a refused case")]
    verified = "select investor_id from compliance.identity_snapshot where verified_by = 'provider:identity'"
    assert sorted(owner.execute(verified.encode()).fetchall()) == [("ivr_contra1",), ("ivr_contra3",)]
    kept = owner.execute("select convert_from(body, 'UTF8') ~ '^sha256:' from audit.inbox").fetchall()
    assert kept == [(True,)] * 3


def test_the_clock_is_looked_at_in_turn(application: Application, connect: Connect) -> None:
    world = World(connect, "turn", 2).build("cleared")
    owner = world.login("owner")

    def lapse(number: int) -> None:
        past = owner.execute("select clock_timestamp()").fetchone()
        assert past is not None
        ivr = world.id("ivr", number)
        world.call("compliance.record_identity", ivr, "approved", digest("e"), digest("p"), past[0])

    def expired() -> int:
        found = owner.execute("select 1 from compliance.kyc_case where status = 'expired'")
        return len(found.fetchall())

    lapse(1)
    application.tend()
    assert expired() == 1
    lapse(2)
    application.tend()
    assert expired() == 1
    application.tend(look_seconds=0)
    assert expired() == 2


def _message(number: int) -> VerifiedMessage:
    return VerifiedMessage(f"msg_{number}", "key-1", "00", digest("body").hex())


def _event(investor: str, number: int) -> IdentityEvent:
    return IdentityEvent(
        event_id=f"msg_{number}",
        kind="identity.completed",
        subject=f"{investor}-{digest('p').hex()}",
        outcome=Outcome.APPROVED,
        evidence_sha256=digest("e").hex(),
        occurred_at=clock.now(),
    )
