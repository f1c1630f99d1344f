"""Issuance while its submitter is killed and its chain battered: nobody twice, nobody missing."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from bookrunner.adapters.chain import Fees, Signer, Transaction
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app import Application, open_keys
from bookrunner.db import Endpoint, Row
from bookrunner.engine.issuance import Outcome, start_again
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.engine.battered import Battered, battered, until
from tests.engine.books import check_history_and_ledger, check_issued_once, members
from tests.engine.submitting import Run, Work

pytestmark = pytest.mark.chain

CHAIN = 31337
SEED = int(os.environ.get("BOOKRUNNER_TEST_SEED", "1"))
STRIKES = ("ahead", "shut", "stuck", "kill", "lag", "pool", "blocks")
MOST_STEPS = 8


@dataclass
class Raise:
    """A frozen closing, its battered chain, and what has struck it so far."""

    app: Application
    battered: Battered
    story: Story
    work: Work
    struck: Counter[str] = field(default_factory=Counter)
    differences: int = 0
    run: Run | None = None

    def running(self) -> Run:
        """Return the submitter; one that has ended gets a successor."""
        if self.run is None or not self.run.process.is_alive():
            self.run = Run(self.work)
        return self.run

    def is_over(self) -> bool:
        """Say whether the closing has nothing left to issue."""
        closing = self.app.desk.engine.closing(closing=self.work.closing)
        return bool(closing["status"] != "frozen")

    def waiting(self) -> list[Row]:
        """Return the transactions that are not final."""
        return list(self.app.desk.registry.unfinished(offering=self.work.offering))

    def offers(self) -> int:
        """Return how many further attempts wait beside a first one."""
        return sum(row["attempt_no"] > 1 for row in self.waiting())

    def usurp(self, key: Signer) -> bool:
        """Kill the submitter and take the nonce of a delivery that no block has; false without one."""
        run = self.running()
        with self.battered.held():
            place = self.app.chain.nonce(key.address)
            if not any(row["sender"] == key.address and row["nonce"] == place for row in self.waiting()):
                return False
            run.kill()
            self.battered.empty_pool()
            terms = Transaction(CHAIN, place, key.address, b"", 50_000, Fees(9 * 10**9, 9 * 10**9), 1)
            self.app.chain.send([key.sign(terms).raw])
            self.battered.mine(8)
        return True

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Let the submitter stand still meanwhile, wherever it is."""
        process = None if self.run is None else self.run.process
        if process is None or not process.is_alive():
            yield
            return
        os.kill(process.pid or 0, signal.SIGSTOP)
        try:
            yield
        finally:
            if process.is_alive():
                os.kill(process.pid or 0, signal.SIGCONT)

    def compare(self) -> set[tuple[str, str]]:
        """Check that a break names each holder in whom register and final chain differ, and no other."""
        offering, chain = self.work.offering, self.app.chain
        token = bytes(self.app.desk.offer(offering)["token_address"])
        with self.battered.held(), self.standing_still():
            registered, before = _registered(self.app, offering), None
            # The server finishes a posting that it was given before its caller stood still.
            while registered != before or _is_at_work(self.app):
                before = registered
                wallets = [row["address"] for row in self.app.desk.engine.holders_on_chain(offering=offering)]
                units = chain.balances(token, [bytes.fromhex(wallet) for wallet in wallets], "finalized")
                found = self.app.reconcile(offering, actor="reconciliation")
                registered = _registered(self.app, offering)
        expected = set()
        for wallet, held in zip(wallets, units, strict=True):
            if held != registered.get(wallet, 0):
                kind = "on_chain_not_registered" if wallet not in registered else "units_differ"
                expected.add((wallet, kind if held else "registered_not_on_chain"))
        named = {(row["subject_id"], row["kind"]) for row in found if row["comparison"] == "holdings"}
        assert named == expected
        self.differences += len(named)
        return named

    def strike(self, chance: random.Random, what: str) -> None:
        """Let one thing happen to the submitter or to its chain while it works."""
        run = self.running()
        until(lambda: run.reaches(chance.randint(1, MOST_STEPS)))
        time.sleep(chance.uniform(0, 0.2))
        getattr(self, f"_{what}")(run, chance)

    def _kill(self, run: Run, _: random.Random) -> None:
        self.struck["kill"] += run.kill()

    def _shut(self, _: Run, chance: random.Random) -> None:
        for door in self.battered.doors:
            door.state = "open"
        self.battered.doors[chance.randint(0, 1)].state = "shut"
        self.struck["shut"] += 1

    def _lag(self, _: Run, chance: random.Random) -> None:
        place = chance.randint(0, 1)
        self.battered.doors[place].state = "lagging"
        self.battered.doors[1 - place].state = "open"
        self.struck["lag"] += 1

    def _blocks(self, _: Run, __: random.Random) -> None:
        self.battered.lose_blocks()
        self.struck["blocks"] += 1

    def _pool(self, run: Run, _: random.Random) -> None:
        with self._caught(run) as is_caught:
            self.struck["pool"] += is_caught and self.battered.empty_pool() > 0

    def _stuck(self, run: Run, _: random.Random) -> None:
        """Mine nothing until more was offered for the same nonce."""
        with self._caught(run) as is_caught:
            before = self.offers()
            until(lambda: self.offers() > before or not run.process.is_alive(), 5)
            self.struck["stuck"] += is_caught and self.offers() > before

    def _ahead(self, run: Run, _: random.Random) -> None:
        """Stop the submitter before it can post what the chain has delivered, and kill it there."""
        with self._caught(run) as is_caught, self.standing_still():
            if is_caught:
                self.battered.mine(8)
                run.kill()
        self.struck["ahead"] += bool(self.compare())

    @contextmanager
    def _caught(self, run: Run) -> Iterator[bool]:
        """Hold the miner while a delivery waits in the pool; false when the submitter ended before."""
        while run.process.is_alive():
            with self.battered.held():
                if self.battered.waiting() and any(row["purpose"] == "deliver" for row in self.waiting()):
                    yield True
                    return
            time.sleep(0.002)
        yield False


