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

OFFERS = 4


def run(full: bool) -> dict[str, object]:
    """Measure on a database of its own."""
    raises, orders = (40, 4_000) if full else (8, 1_000)
    with tempfile.TemporaryDirectory(prefix="bkr-bench-") as folder:
        Path(folder).chmod(0o711)
        with on_paper(Path(folder)) as app:
            began = time.monotonic()
            reports = play_raises(app, raises, seed=1)
            seconds = time.monotonic() - began
            rates = {
                (offers, workers): _ended(app, orders, offers, workers)
                for offers in (1, OFFERS)
                for workers in (1, 2)
            }
    return {
        "bench": "raises",
        "raises": raises,
        "steps": sum(report.steps for report in reports),
        "raises_per_minute": round(60 * raises / seconds, 1),
        "orders": orders,
        "answers_per_second_1_worker": rates[1, 1][0],
        "answers_per_second_2_workers": rates[1, 2][0],
        "offers": OFFERS,
        "answers_per_second_of_offers_1_worker": rates[OFFERS, 1][0],
        "answers_per_second_of_offers_2_workers": rates[OFFERS, 2][0],
        "tries_per_answer_of_2_workers": rates[OFFERS, 2][1],
    }


def _ended(app: Application, orders: int, offers: int, workers: int) -> tuple[int, float]:
    """Halt offers with so many orders together and time their end: each order is ended, refunded, told.

    Returns the answers a second, and how often an answer was worked out on average.
    """
    crowds = [
        Crowd(app, investors=orders // offers, seed=1_000_000 + 100 * offers + 10 * workers + place)
        for place in range(offers)
    ]
    for crowd in crowds:
        crowd.open()
        with app.desk.engine.together() as within:
            within.open_investment.each(crowd.order(person) for person in crowd.people)
    app.answer()
    for crowd in crowds:
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
    # All are told before one is waited for: else each would begin when the one before has ended.
    for worker in started:
        if worker.stdin is not None:
            worker.stdin.write(b"go\n")
            worker.stdin.flush()
    tried = sum(int(worker.communicate()[0]) for worker in started)
    seconds = time.monotonic() - began
    given = bench.answers_given() - before
    return round(given / seconds), round(tried / given, 2)


def work(dsn: str, secrets: str) -> None:
    """Answer every event when told to begin."""
    database = Database(Endpoint(dsn, Secrets(Path(secrets))), max_size=2)
    process = Process(Desk(database))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(f"{process.drain()}\n")
    database.close()


if __name__ == "__main__":
    work(*sys.argv[1:])
