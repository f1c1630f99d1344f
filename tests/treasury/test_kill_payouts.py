"""SIGKILL of the worker between bank and commit, and of the bank: each refund is paid, none of them twice."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from bookrunner.db import Endpoint
from bookrunner.engine.intake import fingerprint
from bookrunner.sandbox.bank.book import Account
from bookrunner.sandbox.bank.server import configure
from tests.attack.world import Connect
from tests.treasury.counter import Counter, running
from tests.treasury.escrow import PRICE, Escrow
from tests.treasury.payout_worker import MOMENTS, WIRE

OPENED_ON = date(2026, 4, 1)
PATIENCE_SECONDS = 60


@dataclass
class Desk:
    """An offer whose refunds wait, the bank, and the workers that are started one after the other."""

    world: Escrow
    endpoint: Endpoint
    folder: Path
    stack: ExitStack
    kills: list[str] = field(default_factory=list)

    def open_bank(self) -> Counter:
        """Start the bank, again after it was killed."""
        return self.stack.enter_context(running(self.folder))

    def kill(self, bank: Counter, moment: str, after: int) -> bool:
        """Run a worker and kill it at a moment; false when it got to its end before."""
        return self.kill_at(moment, bank.url, moment, str(after))

    def kill_at(self, moment: str, *told: str) -> bool:
        """Run a worker with what it is told, and kill it at a moment."""
        arguments = (self.endpoint.admin_dsn(), str(self.endpoint.secrets.folder), self.world.offering, *told)
        with subprocess.Popen(
            [sys.executable, "-m", "tests.treasury.payout_worker", *arguments], stdout=subprocess.PIPE
        ) as worker:
            assert worker.stdout is not None
            said = worker.stdout.readline().decode().strip()
            worker.kill()
            worker.wait(PATIENCE_SECONDS)
        assert said in {moment, "done"}
        if said == moment:
            self.kills.append(moment)
        return said == moment

    def check(self, bank: Counter) -> None:
        """Compare the bank's book with ours, payment by payment and to the cent."""
        paid = bank.paid()
        assert all(len(amounts) == 1 for amounts in paid.values()), paid
        ours = dict(
            self.world.ask("select refund_id, amount_minor from treasury.refund where payout_id is not null")
        )
        with_bank = {payment: amounts[0] for payment, amounts in paid.items()}
        assert with_bank.items() <= ours.items()
        prepared = self.world.ask("select count(*) from treasury.payout where status = 'prepared'")[0][0]
        assert len(ours) - len(with_bank) <= prepared <= 1
        self.world.check()


@pytest.fixture
def desk(connect: Connect, endpoint: Endpoint, tmp_path: Path) -> Iterator[Desk]:
    """Return a desk without refunds, and end every bank that it opened."""
    configure(tmp_path / "bank", Account("ESCROW1", "USD", 5, OPENED_ON))
    with ExitStack() as stack:
        yield Desk(Escrow(connect), endpoint, tmp_path / "bank", stack)


def fill(world: Escrow, parts: int) -> int:
    """Let each investor pay in parts, fail the offer, and return how many refunds wait."""
    world.build("instructed")
    each = [
        world.entry(n, id=f"rcp_{n}p{part}", key=f"key-{n}-{part}", amount=n * PRICE // parts)
        for n in world.numbers
        for part in range(parts)
    ]
    world.pay("parts", *each)
    world.call("engine.move_offer", world.offering, "closed_unsuccessfully")
    waiting: int = world.call("treasury.refund_ended", world.offering, None, 1000)
    return waiting


def torment(desk: Desk, kills: int, parts: int) -> None:
    """Kill until it was often enough, then let a worker finish, and compare the books."""
    chance, waiting = random.Random(3), fill(desk.world, parts)
    bank = desk.open_bank()
    moments = MOMENTS[:3]
    while len(desk.kills) < kills:
        assert desk.kill(bank, moments[len(desk.kills) % 3], chance.randint(0, 1)), (
            "no refund is left to kill"
        )
        if len(desk.kills) % 5 == 0:
            bank.process.kill()
            bank.process.wait(PATIENCE_SECONDS)
            bank = desk.open_bank()
        desk.check(bank)
    assert not desk.kill(bank, "none", 0)
    desk.check(bank)
    assert len(bank.paid()) == waiting
    assert desk.world.ask("select status, count(*) from treasury.refund group by 1") == [("sent", waiting)]
    assert desk.world.ask("select distinct status from treasury.payout") == [("handed_over",)]
    assert desk.world.balance("asset:escrow_bank") == desk.world.balance("liab:refund_payable") == 0


def test_three_kills_pay_each_refund_once(desk: Desk) -> None:
    torment(desk, 3, parts=2)


def stray(world: Escrow) -> int:
    """Let each investor pay without a reference, long ago; return how many did."""
    given = {"reference": None, "booked_on": "2026-01-05"}
    each = [world.entry(n, id=f"rcp_stray{n}", key=f"stray-{n}", **given) for n in world.numbers]
    world.build("instructed")
    world.pay("strays", *each)
    return len(each)


def test_two_workers_return_what_nobody_owned_once(desk: Desk) -> None:
    strays, world = stray(desk.world), desk.world
    bank = desk.open_bank()
    with ThreadPoolExecutor(2) as pool:
        killed = list(pool.map(lambda moment: desk.kill(bank, moment, 0), ("returned", "sent")))
    assert killed[0]
    assert world.ask("select reason, count(*) from treasury.refund group by 1") == [("unidentified", strays)]
    assert not desk.kill(bank, "none", 0)
    desk.check(bank)
    assert len(bank.paid()) == strays
    assert world.ask("select distinct status from treasury.receipt") == [("refunding",)]


@pytest.mark.parametrize("moment", MOMENTS[:3])
def test_a_killed_return_is_finished_by_the_same_command(desk: Desk, tmp_path: Path, moment: str) -> None:
    world, folder = desk.world, tmp_path / "orders"
    world.build("instructed")
    known = {"marks": [WIRE.uetr.lower()], "fingerprint": fingerprint("ACC1").hex()}
    world.pay("stray", world.entry(1, reference=None, booked_on="2026-01-05", **known))
    refund = f"rfd_{world.id('rcp', 1)}"
    assert desk.kill_at(moment, str(folder), moment, "0", refund)
    assert not desk.kill_at("none", str(folder), "none", "0", refund)
    (path,) = folder.iterdir()
    content = world.ask("select status, purpose, content from treasury.payout")
    assert content == [("handed_over", "return", path.read_bytes())]
    assert world.ask("select status from treasury.refund") == [("sent",)]
    world.check()


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_fifty_kills_pay_each_refund_once(desk: Desk) -> None:
    torment(desk, 50, parts=25)
    assert {moment: desk.kills.count(moment) for moment in MOMENTS[:3]} == {
        "taken": 17,
        "stored": 17,
        "sent": 16,
    }
