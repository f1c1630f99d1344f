"""A courier that is killed with a message under way leaves it to the next one, under the same id."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from bookrunner.audit import advance_feed
from tests.hooks.conftest import Hooks, Message

ROOT = Path(__file__).resolve().parents[2]


def worker(hooks: Hooks) -> subprocess.Popen[bytes]:
    """Start a courier at the moment of the test."""
    endpoint = hooks.calls.endpoint
    arguments = [endpoint.admin_dsn(), str(endpoint.secrets.folder), str(hooks.receiver.trusted)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.hooks.courier_worker", *arguments, hooks.moment.isoformat()],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
    )


def test_a_courier_killed_between_sending_and_recording_sends_again_under_the_same_id(hooks: Hooks) -> None:
    made = hooks.register(kinds=["investment.confirmed"])
    hooks.happen()
    advance_feed(hooks.database)
    started: list[subprocess.Popen[bytes]] = []
    is_started = threading.Event()

    def kill(_: Message) -> tuple[int, dict[str, str], bytes]:
        assert is_started.wait(60)
        os.kill(started[0].pid, signal.SIGKILL)
        started[0].wait(60)
        return 204, {}, b""

    hooks.receiver.says = kill
    started.append(worker(hooks))
    is_started.set()
    assert started[0].wait(120) == -signal.SIGKILL
    hooks.receiver.says = lambda _: (204, {}, b"")
    (left,) = hooks.deliveries(made["id"])
    assert (left["status"], left["tries"], left["attempts"]) == ("waiting", 0, [])
    assert hooks.send() == 0
    assert hooks.send(seconds=61) == 1
    first, second = hooks.receiver.came
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == left["id"]
    assert first.body == second.body
    assert hooks.deliveries(made["id"])[0]["status"] == "delivered"


def test_two_couriers_make_and_take_each_message_once(hooks: Hooks) -> None:
    hooks.register(after=0, kinds=["investment.opened", "investment.confirmed"])
    for _ in range(3):
        hooks.happen()
    advance_feed(hooks.database)
    couriers = [hooks.courier() for _ in range(3)]
    tries: list[int] = []
    threads = [threading.Thread(target=lambda c=c: tries.append(c.round())) for c in couriers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hooks.send(minutes=2)
    ids = [message.headers["webhook-id"] for message in hooks.receiver.came]
    sequences = [json.loads(message.body)["data"]["sequence"] for message in hooks.receiver.came]
    assert len(ids) == len(set(ids)) == len(set(sequences)) == 6


def test_a_courier_runs_until_it_is_stopped(hooks: Hooks) -> None:
    hooks.register(kinds=["investment.confirmed"])
    hooks.happen()
    advance_feed(hooks.database)
    stopped, came = threading.Event(), threading.Event()

    def says(_: Message) -> tuple[int, dict[str, str], bytes]:
        came.set()
        return 204, {}, b""

    hooks.receiver.says = says
    thread = threading.Thread(target=hooks.courier().run, args=[stopped])
    thread.start()
    assert came.wait(60)
    stopped.set()
    thread.join(60)
    assert not thread.is_alive()
    assert len(hooks.receiver.came) == 1
