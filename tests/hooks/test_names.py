"""A name that nobody answers for holds up its own messages alone, however often it is asked."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

import pytest

from bookrunner.adapters.webhooks import Names, Sender
from bookrunner.adapters.webhooks.sender import Places
from bookrunner.api.hooks.courier import MESSAGES_AT_ONCE, OF_ONE_ENDPOINT, Courier
from bookrunner.audit import advance_feed
from tests.hooks.conftest import NAME, Hooks, Message

SILENT = "silent.example.org"
ASKED = 100


@dataclass
class Resolver:
    """Asks a name server of this machine: for some names it says nothing until it is let go."""

    server: tuple[str, int]
    let_go: threading.Event
    asked: Counter[str] = field(default_factory=Counter)
    waits: threading.Event = field(default_factory=threading.Event)

    def __call__(self, host: str, port: int) -> Places:
        """Resolve a name to the loopback, or wait for an answer that does not come."""
        self.asked[host] += 1
        if SILENT in host:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as question:
                question.sendto(host.encode(), self.server)
                self.waits.set()
                question.recv(512)
            raise OSError("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    """Run a name server that answers nobody until the end."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        let_go = threading.Event()

        def answer_late() -> None:
            peers = []
            server.settimeout(0.05)
            while not let_go.is_set():
                try:
                    peers.append(server.recvfrom(512)[1])
                except TimeoutError:
                    continue
            for peer in peers:
                server.sendto(b"no", peer)

        thread = threading.Thread(target=answer_late)
        thread.start()
        yield Resolver(server.getsockname(), let_go)
        let_go.set()
        thread.join(10)


def test_a_silent_name_holds_one_thread_and_another_is_answered(resolver: Resolver) -> None:
    names = Names(resolver)

    async def run() -> None:
        lost = [asyncio.create_task(names(SILENT, 443)) for _ in range(ASKED)]
        await asyncio.sleep(0)
        for number in range(ASKED):
            assert await names(f"h{number}.example.org", 443) == ["127.0.0.1"]
        assert resolver.asked[SILENT] == 1
        assert not any(task.done() for task in lost)
        lost[0].cancel()
        resolver.let_go.set()
        answers = await asyncio.gather(*lost, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert {type(answer) for answer in answers[1:]} == {OSError}

    asyncio.run(run())
    assert resolver.asked[SILENT] == 1


def test_a_name_is_asked_anew_when_it_was_answered(resolver: Resolver) -> None:
    names = Names(resolver)
    assert asyncio.run(names(NAME, 443)) == asyncio.run(names(NAME, 443)) == ["127.0.0.1"]
    assert resolver.asked[NAME] == 2


def test_a_look_up_that_fails_in_its_own_way_is_answered() -> None:
    def broken(_host: str, _port: int) -> NoReturn:
        raise KeyError(NAME)

    names = Names(broken)
    for _ in range(2):
        with pytest.raises(OSError, match="a look-up ended by KeyError"):
            asyncio.run(names(NAME, 443))


def test_no_try_of_another_endpoint_is_spent_on_a_silent_name(hooks: Hooks, resolver: Resolver) -> None:
    """Fourteen endpoints have a name without an answer; the fifteenth is met at the first try."""
    silent = [
        hooks.register(url=hooks.receiver.url(host=f"{n}.{SILENT}"), kinds=["investment.confirmed"])
        for n in range(14)
    ]
    made = hooks.register(kinds=["investment.confirmed"])
    for _ in range(3):
        hooks.happen()
    advance_feed(hooks.database)
    came = threading.Semaphore(0)

    def says(_: Message) -> tuple[int, dict[str, str], bytes]:
        came.release()
        return 204, {}, b""

    hooks.receiver.says = says
    sender = Sender(loopback=True, trusted=hooks.receiver.context(), resolving=Names(resolver), seconds=3600)
    stopped = threading.Event()
    courier = Courier(hooks.database, sender, now=lambda: hooks.moment)
    thread = threading.Thread(target=courier.run, args=[stopped])
    thread.start()
    try:
        assert resolver.waits.wait(120)
        for _ in range(3):
            assert came.acquire(timeout=120)
    finally:
        stopped.set()
        resolver.let_go.set()
        thread.join(120)
    assert not thread.is_alive()
    delivered = hooks.deliveries(made["id"])
    assert [(each["status"], each["tries"]) for each in delivered] == [("delivered", 1)] * 3
    assert all(each["status"] == "waiting" for one in silent for each in hooks.deliveries(one["id"]))
    assert all(resolver.asked[f"{number}.{SILENT}"] >= 1 for number in range(14))


def test_endpoints_share_what_is_under_way(hooks: Hooks) -> None:
    """However much waits at one, no endpoint has more than its share, and each gets a turn."""
    made = [hooks.register(after=0) for _ in range(3)]
    advance_feed(hooks.database)
    owner = hooks.calls.world.login("engine")
    while (owner.execute("select api.fan_out_webhooks(500)").fetchone() or (0,))[0]:
        pass
    taken = owner.execute(
        "select endpoint_id from api.take_webhooks(%s, %s, %s)",
        [hooks.moment, MESSAGES_AT_ONCE, OF_ONE_ENDPOINT],
    ).fetchall()
    assert Counter(one for (one,) in taken) == {each["id"]: OF_ONE_ENDPOINT for each in made}
    late = hooks.register(after=0)
    while (owner.execute("select api.fan_out_webhooks(500)").fetchone() or (0,))[0]:
        pass
    rest = owner.execute(
        "select endpoint_id from api.take_webhooks(%s, %s, %s)", [hooks.moment, 4, OF_ONE_ENDPOINT]
    ).fetchall()
    assert rest == [(late["id"],)] * 4
