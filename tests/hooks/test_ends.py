"""Endpoints and streams end with their key, messages when their time is over; no try swallows a resend."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import psycopg
import pytest

from bookrunner.api import revoke
from bookrunner.api.hooks.courier import KEEP_DAYS
from bookrunner.audit import advance_feed
from tests.hooks.conftest import Hooks, Message, issuer_key

PATH = "/v1/events/stream"


def ids(hooks: Hooks) -> list[str]:
    """Return the ids of the messages that came, in order."""
    return [message.headers["webhook-id"] for message in hooks.receiver.came]


def test_an_endpoint_ends_with_the_key_that_registered_it(hooks: Hooks) -> None:
    made = hooks.register(name="engine-two", kinds=["investment.confirmed"])
    told = hooks.register(kinds=["webhook_endpoint.disabled"])
    hooks.happen()
    assert hooks.send() == 1
    hooks.happen()
    advance_feed(hooks.database)
    hooks.calls.world.login("engine").execute("select api.fan_out_webhooks(500)")
    revoke(hooks.calls.endpoint, "engine-two", actor="usr_admin")
    taken = hooks.calls.world.login("engine").execute(
        "select 1 from api.take_webhooks(%s, 100, 5) where endpoint_id = %s", [hooks.moment, made["id"]]
    )
    assert taken.fetchall() == [], "nothing is handed out, before anybody has disabled it"
    hooks.send()
    assert hooks.send() == 1, "the other endpoint hears that this one is disabled"
    found = hooks.endpoint(made["id"])
    assert (found["status"], found["disabled_because"]) == ("disabled", "the key that held it has ended")
    assert found["held_by"] == found["registered_by"] == "key:engine-two"
    assert hooks.endpoint(told["id"])["status"] == "enabled"
    assert len([m for m in hooks.receiver.came if b"investment.confirmed" in m.body]) == 1
    enabled = hooks.calls.post(
        f"/v1/webhooks/endpoints/{made['id']}/enablements", seen=f'"{found["version"]}"'
    )
    assert enabled.json()["status"] == "enabled"
    assert hooks.endpoint(made["id"])["held_by"] == "key:engine-one"
    assert hooks.send() == 1, "what waited goes out under the key that took over"


def test_who_rotates_a_secret_holds_the_endpoint_and_the_old_key_may_end(hooks: Hooks) -> None:
    made = hooks.register(name="engine-two", kinds=["investment.confirmed"])
    rotated = hooks.calls.post(
        f"/v1/webhooks/endpoints/{made['id']}/rotations", {}, seen=f'"{made["version"]}"'
    )
    assert rotated.status_code == 201
    revoke(hooks.calls.endpoint, "engine-two", actor="usr_admin")
    hooks.happen()
    assert hooks.send() == 1
    found = hooks.endpoint(made["id"])
    assert (found["status"], found["held_by"]) == ("enabled", "key:engine-one")
    assert found["registered_by"] == "key:engine-two"


def person(hooks: Hooks) -> psycopg.Connection:
    """Make the account engine.eve, active; return a session of the login that moves it."""
    access = psycopg.connect(hooks.calls.endpoint.dsn("access"), autocommit=True)
    passkey = {"kind": "passkey", "passkey_id": "657665", "public_key": "00", "sign_count": 0}
    for call in (
        "select api.propose_account('usr_one', 'req_1', 'acc_eve', 'engine.eve', 'engine', null)",
        "select api.invite('usr_two', 'req_2', 'acc_eve', sha256('eve'))",
    ):
        access.execute(call)
    access.execute("select api.accept('req_3', sha256('eve'), 'crd_eve', %s)", [json.dumps(passkey)])
    return access


MOVE = "select api.move_account('usr_two', %s, 'acc_eve', %s, 'so')"


def test_who_is_locked_waits_and_who_is_deactivated_ends(hooks: Hooks) -> None:
    with person(hooks) as access:
        made = hooks.register(name="engine.eve~laptop", kinds=["investment.confirmed"])
        hooks.happen()
        access.execute(MOVE, ["req_4", "locked"])
        assert hooks.send() == 0
        told = hooks.endpoint(made["id"])
        assert (told["status"], told["waiting"]) == ("enabled", 1)
        access.execute("select api.move_account('usr_one', 'req_5', 'acc_eve', 'active', 'found')")
        assert hooks.send() == 1
        access.execute(MOVE, ["req_6", "deactivated"])
        hooks.happen()
        assert hooks.send() == 0
        assert hooks.endpoint(made["id"])["status"] == "disabled"


def test_a_stream_of_a_person_ends_with_the_account_and_opens_again_with_it(hooks: Hooks) -> None:
    advance_feed(hooks.database)

    async def run(access: psycopg.Connection) -> None:
        async for line in lines(hooks, key):
            if line.startswith("id: "):
                await asyncio.to_thread(access.execute, MOVE, ["req_4", "locked"])
        access.execute("select api.move_account('usr_one', 'req_5', 'acc_eve', 'active', 'found')")
        async for line in lines(hooks, key):
            if line.startswith("id: "):
                await asyncio.to_thread(hooks.happen)
                await asyncio.to_thread(advance_feed, hooks.database)
            if line.startswith("data:"):
                return
        raise AssertionError("the second stream has ended")

    with person(hooks) as access:
        key = hooks.calls.key("engine", "engine.eve~laptop")
        asyncio.run(run(access))


def test_an_emergency_that_ends_the_keys_of_issuers_ends_their_endpoints(hooks: Hooks) -> None:
    issuer_key(hooks, "iss_one", "staff.one")
    made = hooks.register("issuer", "staff.one")
    engine = hooks.calls.world.login("engine")
    for verb, actor, rest in (
        ("ask_emergency", "usr_one", ["issuer", "a key was lost", 60]),
        ("grant_emergency", "usr_two", []),
        ("end_keys", "usr_one", []),
    ):
        marks = ", ".join(["%s"] * (3 + len(rest)))
        engine.execute(f"select engine.{verb}({marks})", [actor, f"req_{verb}", "emg_one", *rest])
    hooks.send()
    assert hooks.endpoint(made["id"])["status"] == "disabled"


def test_the_pause_counts_from_the_end_of_a_try(hooks: Hooks) -> None:
    made = hooks.register(kinds=["investment.confirmed"])

    def slow(_: Message) -> tuple[int, dict[str, str], bytes]:
        hooks.moment += timedelta(seconds=12)
        return 503, {}, b""

    hooks.receiver.says = slow
    hooks.happen()
    assert hooks.send() == 1, "the pause of five seconds is not over when a try of twelve is"
    (waits,) = hooks.deliveries(made["id"])
    assert waits["tries"] == 1
    assert hooks.send(seconds=4) == 0
    assert hooks.send(seconds=2) == 1


@pytest.mark.parametrize("status", [204, 503])
def test_a_resend_during_a_try_is_sent_after_it(hooks: Hooks, status: int) -> None:
    made = hooks.register(kinds=["investment.confirmed"])
    asked: list[int] = []

    def ask_again(message: Message) -> tuple[int, dict[str, str], bytes]:
        if not asked:
            path = f"/v1/webhooks/endpoints/{made['id']}/deliveries/{message.headers['webhook-id']}/resends"
            asked.append(hooks.calls.post(path).json()["sent"])
            return status, {}, b""
        return 204, {}, b""

    hooks.receiver.says = ask_again
    hooks.happen()
    assert hooks.send() == 2, "the try, and the message that was asked for meanwhile"
    assert asked == [1]
    first, second = ids(hooks)
    assert first == second
    (done,) = hooks.deliveries(made["id"])
    assert (done["status"], done["tries"]) == ("delivered", 1)
    assert hooks.send(days=1) == 0


def test_what_came_through_is_forgotten_after_its_days_and_nothing_else(hooks: Hooks) -> None:
    made = hooks.register(kinds=["investment.confirmed"])
    hooks.happen()
    hooks.send()
    hooks.receiver.says = lambda _: (500, {}, b"")
    hooks.happen()
    hooks.send()
    for hours in (1, 1, 1, 3, 6, 12, 16, 23, 28):
        hooks.send(hours=hours)
    hooks.happen()
    hooks.send(seconds=1)
    assert [each["status"] for each in hooks.deliveries(made["id"])] == ["waiting", "parked", "delivered"]
    whole = hooks.moment
    hooks.send(days=KEEP_DAYS - 4)
    assert len(hooks.deliveries(made["id"])) == 3
    hooks.moment = whole
    hooks.send(days=KEEP_DAYS)
    kept = hooks.deliveries(made["id"])
    assert "delivered" not in {each["status"] for each in kept}
    assert len(kept) == 2
    attempts = hooks.calls.world.login("owner").execute(
        "select count(*) from api.webhook_attempt a where not exists"
        " (select from api.webhook_delivery d where d.delivery_id = a.delivery_id)"
    )
    assert attempts.fetchone() == (0,)


def test_neither_keeper_nor_owner_forgets_what_waits_or_changes_a_try(hooks: Hooks) -> None:
    hooks.register(kinds=["investment.confirmed"])
    hooks.receiver.says = lambda _: (500, {}, b"")
    hooks.happen()
    hooks.send()
    owner, engine = hooks.calls.world.login("owner"), hooks.calls.world.login("engine")
    for table in ("api.webhook_delivery", "api.webhook_attempt"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            engine.execute(f"delete from {table}")  # noqa: S608 - two names of ours
    for statement, rule in (
        ("delete from api.webhook_delivery", "webhook_message_came_through_before_it_leaves"),
        ("delete from api.webhook_attempt", "webhook_try_leaves_with_its_message"),
        ("update api.webhook_attempt set duration_ms = 0", "history_is_append_only"),
        ("truncate api.webhook_attempt", "history_is_append_only"),
        ("truncate api.webhook_delivery cascade", "history_is_append_only"),
    ):
        with pytest.raises(psycopg.Error) as refused:
            owner.execute(statement)
        assert refused.value.diag.constraint_name == rule, statement
    assert engine.execute("select api.purge_webhooks('infinity', 1000)").fetchone() == (0,)


async def lines(hooks: Hooks, key: str, **said: str) -> AsyncIterator[str]:
    """Yield the lines of a stream until the server ends it."""
    headers = {"Authorization": f"Bearer {key}", **said}
    async with (
        httpx.AsyncClient(timeout=120) as client,
        client.stream("GET", hooks.calls.url + PATH, headers=headers) as answer,
    ):
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            yield line


def ends_when(hooks: Hooks, end: str, params: list[str]) -> list[str]:
    """Follow under a key of its own; when the stream stands, end the key, then let something happen."""
    key = hooks.calls.key("audit", "audit-two")
    advance_feed(hooks.database)
    heard: list[str] = []

    async def run() -> None:
        async for line in lines(hooks, key):
            heard.append(line)
            if line.startswith("id: "):
                await asyncio.to_thread(act)

    def act() -> None:
        hooks.calls.world.login("owner").execute(end, params)
        hooks.happen()
        advance_feed(hooks.database)

    asyncio.run(run())
    return heard


def test_a_stream_ends_with_its_key_before_the_next_hint(hooks: Hooks) -> None:
    end = "insert into api.revoked_key (name, revoked_by) values (%s, 'usr_admin')"
    heard = ends_when(hooks, end, ["audit-two"])
    assert not [line for line in heard if line.startswith("data:")]


def test_a_stream_that_catches_up_ends_with_its_key(hooks: Hooks) -> None:
    """What the database is asked for is asked together with the key."""
    advance_feed(hooks.database)
    reader = hooks.app.state.streams

    async def run() -> tuple[list[object], bool]:
        key = b"0" * 32
        told, ended = await reader._read(0, frozenset({key}))
        return list(told), key in ended

    told, ended = asyncio.run(run())
    assert told
    assert ended


def test_a_silent_stream_ends_with_its_key_and_others_go_on(hooks: Hooks) -> None:
    key, other = hooks.calls.key("audit", "audit-two"), hooks.calls.key("audit")
    advance_feed(hooks.database)
    stands, heard = asyncio.Event(), list[str]()

    async def first() -> None:
        async for line in lines(hooks, key):
            if line.startswith("id: "):
                await stands.wait()
                await asyncio.to_thread(revoke, hooks.calls.endpoint, "audit-two", actor="usr_admin")

    async def second() -> None:
        async for line in lines(hooks, other):
            if line.startswith("data:"):
                heard.append(line)
                return
            stands.set()

    async def run() -> None:
        follower = asyncio.create_task(second())
        await first()
        hooks.happen()
        advance_feed(hooks.database)
        await follower

    asyncio.run(run())
    assert len(heard) == 1
