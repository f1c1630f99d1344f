"""One statement on a lane: its answer, its refusal, and what happens when either side goes away."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg
import pytest

from bookrunner.core.errors import Refused
from bookrunner.db import DatabaseUnavailable, Endpoint, Lanes, from_url
from bookrunner.db.pools import CONNECT_SECONDS

Connect = Callable[[str], psycopg.Connection]
ECHO = "select cast(%(text)s as text) as said, 7 %% 4 as rest"
SLEEP = "select cast(pg_sleep(cast(%(seconds)s as numeric)) as text) as slept"
PIDS = "select pid from pg_stat_activity where usename = 'engine' and datname = current_database()"


def on_lanes(endpoint: Endpoint, work: Callable[[Lanes], Awaitable[object]], most: int = 2) -> object:
    """Run work over lanes of the engine's login on a loop of its own, in a database that is made already."""
    endpoint.dsn("engine")

    async def run() -> object:
        lanes = Lanes(endpoint, "engine", most)
        try:
            return await work(lanes)
        finally:
            lanes.close()

    return asyncio.run(run())


def test_a_statement_under_way_at_the_close_ends_and_leaves_no_session(
    endpoint: Endpoint, connect: Connect
) -> None:
    async def work(lanes: Lanes) -> None:
        await lanes.run("echo", ECHO, {"text": "open"})
        answer = asyncio.create_task(lanes.run("sleep", SLEEP, {"seconds": "0.1"}))
        await asyncio.sleep(0)
        lanes.close()
        assert "slept" in await answer

    on_lanes(endpoint, work)
    admin, deadline = connect("admin"), time.monotonic() + 10
    while admin.execute(PIDS).fetchall() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not admin.execute(PIDS).fetchall()


@pytest.mark.parametrize("text", ["plain", "", "quo'te\\ \u2013 \u6f22", "x" * 3_000_000])
def test_a_value_comes_back_as_it_went(endpoint: Endpoint, text: str) -> None:
    async def work(lanes: Lanes) -> None:
        for _ in range(2):
            assert await lanes.run("echo", ECHO, {"text": text}) == {"said": text, "rest": "3"}

    on_lanes(endpoint, work)


def test_bytes_lists_and_nothing_are_written_as_the_server_reads_them(endpoint: Endpoint) -> None:
    statement = (
        "select encode(cast(%(raw)s as bytea), 'hex') as raw, "
        "array_to_string(cast(%(many)s as text[]), '|') as many, cast(%(none)s as text) is null as none"
    )
    values: dict[str, str | int | bytes | list[str] | None]
    values = {"raw": b"\x00\xff", "many": ['a"b', "c\\d", "e,f", "{}", ""], "none": None}

    async def work(lanes: Lanes) -> None:
        found = await lanes.run("values", statement, values)
        assert found == {"raw": "00ff", "many": 'a"b|c\\d|e,f|{}|', "none": "t"}

    on_lanes(endpoint, work)


def test_more_statements_than_lanes_wait_their_turn(endpoint: Endpoint, connect: Connect) -> None:
    async def work(lanes: Lanes) -> None:
        said = await asyncio.gather(*(lanes.run("echo", ECHO, {"text": str(n)}) for n in range(50)))
        assert [row["said"] for row in said] == [str(n) for n in range(50)]
        assert len(connect("admin").execute(PIDS.encode()).fetchall()) == 2

    on_lanes(endpoint, work)


def test_a_refusal_keeps_its_name_and_the_lane_serves_on(endpoint: Endpoint) -> None:
    verb = "select engine.move_offer('usr_1', 'req_1', %(offer)s, 'published')"

    async def work(lanes: Lanes) -> None:
        for _ in range(5):
            with pytest.raises(Refused) as refused:
                await lanes.run("move", verb, {"offer": "ofr_none"})
            assert refused.value.rule == "offer_exists"
        assert (await lanes.run("echo", ECHO, {"text": "on"}))["said"] == "on"

    on_lanes(endpoint, work)


