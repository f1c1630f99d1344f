"""Splits on the real chain: minted, burned and posted once although workers die."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx
import psycopg
import pytest

from bookrunner.adapters.chain import Read
from bookrunner.adapters.chain.trex import identity_registry
from bookrunner.app import Application
from bookrunner.app.settings import Settings
from bookrunner.audit import verify_history
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World, opened
from tests.engine.split_worker import WALLETS_AT_ONCE, carry_until_killed
from tests.patience import PATIENT
from tests.stages import Install
from tests.stories.test_allocation_commands import told
from tests.stories.test_command_line import Run, refusal, run

__all__ = ["run"]

pytestmark = pytest.mark.chain

INVESTORS = 12
IRIS, THEO, TESS = ("--actor", "issuer.iris"), ("--actor", "agent.theo"), ("--actor", "agent.tess")


@pytest.fixture(scope="module")
def state(state_root: Path, install_at: Install) -> Path:
    """Return the directory of a raise that waits for its close."""
    install_at(state_root / "splits", INVESTORS)
    return state_root / "splits"


@pytest.fixture(scope="module")
def world(state: Path) -> Iterator[World]:
    """Play a raise to its successful end, with every holding registered."""
    with opened(Settings(state_dir=state)) as running:
        app = running.application
        story = Story(app, investors=INVESTORS)
        for ready in (True, False):
            closing = app.close_offer(story.offering, actor="operator.otto", ready=ready)
            app.run_closing(story.offering, closing)
            story.release(closing)
            if ready:
                story.repair()
        for status in ("legally_closed", "closed_successfully"):
            app.desk.engine.move_offer(actor="issuer.iris", offering=story.offering, status=status)
        yield running


@pytest.fixture
def story(world: World) -> Story:
    """Return the story of the raise that was played."""
    return Story(world.application, investors=INVESTORS)


@pytest.fixture
def here(run: Run, world: World, state: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a command in this installation."""
    assert world.application
    monkeypatch.setenv("BOOKRUNNER_STATE_DIR", str(state))
    return run


def control(app: Application, offering: str, kind: str) -> None:
    """Pause or resume by two people, on chain too."""
    action = {"offering": offering, "action": f"cta_{kind}_{clock.now():%H%M%S%f}"}
    app.desk.registry.ask_control(actor="agent.theo", **action, asked={"kind": kind, "because": "a split"})
    app.desk.registry.decide_control(actor="agent.tess", **action, is_approved=True, because="")
    assert app.controls.carry(offering) == 1


def agreed(app: Application, offering: str, **terms: object) -> str:
    """Propose and approve a split that takes effect at once."""
    split = f"spl_{clock.now():%H%M%S%f}"
    asked = {
        "effective_at": (clock.now() - timedelta(seconds=1)).isoformat(),
        "authority_sha256": "ab" * 32,
        "authority_reference": "resolution 7",
        **terms,
    }
    on = {"offering": offering, "split": split}
    app.desk.splits.propose_split(actor="issuer.iris", **on, asked=asked)
    app.desk.splits.decide_split(actor="agent.tess", **on, is_approved=True, because="")
    return split


def units(app: Application, offering: str) -> dict[str, int]:
    """Return what each holder has in the register."""
    rows = app.desk.registry.register_as_of(offering=offering, day=clock.today())
    return {row["investor_id"]: row["units"] for row in rows}


@contextmanager
def refusing_mints(
    world: World, offering: str, contract: Callable[[bytes], Read[bytes]] = identity_registry
) -> Iterator[None]:
    """Let a contract of the token answer nothing for a while: as it stands, the one that knows identities."""
    token = bytes(world.application.desk.offer(offering)["token_address"])
    (broken,) = world.application.chain.read([contract(token)])

    def ask(method: str, *params: str) -> str:
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        return str(
            httpx.post(world.node_url, json=asked, timeout=PATIENT).raise_for_status().json()["result"]
        )

    code = ask("eth_getCode", f"0x{broken.hex()}", "latest")
    ask("anvil_setCode", f"0x{broken.hex()}", "0x60006000fd")
    yield
    ask("anvil_setCode", f"0x{broken.hex()}", code)


def check(world: World, offering: str) -> None:
    """Compare chain, register, control book and history; nothing differs."""
    app = world.application
    assert app.reconcile(offering, actor="reconciliation") == []
    assert app.compare_records(offering, actor="agent.theo") == 0
    balance = app.desk.registry.balance(offering=offering)
    names = ("delivered_units", "register_units", "issued_units", "lot_units", "posted_units")
    assert {balance[name] for name in names} == {sum(units(app, offering).values())}
    assert app.watch_token(offering) == 0
    assert verify_history(app.database).ok


