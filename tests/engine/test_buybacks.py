"""Buy-backs on the real chain: burned, cancelled and owed once although workers die."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import psycopg
import pytest

from bookrunner.app import Application
from bookrunner.app.settings import Settings
from bookrunner.core import clock
from bookrunner.sandbox.bank import Payment, StatementHead, write_statement
from bookrunner.sandbox.story import ESCROW_ACCOUNT, Story
from bookrunner.sandbox.world import World, opened
from tests.engine.buyback_worker import WALLETS_AT_ONCE, carry_until_killed
from tests.engine.test_splits import check, units
from tests.stories.test_allocation_commands import told
from tests.stories.test_command_line import Run, refusal, run

__all__ = ["run"]

pytestmark = pytest.mark.chain

INVESTORS = 12
PRICE = 9_000_00
IRIS, TESS = "issuer.iris", "agent.tess"
FLO, GUS = "fund.flo", "fund.gus"


@pytest.fixture(scope="module")
def state(state_root: Path) -> Path:
    """Return a directory that the first start makes."""
    return state_root / "buybacks"


@pytest.fixture(scope="module")
def world(state: Path) -> Iterator[World]:
    """Play a raise until every holding is registered."""
    with opened(Settings(state_dir=state)) as running:
        app = running.application
        story = Story(app, investors=INVESTORS)
        story.play(lambda: app.deploy_token(running.tools.artifacts, story.offering, story.units))
        for ready in (True, False):
            closing = app.close_offer(story.offering, actor="operator.otto", ready=ready)
            app.run_closing(story.offering, closing)
            story.release(closing)
            if ready:
                story.repair()
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


def invited(app: Application, offering: str, **terms: object) -> str:
    """Propose and open a buy-back whose window ends in a moment; wait for that after the offers."""
    made = f"bbk_{clock.now():%H%M%S%f}"
    asked = {
        "kind": "tender",
        "price_minor": PRICE,
        "periods_bind": False,
        "opens_at": (clock.now() - timedelta(seconds=1)).isoformat(),
        "closes_at": (clock.now() + timedelta(seconds=4)).isoformat(),
        "authority_sha256": "ab" * 32,
        "authority_reference": "resolution 8",
        **terms,
    }
    on = {"offering": offering, "buyback": made}
    app.desk.buybacks.propose_buyback(actor=IRIS, **on, asked=asked)
    app.desk.buybacks.decide_buyback(actor=TESS, **on, is_approved=True, because="")
    return made


def accepted(app: Application, offering: str, made: str) -> None:
    """Accept when the window is over."""
    (row,) = (one for one in app.desk.buybacks.buybacks(offering=offering) if one["buyback_id"] == made)
    time.sleep(max(0.0, (row["closes_at"] - clock.now()).total_seconds()) + 0.1)
    app.desk.buybacks.accept_buyback(actor=IRIS, offering=offering, buyback=made)


def start(app: Application, offering: str, made: str, number: int) -> str:
    """Draft, approve and fund what pays a buy-back, and start its payment."""
    paid = app.buybacks.draft(offering, made, pay_on=clock.today(), actor=FLO)
    app.screening.drain()
    approve(app, offering, paid)
    fund(app, offering, paid, number)
    assert app.distributions.start(offering, paid, actor=FLO) == 0
    return paid


def approve(app: Application, offering: str, paid: str) -> None:
    """Let another person approve what it sees."""
    seen = app.distributions.standing(offering, paid)["version"]
    app.distributions.terms.approve_distribution(actor=GUS, offering=offering, distribution=paid, seen=seen)


def fund(app: Application, offering: str, paid: str, number: int) -> None:
    """Let the issuer's wire arrive for exactly what is paid."""
    amount = app.distributions.standing(offering, paid)["distributable_minor"]
    wire = Payment(amount, None, "Example Issuer Inc.", "ISSUER-OPERATING", clock.today())
    with psycopg.connect(app.endpoint.admin_dsn()) as admin:
        ask = "select closing_minor from treasury.statement order by closing_minor desc limit 1"
        ((closed,),) = admin.execute(ask.encode()).fetchall()
    head = StatementHead(ESCROW_ACCOUNT, "USD", number, clock.today(), closed)
    app.import_statement(offering, write_statement(head, [wire]), actor="fundadmin.fay")
    app.answer()
    rows = app.distributions.payments.unowned_receipts(offering=offering)
    (row,) = (one for one in rows if one["amount_minor"] == amount)
    app.distributions.payments.fund_distribution(
        actor=FLO, offering=offering, distribution=paid, receipt=row["receipt_id"], seen=row["version"]
    )