def test_a_statement_is_carried_to_its_end_when_its_caller_goes_away(endpoint: Endpoint) -> None:
    async def work(lanes: Lanes) -> None:
        caller = asyncio.ensure_future(lanes.run("sleep", SLEEP, {"seconds": "0.3"}))
        await asyncio.sleep(0.15)
        caller.cancel()
        said = await asyncio.gather(*(lanes.run("echo", ECHO, {"text": str(n)}) for n in range(4)))
        assert [row["said"] for row in said] == ["0", "1", "2", "3"]

    on_lanes(endpoint, work, most=1)


def test_quick_statements_keep_to_few_lanes_and_slow_ones_take_more(
    endpoint: Endpoint, connect: Connect
) -> None:
    def opened() -> int:
        return len(connect("admin").execute(PIDS.encode()).fetchall())

    async def work(lanes: Lanes) -> None:
        for _ in range(20):
            await lanes.run("echo", ECHO, {"text": "alone"})
        assert opened() == 1
        slow = [lanes.run("sleep", SLEEP, {"seconds": "0.5"}) for _ in range(6)]
        await asyncio.gather(*slow)
        assert opened() == 6

    on_lanes(endpoint, work, most=6)


def test_a_caller_who_goes_away_while_it_waits_leaves_its_place(endpoint: Endpoint) -> None:
    async def work(lanes: Lanes) -> None:
        for pause in (0, 0.001, 0.05):
            callers = [asyncio.ensure_future(lanes.run("echo", ECHO, {"text": "gone"})) for _ in range(6)]
            await asyncio.sleep(pause)
            for caller in callers:
                caller.cancel()
            await asyncio.gather(*callers, return_exceptions=True)
        said = await asyncio.gather(*(lanes.run("echo", ECHO, {"text": str(n)}) for n in range(9)))
        assert [row["said"] for row in said] == [str(n) for n in range(9)]

    on_lanes(endpoint, work, most=2)


@pytest.mark.parametrize("callers", [1, 3])
def test_a_caller_that_goes_away_while_a_lane_opens_leaves_it(endpoint: Endpoint, callers: int) -> None:
    async def work(lanes: Lanes) -> None:
        gone = [asyncio.ensure_future(lanes.run("echo", ECHO, {"text": "gone"})) for _ in range(callers)]
        await asyncio.sleep(0)
        for each in gone:
            each.cancel()
        answer = await asyncio.wait_for(lanes.run("echo", ECHO, {"text": "here"}), 10)
        assert answer["said"] == "here"

    on_lanes(endpoint, work, most=1)


def test_a_server_that_is_silent_is_not_waited_for(tmp_path: Path) -> None:
    async def work(lanes: Lanes) -> None:
        with pytest.raises(DatabaseUnavailable):
            await asyncio.wait_for(lanes.run("echo", ECHO, {"text": "lost"}), CONNECT_SECONDS + 5)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://admin@127.0.0.1:{silent.getsockname()[1]}/books"
        on_lanes(from_url(url, tmp_path), work)


@pytest.mark.parametrize("is_busy", [True, False])
def test_a_session_that_ends_is_replaced(endpoint: Endpoint, connect: Connect, *, is_busy: bool) -> None:
    async def work(lanes: Lanes) -> None:
        await lanes.run("echo", ECHO, {"text": "first"})
        running = asyncio.ensure_future(lanes.run("sleep", SLEEP, {"seconds": "5"})) if is_busy else None
        await asyncio.sleep(0.1)
        admin = connect("admin")
        for (pid,) in admin.execute(PIDS.encode()).fetchall():
            admin.execute("select pg_terminate_backend(%s)", [pid])
        if running is not None:
            with pytest.raises(DatabaseUnavailable):
                await running
        await asyncio.sleep(0.1)
        assert (await lanes.run("echo", ECHO, {"text": "again"}))["said"] == "again"

    on_lanes(endpoint, work, most=1)


def test_a_login_that_cannot_enter_leaves_no_lane_taken(endpoint: Endpoint, connect: Connect) -> None:
    admin = connect("admin")

    async def work(lanes: Lanes) -> None:
        admin.execute("alter role engine nologin")
        try:
            for _ in range(3):
                with pytest.raises(DatabaseUnavailable):
                    await lanes.run("echo", ECHO, {"text": "closed"})
        finally:
            admin.execute("alter role engine login")
        assert (await lanes.run("echo", ECHO, {"text": "open"}))["said"] == "open"

    on_lanes(endpoint, work, most=1)
