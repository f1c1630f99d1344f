"""What a crash can leave half done in a closing, each case by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app import Application, open_keys
from bookrunner.app.settings import Settings
from bookrunner.core.errors import Refused
from bookrunner.engine.closing import finish_release
from bookrunner.engine.issuance import Deliveries, Target
from bookrunner.engine.process.workflow import ClosingStopped, Workflows
from bookrunner.sandbox.node import Node
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World, opened, worker_seat
from tests.engine.books import check_history_and_ledger, check_issued_once, members

pytestmark = pytest.mark.chain

INVESTORS = 10
OTTO = "operator.otto"


@pytest.fixture(scope="module")
def state(state_root: Path) -> Path:
    """Return a state directory whose treasury key sorts before the agent's, as half of all pairs do."""
    folder = state_root / "recovery"
    folder.mkdir(mode=0o711)
    while True:
        keys = open_keys(folder / "keys", 31337, embedded=True)
        if keys.treasury.address < keys.agent.address:
            return folder
        for path in (folder / "keys").iterdir():
            path.unlink()


@pytest.fixture
def world(state: Path) -> Iterator[World]:
    """Start the installation, with one line a delivery; the first start plays the raise."""
    with opened(Settings(state_dir=state, delivery_lines=1)) as running:
        story = Story(running.application, investors=INVESTORS)
        app = running.application
        if not story.exists():
            story.play(lambda: app.deploy_token(running.tools.artifacts, story.offering, story.units))
        yield running


def test_a_half_done_closing_is_finished_by_two_runs_at_once(world: World) -> None:
    app = world.application
    story = Story(app, investors=INVESTORS)
    offering, token = story.offering, bytes(app.desk.engine.offer(offering=story.offering)["token_address"])
    closing = app.close_offer(offering, actor=OTTO, ready=True)
    frozen = members(world, closing, "frozen")
    poisoned, first = max(frozen), min(frozen)
    run = app._closings
    signing = (app.chain, app.keys, app.submitter)
    deliveries = Deliveries(app.desk, signing, Target(offering, closing, token), lines=1)
    waiting = run._waits(offering, closing)
    app.screening.for_issuance([row["investor_id"] for row in waiting])
    run._instruct(offering, closing, waiting)
    deliveries.register()
    app.submitter.settle(offering, token)
    # The chain refused a wallet, and the process died before the member could leave.
    app.desk.registry.stop(
        actor="process", offering=offering, investments=[poisoned], because="receiver_is_not_frozen"
    )
    assert deliveries.sign_batch(1)
    app.submitter.send_unfinished(offering)
    app.submitter.settle(offering, token)
    for late in (first, sorted(frozen)[1]):
        with pytest.raises(Refused, match="member_leaves_before_its_units_move"):
            run._leave(offering, closing, [late], "too late")
    # The gate of one that is already registered closes: it stays a member, and its holding is held.
    app.desk.compliance.declare_owner(
        actor="officer.olga",
        investor=next(p.investor for p in story.people if p.investment == first),
        owner="own_late",
        share_bp=3000,
        controls=False,
        is_identified=False,
    )
    with ThreadPoolExecutor(2) as pair:
        runs = [pair.submit(app.run_closing, offering, closing) for _ in range(2)]
        issued = [each.result() for each in runs]
    assert {name for name, _ in left(world, closing)} == {poisoned}, left(world, closing)
    assert len(frozen) - 1 in issued
    assert members(world, closing, "issued") == frozen - {poisoned}
    assert app.desk.engine.closing(closing=closing)["status"] == "issued"


def test_a_restart_brings_the_chain_back_final(world: World) -> None:
    app = world.application
    story = Story(app, investors=INVESTORS)
    (closing,) = (row["closing_id"] for row in app.desk.engine.closings(offering=story.offering))
    issued = members(world, closing, "issued")
    breaks = {(b["comparison"], b["kind"]) for b in app.reconcile(story.offering, actor="reconciliation")}
    assert "holdings" not in {comparison for comparison, _ in breaks}
    totals = app.totals(story.offering)
    assert totals["chain_units"] == totals["registered_units"] > 0
    assert len(issued) == totals["holdings"]


def test_a_certified_closing_keeps_its_certificate(world: World) -> None:
    app = world.application
    story = Story(app, investors=INVESTORS)
    (closing,) = (row["closing_id"] for row in app.desk.engine.closings(offering=story.offering))
    story.release(closing)
    kept = app.desk.engine.certificate(offering=story.offering, closing=closing)["canonical"]
    assert finish_release(app.desk, story.offering, closing) == kept


def test_the_next_start_takes_over_what_failed_and_what_a_dead_executor_left(world: World) -> None:
    app = world.application
    story = Story(app, investors=INVESTORS)
    before = members_of_all(app, world, story)
    story.repair()
    closing = app.close_offer(story.offering, actor=OTTO, ready=True)
    frozen = members(world, closing, "frozen")
    assert app.open_closings() == [(story.offering, closing)]

    tries = []

    def refuses(offering: str, closing: str) -> int:
        tries.append(closing)
        raise Refused("token_is_not_paused", f"{offering} {closing}")

    failing = Workflows(world.endpoint, refuses)
    failing.start(app.open_closings())
    with pytest.raises(ClosingStopped, match="token_is_not_paused"):
        failing.wait(closing)
    assert tries.count(closing) == 1, "nothing is tried again by itself"
    failing.keep_trying(app.open_closings, seconds=1)
    deadline = time.monotonic() + 30
    while tries.count(closing) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    failing.stop()
    assert tries.count(closing) >= 3

    began, released = threading.Event(), threading.Event()

    def hangs(offering: str, closing: str) -> int:
        began.set()
        released.wait(60)
        raise Refused("executor_is_alive", f"{offering} {closing}")

    dying = Workflows(world.endpoint, hangs)
    dying.start(app.open_closings())
    assert began.wait(30)
    dying.stop()

    survivor = Workflows(world.endpoint, app.run_closing)
    assert survivor.executor != dying.executor
    survivor.start(app.open_closings())
    assert survivor.wait(closing) == len(frozen)
    survivor.stop()
    released.set()
    assert app.open_closings() == []
    check_issued_once(world, story.offering, before | frozen, displays_all=False)
    check_history_and_ledger(world, story.offering)


def test_a_strangers_node_on_our_old_port_is_not_ours(state: Path, world: World) -> None:
    note = (state / "node.url").read_text()
    with Node.start(world.tools, chain_id=31337) as stranger:
        (state / "node.url").write_text(f"{stranger.url} {note.partition(' ')[2]}")
        with opened(Settings(state_dir=state)) as second:
            assert second.node_url not in {stranger.url, world.node_url}
            with EvmChain(stranger.url) as chain:
                assert chain.nonce(open_keys(state / "keys", 31337, embedded=True).agent.address) == 0


def test_one_process_at_a_time_works_off_closings(state: Path) -> None:
    with worker_seat(state) as first, worker_seat(state) as second:
        assert (first, second) == (True, False)
    with worker_seat(state) as again:
        assert again


def left(world: World, closing: str) -> list[tuple[str, str]]:
    """Return who left a closing, and why."""
    gone = b"select investment_id, left_because from engine.closing_member where status = 'left'"
    with psycopg.connect(world.endpoint.admin_dsn()) as admin:
        return admin.execute(gone + b" and closing_id = %s", [closing]).fetchall()


def members_of_all(app: Application, world: World, story: Story) -> set[str]:
    """Return every investment that a closing of the offer has issued."""
    closings = app.desk.engine.closings(offering=story.offering)
    return set().union(*(members(world, row["closing_id"], "issued") for row in closings))
