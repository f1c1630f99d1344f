"""SIGKILL of the worker between bank and commit: each line is paid once, and a second start pays nobody."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

from bookrunner.db import Database, Endpoint
from bookrunner.sandbox.bank.book import Account
from bookrunner.sandbox.bank.server import configure
from tests.attack.world import Connect
from tests.servicing.line_worker import MOMENTS
from tests.servicing.paying import Payer, pool
from tests.servicing.paying import distributions as opened
from tests.treasury.counter import Counter, running

PATIENCE_SECONDS = 60
HOLDERS = 7


def _work(endpoint: Endpoint, world: Payer, bank: Counter, moment: str) -> str:
    """Run a worker, and kill it where it stands still; return what it said last."""
    arguments = (endpoint.admin_dsn(), str(endpoint.secrets.folder), world.offering, bank.url, moment)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.servicing.line_worker", *arguments], stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout is not None
        said = worker.stdout.readline().decode().strip()
        worker.kill()
        worker.wait(PATIENCE_SECONDS)
    return said


def _check(world: Payer, bank: Counter) -> None:
    paid = bank.paid()
    assert all(len(amounts) == 1 for amounts in paid.values()), paid
    ours = dict(
        world.ask(
            "select disbursement_id, amount_minor from treasury.disbursement where payout_id is not null"
        )
    )
    assert {payment: amounts[0] for payment, amounts in paid.items()}.items() <= ours.items()
    world.check()


def test_three_kills_pay_each_line_once(
    connect: Connect, endpoint: Endpoint, database: Database, tmp_path: Path
) -> None:
    configure(tmp_path, Account("ESCROW1", "USD", 5, date(2026, 4, 1)))
    world = Payer(connect, investors=HOLDERS)
    world.hold()
    runs = opened(database)
    distribution = world.ready(runs, pool())
    assert runs.start(world.offering, distribution, actor="usr_first") == HOLDERS
    with running(tmp_path) as bank:
        for moment in MOMENTS:
            assert _work(endpoint, world, bank, moment) == moment
            _check(world, bank)
        assert _work(endpoint, world, bank, "none") == "done"
        _check(world, bank)
        assert len(bank.paid()) == HOLDERS
        assert runs.start(world.offering, distribution, actor="usr_first") == 0
        assert _work(endpoint, world, bank, "taken") == "done"
        assert len(bank.paid()) == HOLDERS
    assert world.ask("select status, count(*) from treasury.disbursement group by 1") == [("paying", HOLDERS)]
    assert world.ask("select distinct status from treasury.payout") == [("handed_over",)]
