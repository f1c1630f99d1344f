"""How many whole raises with faults a minute has, and how many events one and two workers answer a second."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.stage import BenchFailed
from bookrunner.app import Application
from bookrunner.db import Database, Endpoint, Keeper
from bookrunner.db.endpoint import Secrets
from bookrunner.engine import Desk, Process
from bookrunner.sandbox.raises.crowd import Crowd
from bookrunner.sandbox.raises.play import on_paper, play_raises


def run(full: bool) -> dict[str, object]:
    """Measure on a database of its own."""
    raises, orders = (40, 4_000) if full else (8, 1_000)
    with tempfile.TemporaryDirectory(prefix="bkr-bench-") as folder:
        Path(folder).chmod(0o711)
        with on_paper(Path(folder)) as app:
            began = time.monotonic()
            reports = play_raises(app, raises, seed=1)
            seconds = time.monotonic() - began
            rates = {workers: _events_per_second(app, orders, workers) for workers in (1, 2)}
    return {
        "bench": "raises",
        "raises": raises,
        "steps": sum(report.steps for report in reports),
        "raises_per_minute": round(60 * raises / seconds, 1),
        "orders": orders,
        "answers_per_second_1_worker": rates[1],
        "answers_per_second_2_workers": rates[2],
    }


def _events_per_second(app: Application, orders: int, workers: int) -> int:
    """Halt an offer with so many orders and time its end: each order is ended, refunded, told."""
    crowd = Crowd(app, investors=orders, seed=1_000_000 + workers)
    crowd.open()
    with app.desk.engine.together() as within:
        within.open_investment.each(crowd.order(person) for person in crowd.people)
    app.answer()
    app.desk.life.fail_offer(
        actor="issuer.iris", offering=crowd.offering, ended_as="halted", because="it is measured"
    )
    bench = Keeper(app.database, "engine", "bench")
    before = bench.answers_given()
    arguments = [app.endpoint.admin_dsn(), str(app.endpoint.secrets.folder)]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.raises", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(workers)
    ]
    for worker in started:
        if worker.stdout is None or not worker.stdout.readline():
            raise BenchFailed("a worker did not begin")
    began = time.monotonic()
    for worker in started:
        worker.communicate(b"go\n")
    seconds = time.monotonic() - began
    return round((bench.answers_given() - before) / seconds)


def work(dsn: str, secrets: str) -> None:
    """Answer every event when told to begin."""
    database = Database(Endpoint(dsn, Secrets(Path(secrets))), max_size=2)
    process = Process(Desk(database))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    process.drain()
    database.close()


if __name__ == "__main__":
    work(*sys.argv[1:])