def test_a_worker_that_dies_at_any_step_splits_every_wallet_once(
    world: World, story: Story, state: Path
) -> None:
    app, offering = world.application, story.offering
    before = units(app, offering)
    control(app, offering, "pause")
    agreed(app, offering, new_units=3, for_units=2, fractions="cash", cash_price_minor=6_667)
    with refusing_mints(world, offering), pytest.raises(Refused, match=r"refuses 1[23] wallets") as unready:
        app.splits.carry(offering)
    assert unready.value.rule == "token_takes_every_wallet_of_the_split"
    assert app.desk.splits.splits(offering=offering)[0]["status"] == "approved"
    secrets = str(app.endpoint.secrets.folder)
    where = (app.endpoint.admin_dsn(), secrets, str(state / "keys"), world.node_url)
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["tests.engine.split_worker"])
    died = 0
    for steps in count(step=2):
        worker = forks.Process(target=carry_until_killed, args=(where, offering, steps))
        worker.start()
        worker.join()
        if worker.exitcode == 0:
            break
        assert worker.exitcode == -signal.SIGKILL
        died += 1
        assert app.reconcile(offering, actor="reconciliation") == []
    assert died > 3, "what each worker left done makes the next one shorter, but not that short"
    assert units(app, offering) == {holder: had * 3 // 2 for holder, had in before.items()}
    check(world, offering)
    with psycopg.connect(world.endpoint.admin_dsn()) as admin:
        minted = (
            "select count(*) from registry.chain_transaction where purpose = 'split' and status = 'final'"
        )
        (transactions,) = admin.execute(minted.encode()).fetchone() or (0,)
    assert transactions == -(-INVESTORS // WALLETS_AT_ONCE)
    assert app.splits.carry(offering) == 0
    offer = app.desk.offer(offering)
    assert offer["units_total"] == story.units * 3 // 2
    control(app, offering, "resume")


def test_a_hindrance_that_passes_meanwhile_lets_no_split_begin_unchecked(world: World, story: Story) -> None:
    app, offering = world.application, story.offering
    register, entry = app.desk.registry, {"offering": offering, "entry": "sub_passing"}
    control(app, offering, "pause")
    paper = {"side": "credit", "units": 1, "reference": "paper 1", "because": "no holding is named"}
    register.keep_apart(actor="agent.theo", **entry, **paper, owner="agent.theo")
    split = agreed(app, offering, new_units=2, for_units=1, fractions="round_up")
    holder = next(iter(units(app, offering)))
    with (
        psycopg.connect(world.endpoint.admin_dsn(), autocommit=True) as admin,
        ThreadPoolExecutor(1) as other,
    ):
        found = admin.execute(b"select holding_id from registry.holding where investor_id = %s", [holder])
        (holding,) = found.fetchone() or ("",)
        with refusing_mints(world, offering):
            with register.together() as within:
                within.compare_records(actor="agent.theo", offering=offering, chain=None)
                ended = {"holding": holding, "because": "it is of that holder"}
                within.resolve_entry(actor="agent.tess", **entry, **ended)
                carried = other.submit(app.splits.carry, offering)
                blocked = b"select from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0"
                while not carried.done() and not admin.execute(blocked).fetchall():
                    pass
            with pytest.raises(Refused, match="split_meets_records_that_agree"):
                carried.result()
    assert app.desk.splits.splits(offering=offering)[0]["status"] == "approved"
    on = {"offering": offering, "split": split}
    app.desk.splits.abandon_split(actor="agent.tess", **on, because="another ratio")
    control(app, offering, "resume")


def test_a_worker_begins_a_reverse_split_by_the_pause_alone(world: World, story: Story) -> None:
    app, offering = world.application, story.offering
    before = units(app, offering)
    split = agreed(app, offering, new_units=1, for_units=7, fractions="round_half")
    app.tend(look_seconds=0)
    assert app.desk.splits.splits(offering=offering)[0]["status"] == "approved"
    control(app, offering, "pause")
    app.tend()
    (row,) = (one for one in app.desk.splits.splits(offering=offering) if one["split_id"] == split)
    assert row["status"] == "executed"
    assert units(app, offering) == {holder: (2 * had + 7) // 14 for holder, had in before.items()}
    check(world, offering)
    control(app, offering, "resume")
    assert app.reconcile(offering, actor="reconciliation") == []


def test_the_commands_propose_decide_and_carry(here: Run, world: World, story: Story, tmp_path: Path) -> None:
    app, offer, paper = world.application, story.offering, tmp_path / "resolution.pdf"
    paper.write_text("resolution 9")
    terms = ("--new", "2", "--for", "1", "--fractions", "round_half", "--paper", str(paper))
    ask = ("split", "propose", offer, *terms, "--reference", "resolution 9", *IRIS)
    assert "split_states_its_moment" in refusal(here(*ask, "--at", "2026-01-01"))
    (line,) = told(here(*ask, "--at", "2026-01-01T12:00:00+00:00"))
    split = line.split()[0]
    approved = told(here("split", "approve", offer, split, *TESS))
    assert approved[-1] == "waits for: split_meets_a_paused_security"
    before = units(app, offer)
    control(app, offer, "pause")
    assert told(here("split", "carry", offer)) == ["1 executed"]
    assert units(app, offer) == {holder: had * 2 for holder, had in before.items()}
    check(world, offer)
    shown = "\n".join(told(here("split", "show", offer, split)))
    assert "executed, 2 for 1" in shown
    assert "still to change: 0" in shown
    other = agreed(app, offer, new_units=3, for_units=1, fractions="round_up")
    because = ("--because", "not now")
    assert told(here("split", "abandon", offer, other, *because, *THEO)) == [f"{other}: abandoned"]
    third = told(here(*ask, "--at", "2026-01-01T12:00:00+00:00"))[0].split()[0]
    assert told(here("split", "decline", offer, third, *because, *TESS)) == [f"{third}: declined"]
    assert "declined" in "\n".join(told(here("split", "list", offer)))
