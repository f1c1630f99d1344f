"""The clock closes what has lapsed, and the process answers."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg

from bookrunner.adapters.identity import IdentityEvent, Outcome, VerifiedMessage
from bookrunner.core import clock
from bookrunner.db import Database
from bookrunner.engine import Desk, Process
from bookrunner.engine.intake import record_identity
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


def test_a_message_that_contradicts_an_officer_is_kept_as_a_task(
    database: Database, connect: Connect
) -> None:
    world = World(connect, "contra", 1).build("cleared")
    world.revoke(1)
    body = b'{"outcome": "approved"}'
    message = VerifiedMessage("msg_1", "key-1", "00", digest("body").hex())
    event = IdentityEvent(
        event_id="msg_1",
        kind="identity.completed",
        subject=f"ivr_contra1-{digest('p').hex()}",
        outcome=Outcome.APPROVED,
        evidence_sha256=digest("e").hex(),
        occurred_at=clock.now(),
    )
    desk = Desk(database)
    assert record_identity(desk, message, event, body)
    assert not record_identity(desk, message, event, body)
    owner = world.login("owner")
    assert owner.execute("select status from compliance.kyc_case").fetchall() == [("revoked",)]
    assert owner.execute("select because from compliance.discrepancy").fetchall() == [
        ("the provider says approved of a refused case",)
    ]
    assert owner.execute("select body from audit.inbox").fetchall() == [(body,)]
