"""The database starts anew under a stream and a courier: neither ends for good, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import httpx
import psycopg

from bookrunner.audit import advance_feed
from bookrunner.core.errors import BookrunnerError
from tests.hooks.conftest import Hooks, Message

PATH = "/v1/events/stream"
PATIENCE_SECONDS = 120


def restart(hooks: Hooks) -> None:
    """Kill one of the server's processes: it ends every session, recovers, and takes sessions again."""
    dsn = hooks.calls.endpoint.admin_dsn()
    with psycopg.connect(dsn, autocommit=True) as session:
        (pid,) = session.execute("select pg_backend_pid()").fetchone() or (0,)
        os.kill(pid, signal.SIGKILL)
        with suppress(psycopg.OperationalError):
            while True:
                session.execute("select 1")
    until_done(lambda: psycopg.connect(dsn).close())


def until_done(work: Callable[[], object]) -> object:
    """Do what may meet a server that is not there yet, until it is done."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return work()
        except (psycopg.OperationalError, BookrunnerError):
            if time.monotonic() > ends:
                raise


def happen(hooks: Hooks) -> None:
    """Let one thing happen, over sessions of after the restart."""

    def confirm() -> None:
        with psycopg.connect(hooks.calls.endpoint.dsn("engine"), autocommit=True) as engine:
            (one,) = engine.execute(
                "select investment_id from engine.investment where status = 'new' order by 1 limit 1"
            ).fetchone() or ("",)
            engine.execute(
                "select engine.confirm('usr_operator', %s, 'ofr_one', %s)", [f"req_{one}_anew", one]
            )

    until_done(confirm)
    until_done(lambda: advance_feed(hooks.database))


def test_a_stream_goes_on_over_a_restart_of_the_server(hooks: Hooks) -> None:
    advance_feed(hooks.database)
    headers = {"Authorization": f"Bearer {hooks.calls.key('engine')}"}

    async def run() -> list[str]:
        heard: list[str] = []
        async with (
            httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client,
            client.stream("GET", hooks.calls.url + PATH, headers=headers) as answer,
        ):
            async for line in answer.aiter_lines():
                if line.startswith("id: ") and not heard:
                    heard.append(line)
                    await asyncio.to_thread(restart, hooks)
                    await asyncio.to_thread(happen, hooks)
                if "investment.confirmed" in line:
                    heard.append(line)
                    return heard
        return heard

    assert len(asyncio.run(run())) == 2


def test_a_stream_is_opened_again_when_its_reader_has_ended(hooks: Hooks) -> None:
    """Whatever ends the reader ends its streams, and the next stream has another reader."""
    advance_feed(hooks.database)
    headers = {"Authorization": f"Bearer {hooks.calls.key('engine')}"}
    reader = hooks.app.state.streams

    async def follow(client: httpx.AsyncClient, *, is_first: bool) -> list[str]:
        heard = []
        async with client.stream("GET", hooks.calls.url + PATH, headers=headers) as answer:
            async for line in answer.aiter_lines():
                heard.append(line)
                if line.startswith("id: ") and is_first:
                    reader._task.get_loop().call_soon_threadsafe(reader._task.cancel)
                if line.startswith("id: ") and not is_first:
                    return heard
        return heard

    async def run() -> None:
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
            assert await follow(client, is_first=True)
            assert await follow(client, is_first=False)

    asyncio.run(run())


def test_a_courier_goes_on_over_a_restart_of_the_server(hooks: Hooks) -> None:
    made = hooks.register(kinds=["investment.confirmed"])
    hooks.happen()
    advance_feed(hooks.database)
    came = threading.Semaphore(0)
    is_first = threading.Event()

    def says(_: Message) -> tuple[int, dict[str, str], bytes]:
        if not is_first.is_set():
            is_first.set()
            # The try is under way, and its record meets a server that starts anew.
            restart(hooks)
        came.release()
        return 204, {}, b""

    hooks.receiver.says = says
    stopped = threading.Event()
    thread = threading.Thread(target=hooks.courier().run, args=[stopped])
    thread.start()
    try:
        assert came.acquire(timeout=PATIENCE_SECONDS)
        happen(hooks)
        assert came.acquire(timeout=PATIENCE_SECONDS)
        assert thread.is_alive()
    finally:
        stopped.set()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    # What was taken and not recorded is free after its minute.
    hooks.moment += timedelta(minutes=2)
    until_done(hooks.send)
    told = until_done(lambda: hooks.deliveries(made["id"]))
    assert [each["status"] for each in told] == ["delivered", "delivered"]  # type: ignore[attr-defined]