def test_a_worker_that_dies_at_any_step_burns_and_owes_every_line_once(
    world: World, story: Story, state: Path
) -> None:
    app, offering = world.application, story.offering
    assert app.reconcile(offering, actor="reconciliation") == []
    before = units(app, offering)
    half = sum(before.values()) // 2
    made = invited(app, offering, most_units=half)
    for holder, had in before.items():
        named = {"buyback": made, "tender": f"tnd_{holder[4:]}", "investor": holder}
        app.desk.buybacks.tender(actor=holder, offering=offering, **named, units=had, paper_sha256=None)
    accepted(app, offering, made)
    rows = app.desk.buybacks.redemption_lines(offering=offering, buyback=made)
    taken = {row["investor_id"]: row["units"] for row in rows}
    assert sum(taken.values()) == half
    paid = start(app, offering, made, 2)
    rows = app.desk.buybacks.redemption_lines(offering=offering, buyback=made)
    waiting = {row["investor_id"] for row in rows if row["waits_for"] is not None}
    assert len(taken) - len(waiting) > WALLETS_AT_ONCE
    secrets = str(app.endpoint.secrets.folder)
    where = (app.endpoint.admin_dsn(), secrets, str(state / "keys"), world.node_url)
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["tests.engine.buyback_worker"])
    died = 0
    for steps in count():
        worker = forks.Process(target=carry_until_killed, args=(where, offering, steps))
        worker.start()
        worker.join()
        if worker.exitcode == 0:
            break
        assert worker.exitcode == -signal.SIGKILL
        died += 1
        assert app.reconcile(offering, actor="reconciliation") == []
        left = units(app, offering)
        gone = {holder for holder, had in before.items() if left[holder] != had}
        owed = {
            line["investor_id"] for line in app.distributions.lines(offering, paid)
            if line["status"] != "entitled"
        }  # fmt: skip
        assert owed <= gone, "nobody is owed money for units that are there"
    assert died > 4, "what each worker left done makes the next one shorter, but not that short"
    app.distributions.look(clock.today())
    gone = {holder: n for holder, n in taken.items() if holder not in waiting}
    assert units(app, offering) == {holder: had - gone.get(holder, 0) for holder, had in before.items()}
    lines = {line["investor_id"]: line for line in app.distributions.lines(offering, paid)}
    assert {holder for holder, line in lines.items() if line["status"] == "owed"} == set(gone)
    assert {holder: lines[holder]["net_minor"] for holder in gone} == {
        holder: n * PRICE for holder, n in gone.items()
    }
    check(world, offering)
    with psycopg.connect(world.endpoint.admin_dsn()) as admin:
        burned = "select count(*) from registry.movement where kind = 'redemption'"
        (movements,) = admin.execute(burned.encode()).fetchone() or (0,)
    assert movements == len(gone)
    assert app.buybacks.carry(offering) == 0


def test_the_commands_take_a_buy_back_from_its_terms_to_its_draft(
    here: Run, world: World, story: Story, tmp_path: Path
) -> None:
    app, offer, paper = world.application, story.offering, tmp_path / "resolution.pdf"
    paper.write_text("resolution 8")
    window = ("--opens", "2026-01-01T12:00:00+00:00", "--closes")
    terms = ("--price", "9000.00", "--units", "1", "--paper", str(paper), "--reference", "resolution 8")
    ask = ("buyback", "propose", offer, *terms, "--actor", IRIS, *window)
    later = "2099-01-01T12:00:00+00:00"
    assert "buyback_states_its_moment" in refusal(here(*ask, "2099-01-01"))
    made = told(here(*ask, later))[0].split()[0]
    because = ("--because", "not now")
    decline = here("buyback", "decline", offer, made, *because, "--actor", TESS)
    assert told(decline) == [f"{made}: declined"]
    made = told(here(*ask, later))[0].split()[0]
    assert told(here("buyback", "approve", offer, made, "--actor", TESS)) == [f"{made}: open"]
    holder = next(name for name, had in units(app, offer).items() if had > 1)
    by = ("--actor", holder)
    told(here("buyback", "tender", offer, made, holder, "2", *by))
    told(here("buyback", "withdraw", offer, made, holder, *by))
    told(here("buyback", "tender", offer, made, holder, "2", *by))
    assert "window_is_over_before_acceptance" in refusal(
        here("buyback", "accept", offer, made, "--actor", IRIS)
    )
    abandon = here("buyback", "abandon", offer, made, *because, "--actor", TESS)
    assert told(abandon) == [f"{made}: abandoned"]
    soon = (clock.now() + timedelta(seconds=8)).isoformat()
    made = told(here(*ask, soon))[0].split()[0]
    told(here("buyback", "approve", offer, made, "--actor", TESS))
    told(here("buyback", "tender", offer, made, holder, "2", *by))
    time.sleep(max(0.0, (datetime.fromisoformat(soon) - clock.now()).total_seconds()) + 0.1)
    accept = here("buyback", "accept", offer, made, "--actor", IRIS)
    assert told(accept) == [f"{made}: accepted from 1 holders"]
    let_go = (*because, "--actor", TESS)
    early = here("buyback", "release-line", offer, made, holder, *let_go)
    assert "released_line_has_its_price_set_apart" in refusal(early)
    none = here("buyback", "agree-release", offer, made, "lnr_none", *let_go)
    assert "line_release_exists" in refusal(none)
    app.reconcile(offer, actor="reconciliation")
    app.distributions.look(clock.today())
    assert "day_is_a_date" in refusal(
        here("buyback", "draft", offer, made, "--pay-on", "soon", "--actor", FLO)
    )
    told(here("buyback", "draft", offer, made, "--pay-on", clock.today().isoformat(), "--actor", FLO))
    assert told(here("buyback", "carry", offer)) == ["0 owed"]
    assert made in "\n".join(told(here("buyback", "list", offer)))
    shown = "\n".join(told(here("buyback", "show", offer, made)))
    assert "accepted, 9,000.00" in shown
    assert shown.endswith(": draft")
