"""The feed as server-sent events: nothing is lost over a break, and an open stream costs next to nothing."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator

import httpx
import pytest

from bookrunner.audit import advance_feed
from tests.api.conftest import problem
from tests.attack.world import digest
from tests.hooks.conftest import Hooks, issuer_key
from tests.patience import PATIENT

PATH = "/v1/events/stream"
STREAMS = 200
WAITS = "select 1 from pg_locks where relation = 'audit.feed'::regclass and not granted"
CONNECTIONS = "select count(*) from pg_stat_activity where datname = current_database()"


async def hints(answer: httpx.Response) -> AsyncIterator[tuple[int, dict[str, object]]]:
    """Yield place and content of each hint."""
    assert answer.status_code == 200, await answer.aread()
    assert answer.headers["content-type"].startswith("text/event-stream")
    place = 0
    async for line in answer.aiter_lines():
        if line.startswith("id: "):
            place = int(line[4:])
        if line.startswith("data: "):
            yield place, json.loads(line[6:])


def followed(hooks: Hooks, many: int, **said: str) -> list[tuple[int, dict[str, object]]]:
    """Follow the stream until so many hints have come."""

    async def run() -> list[tuple[int, dict[str, object]]]:
        headers = {"Authorization": f"Bearer {hooks.calls.key('engine')}", **said}
        found = []
        async with (
            httpx.AsyncClient(timeout=60) as client,
            client.stream("GET", hooks.calls.url + PATH, headers=headers) as answer,
        ):
            async for hint in hints(answer):
                found.append(hint)
                if len(found) == many:
                    return found
        return found

    return asyncio.run(run())


def test_a_stream_goes_on_behind_the_last_event_that_was_seen(hooks: Hooks) -> None:
    hooks.happen()
    advance_feed(hooks.database)
    feed = hooks.calls.get("/v1/events?after=0&limit=200").json()["events"]
    whole = followed(hooks, 20, **{"Last-Event-ID": "0"})
    assert [place for place, _ in whole] == list(range(1, 21))
    names = ("kind", "scope", "subject", "version")
    assert [said for _, said in whole] == [{name: event[name] for name in names} for event in feed[:20]]
    rest = followed(hooks, 5, **{"Last-Event-ID": "12"})
    assert [place for place, _ in rest] == list(range(13, 18))


@pytest.mark.parametrize(("name", "status"), [("", 401), ("issuer", 403)])
def test_who_may_not_read_the_feed_follows_no_stream(hooks: Hooks, name: str, status: int) -> None:
    headers = {}
    if name:
        issuer_key(hooks, "iss_other", "staff.other")
        headers["Authorization"] = f"Bearer {hooks.calls.keys['staff.other']}"
    answer = httpx.get(hooks.calls.url + PATH, headers=headers, timeout=PATIENT)
    assert answer.status_code == status
    assert problem(answer)


@pytest.mark.parametrize("last", ["-1", "x", "1 2", "9" * 19])
def test_a_place_that_is_none_is_refused(hooks: Hooks, last: str) -> None:
    headers = {"Authorization": f"Bearer {hooks.calls.key('engine')}", "Last-Event-ID": last}
    assert httpx.get(hooks.calls.url + PATH, headers=headers, timeout=PATIENT).status_code == 422


def test_two_hundred_streams_share_one_reader(hooks: Hooks) -> None:
    owner = hooks.calls.world.login("owner")
    headers = {"Authorization": f"Bearer {hooks.calls.key('audit')}"}
    everybody_listens = asyncio.Event()
    listening = 0

    def threads() -> int:
        return sum(thread.name.startswith("api") for thread in threading.enumerate())

    before = threads()

    async def follow(client: httpx.AsyncClient) -> tuple[int, object]:
        nonlocal listening
        async with client.stream("GET", hooks.calls.url + PATH, headers=headers) as answer:
            assert answer.status_code == 200
            listening += 1
            if listening == STREAMS:
                everybody_listens.set()
            async for place, said in hints(answer):
                return place, said["kind"]
        raise AssertionError("the stream has ended")

    async def run() -> list[tuple[int, object]]:
        limits = httpx.Limits(max_connections=None)
        # A stream that fails ends the group, so that nobody waits for it.
        async with httpx.AsyncClient(timeout=120, limits=limits) as client, asyncio.TaskGroup() as group:
            streams = [group.create_task(follow(client)) for _ in range(STREAMS)]
            await everybody_listens.wait()
            assert threads() - before <= 8
            (sessions,) = owner.execute(CONNECTIONS).fetchone() or (0,)
            assert sessions < 40
            hooks.happen()
            advance_feed(hooks.database)
        return [stream.result() for stream in streams]

    advance_feed(hooks.database)
    came = asyncio.run(run())
    assert len(set(came)) == 1
    assert len(came) == STREAMS


def test_what_happens_after_the_answer_began_is_told(hooks: Hooks) -> None:
    advance_feed(hooks.database)
    owner = hooks.calls.world.login("owner")
    headers = {"Authorization": f"Bearer {hooks.calls.key('engine')}"}

    async def run() -> str:
        async with httpx.AsyncClient(timeout=60) as client:
            request = client.build_request("GET", hooks.calls.url + PATH, headers=headers)
            with owner.transaction():
                owner.execute("lock table audit.feed in access exclusive mode")
                answering = asyncio.create_task(client.send(request, stream=True))
                while owner.execute(WAITS).fetchone() is None:  # noqa: ASYNC110 - a lock has no event
                    await asyncio.sleep(0.01)
                begun, _ = await asyncio.wait([answering], timeout=1)
                assert not begun, "the answer begins before the stream knows its place"
            answer = await answering
            hooks.happen()
            advance_feed(hooks.database)
            async for _, said in hints(answer):
                await answer.aclose()
                return str(said["kind"])
        raise AssertionError("the stream has ended")

    assert asyncio.run(run())


def test_a_place_behind_the_end_is_the_end(hooks: Hooks) -> None:
    advance_feed(hooks.database)
    end = hooks.calls.get("/v1/events?after=0&limit=200").json()["next"]

    async def run() -> int:
        headers = {"Authorization": f"Bearer {hooks.calls.key('engine')}"}
        async with (
            httpx.AsyncClient(timeout=60) as client,
            client.stream("GET", f"{hooks.calls.url}{PATH}?after=999999", headers=headers) as answer,
        ):
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    return int(line[4:])
        raise AssertionError("the stream has ended")

    assert asyncio.run(run()) == end


def test_a_reader_that_closes_ends_its_streams(hooks: Hooks) -> None:
    ended = []

    async def run() -> None:
        headers = {"Authorization": f"Bearer {hooks.calls.key('engine')}"}
        async with (
            httpx.AsyncClient(timeout=60) as client,
            client.stream("GET", hooks.calls.url + PATH, headers=headers) as answer,
        ):
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    hooks.app.state.streams.closing = True
            ended.append(True)

    asyncio.run(run())
    assert ended == [True]


def test_a_stream_tells_of_the_kinds_that_webhooks_tell_of_and_of_no_other(hooks: Hooks) -> None:
    advance_feed(hooks.database)
    owner = hooks.calls.world.login("owner")
    rows = owner.execute(
        "select f.seq, e.kind in (select k.kind from api.webhook_kind k) from audit.feed f"
        " join audit.event e using (scope, subject, version) order by 1"
    ).fetchall()
    told, untold = ([seq for seq, is_told in rows if is_told is wanted] for wanted in (True, False))
    assert untold, "the offering has events that nobody is told of"
    hooks.happen()
    advance_feed(hooks.database)
    heard = followed(hooks, len(told) + 1, **{"Last-Event-ID": "0"})
    assert [place for place, _ in heard[:-1]] == told
    assert heard[-1][1]["kind"] == "investment.confirmed"


def test_what_is_told_to_nobody_is_passed_over_and_not_asked_for_again(hooks: Hooks) -> None:
    """Behind the last event that is told a stream waits for the next one, and does not turn in circles."""
    hooks.calls.world.call(
        "compliance.record_accreditation", "ivr_one1", "acr_late", "income", digest("late"), "infinity"
    )
    advance_feed(hooks.database)
    (last, end) = hooks.calls.world.login("owner").execute(
        "select max(f.seq) filter (where e.kind in (select k.kind from api.webhook_kind k)), max(f.seq)"
        " from audit.feed f join audit.event e using (scope, subject, version)"
    ).fetchone() or (0, 0)
    assert 0 < last < end
    heard: list[str] = []

    async def run() -> None:
        headers = {"Authorization": f"Bearer {hooks.calls.key('engine')}", "Last-Event-ID": str(last - 1)}
        async with (
            httpx.AsyncClient(timeout=60) as client,
            client.stream("GET", hooks.calls.url + PATH, headers=headers) as answer,
        ):
            async for line in answer.aiter_lines():
                heard.append(line)
                if line == f"id: {last}":
                    await asyncio.to_thread(hooks.happen)
                    await asyncio.to_thread(advance_feed, hooks.database)
                if "investment.confirmed" in line:
                    return

    asyncio.run(run())
    assert heard.count(": still here") < 5, "no more than a slow machine needs to be kept alive"
