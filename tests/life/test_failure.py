"""A failed offer refunds everybody exactly once, whoever is killed on the way."""

from __future__ import annotations

import multiprocessing
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from bookrunner.app import Application
from bookrunner.core.errors import Refused
from bookrunner.db import Endpoint
from bookrunner.sandbox.raises.crowd import Crowd
from tests.attack.world import Connect
from tests.life.end_worker import end_until_killed

_EACH = """
select i.investment_id, i.status, i.amount_minor, count(f.refund_id), sum(f.amount_minor),
    count(distinct f.payee_fingerprint)
from engine.investment i left join treasury.receipt r using (offering_id, investment_id)
left join treasury.refund f using (offering_id, receipt_id) where i.offering_id = %s group by 1, 2, 3
"""
_LEFT = """
select count(*) filter (where account like 'liab:inv:%%' and amount_minor <> 0),
    sum(amount_minor) filter (where account = 'liab:refund_payable')
from treasury.trial_balance where offering_id = %s
"""


def kill_while_it_ends(endpoint: Endpoint, wait: Callable[[], None]) -> bool:
    """Run a worker and kill it after a wait; false when it had come to its end."""
    arguments = [endpoint.admin_dsn(), str(endpoint.secrets.folder)]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.life.end_worker", *arguments], stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"begun\n"
        wait()
        worker.kill()
        worker.wait(60)
        return b"done" not in worker.stdout.read()


def end(application: Application, connect: Connect, investors: int, pauses: Callable[[int], float]) -> int:
    """Fail a funded offer, kill three workers on the way, and return how many died before their end."""
    crowd = Crowd(application, investors=investors, seed=11)
    crowd.play_to_funds()
    application.desk.life.fail_offer(
        actor="issuer.iris", offering=crowd.offering, ended_as="halted", because="an order of the regulator"
    )
    died = 0
    for turn in range(3):
        pause = pauses(turn)
        died += kill_while_it_ends(application.endpoint, lambda pause=pause: time.sleep(pause))  # type: ignore[misc]
    application.process.drain()
    application.process.drain()
    check_refunds(application, connect, crowd)
    return died


def check_refunds(application: Application, connect: Connect, crowd: Crowd) -> None:
    """Everybody has ended once and is refunded in full once, and nobody gets in any more."""
    owner, investors = connect("owner"), len(crowd.people)

    def ask(question: str) -> list[tuple[Any, ...]]:
        return owner.execute(question.encode(), [crowd.offering]).fetchall()

    rows = ask(_EACH)
    assert len(rows) == investors
    for investment, status, amount, refunds, refunded, payees in rows:
        assert (status, refunds, refunded, payees) == ("closed_unsuccessfully", 1, amount, 1), investment
    assert ask(_LEFT) == [(0, sum(row[2] for row in rows))]
    ends = ask("select count(*) from audit.event where scope = %s and kind = 'investment.failed'")
    assert ends == [(investors,)]
    with pytest.raises(Refused) as late:
        application.desk.engine.open_investment(
            actor="ivr_late", offering=crowd.offering, investment="inv_late", investor="ivr_late", units=10
        )
    assert late.value.rule == "offer_is_open_to_new_money"


def test_three_kills_refund_each_of_sixty_once(application: Application, connect: Connect) -> None:
    chance = random.Random(7)
    assert end(application, connect, 60, lambda _: chance.uniform(0.0, 0.15)) > 0


@pytest.mark.timeout(600)
def test_a_kill_at_every_step_refunds_each_once(application: Application, connect: Connect) -> None:
    crowd = Crowd(application, investors=5, seed=12)
    crowd.play_to_funds()
    application.desk.life.fail_offer(
        actor="issuer.iris", offering=crowd.offering, ended_as="halted", because="an order of the regulator"
    )
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["tests.life.end_worker"])
    endpoint = application.endpoint
    died = 0
    for steps in count():
        arguments = (endpoint.admin_dsn(), str(endpoint.secrets.folder), steps)
        worker = forks.Process(target=end_until_killed, args=arguments)
        worker.start()
        worker.join()
        if worker.exitcode == 0:
            break
        assert worker.exitcode == -signal.SIGKILL
        died += 1
    assert died > 5, "what each worker left done makes the next one shorter, but not that short"
    application.process.drain()
    check_refunds(application, connect, crowd)


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_three_kills_refund_each_of_ten_thousand_once(application: Application, connect: Connect) -> None:
    chance = random.Random(7)
    assert end(application, connect, 10_000, lambda _: chance.uniform(1.0, 6.0)) == 3