@pytest.fixture
def chain() -> Iterator[Battered]:
    with battered(CHAIN) as lent:
        yield lent


@contextmanager
def frozen(endpoint: Endpoint, chain: Battered, folder: Path, size: tuple[int, int]) -> Iterator[Raise]:
    """Play a raise of so many investors and freeze it; a delivery has so many lines."""
    keys, (investors, lines) = folder / "keys", size
    pair = open_keys(keys, CHAIN, embedded=True)
    for key in (pair.agent, pair.treasury):
        chain.node.fund(key.address, 10**24)
    urls = tuple(door.url for door in chain.doors)
    with EvmChain(chain.node.url) as direct:
        app = Application(endpoint, direct, pair, pause=lambda: time.sleep(0.02))
        story = Story(app, investors=investors, seed=SEED)
        story.play(lambda: app.deploy_token(toolchain.ensure().artifacts, story.offering, story.units))
        closing = app.close_offer(story.offering, actor="operator.otto", ready=True)
        work = Work(endpoint, urls, keys, story.offering, closing, lines)
        raised = Raise(app, chain, story, work)
        yield raised
        if raised.run is not None:
            raised.run.kill()
        app.close()


def finish(raised: Raise) -> None:
    """Let the submitter work undisturbed until the closing is issued."""
    for door in raised.battered.doors:
        door.state = "open"
    for _ in range(5):
        if raised.is_over():
            return
        run = raised.running()
        assert run.wait() is not None, "the submitter hangs"
    pytest.fail(raised.run.said if raised.run else "nothing ran")


def check(raised: Raise) -> None:
    """Compare register, chain and control book holder by holder, and every event with its chain."""
    tools, node = toolchain.ensure(), raised.battered.node
    world = World(raised.app, raised.app.endpoint, tools, node.url, lambda: None)
    ready = {p.investment for p in raised.story.people[3:] if p is not raised.story.people[4]}
    assert members(world, raised.work.closing, "left") == set()
    assert members(world, raised.work.closing, "issued") == ready
    with raised.battered.held():
        raised.battered.mine(8)
        check_issued_once(world, raised.work.offering, ready)
    check_history_and_ledger(world, raised.work.offering)
    assert raised.compare() == set()


@pytest.mark.timeout(120)
def test_issuance_survives_one_of_each_strike(endpoint: Endpoint, chain: Battered, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with frozen(endpoint, chain, tmp_path, (40, 3)) as raised:
        for what in STRIKES:
            raised.strike(chance, what)
            raised.compare()
        finish(raised)
        check(raised)
        assert raised.struck["kill"]
        assert raised.differences, "no break was ever to be named"


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_a_thousand_issuances_survive_sixty_strikes(
    endpoint: Endpoint, chain: Battered, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    with frozen(endpoint, chain, tmp_path, (1_000, 8)) as raised:
        for number in range(60):
            if raised.is_over():
                break
            raised.strike(chance, STRIKES[number % len(STRIKES)])
            raised.compare()
        finish(raised)
        check(raised)
        assert all(raised.struck[what] for what in STRIKES), raised.struck


@pytest.mark.timeout(120)
def test_a_rival_on_the_treasury_key_costs_no_holding(
    endpoint: Endpoint, chain: Battered, tmp_path: Path
) -> None:
    """Somebody else's transaction takes the nonce of a delivery; two people start the key again."""
    with frozen(endpoint, chain, tmp_path, (12, 3)) as raised:
        treasury = raised.app.keys.treasury
        assert until(lambda: raised.usurp(treasury))
        run = raised.running()
        assert run.wait() == 1
        assert "chain_key_is_not_stopped" in run.said
        for actor in ("operator.one", "operator.two"):
            outcomes = [
                one
                for _, one in start_again(
                    raised.app.desk.registry,
                    raised.app.chain,
                    raised.work.offering,
                    actor=actor,
                    because="it was ours",
                )
            ]
        assert outcomes == [Outcome.STARTED]
        finish(raised)
        check(raised)


_REGISTERED = b"""
select encode(i.address, 'hex'), sum(i.units)::bigint from registry.issuance_instruction i
where i.offering_id = %s and i.status = 'posted' group by 1
"""


_AT_WORK = b"""
select exists (select from pg_stat_activity
    where datname = current_database() and state = 'active' and pid <> pg_backend_pid())
"""


def _is_at_work(app: Application) -> bool:
    """Say whether the server still runs a statement of somebody else."""
    with psycopg.connect(app.endpoint.owner_dsn()) as connection:
        (is_at_work,) = connection.execute(_AT_WORK).fetchone() or (False,)
        return bool(is_at_work)


def _registered(app: Application, offering: str) -> dict[str, int]:
    with psycopg.connect(app.endpoint.owner_dsn()) as connection:
        return dict(connection.execute(_REGISTERED, [offering]).fetchall())
