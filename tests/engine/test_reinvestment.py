"""Reinvestment on the real chain: minted and posted once although workers die."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import psycopg
import pytest

from bookrunner.app import Application
from bookrunner.app.settings import Settings
from bookrunner.core import clock
from bookrunner.core.ids import new_id
from bookrunner.engine.life.servicing.distributions import Terms
from bookrunner.sandbox.bank import Payment, StatementHead, write_statement
from bookrunner.sandbox.story import ESCROW_ACCOUNT, Story
from bookrunner.sandbox.world import World, opened
from tests.engine.reinvest_worker import WALLETS_AT_ONCE, carry_until_killed
from tests.engine.test_buybacks import approve
from tests.engine.test_conversions import authorise
from tests.engine.test_splits import check, control, units
from tests.stages import Install
from tests.stories.test_allocation_commands import told
from tests.stories.test_command_line import Run, refusal, run

__all__ = ["run"]

pytestmark = pytest.mark.chain

INVESTORS = 12
PRICE = 100_00
IRIS, TESS, FLO = ("--actor", "issuer.iris"), ("--actor", "agent.tess"), "fund.flo"
PERSON = ("--actor", "agent.theo")


@pytest.fixture(scope="module")
def state(state_root: Path, install_at: Install) -> Path:
    """Return the directory of a raise that waits for its close."""
    install_at(state_root / "reinvestment", INVESTORS)
    return state_root / "reinvestment"


@pytest.fixture(scope="module")
def world(state: Path) -> Iterator[World]:
    """Play a raise to its successful end, with every holding registered for days and a plan in force."""
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
        backdate(app, "registry.posting", "posted_at = posted_at - interval '3 days'")
        authorise(app, story.offering, 1_000_000)
        planned(app, story.offering)
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


def backdate(app: Application, table: str, change: str) -> None:
    """Change moments that stand in a table; its triggers look away."""
    with psycopg.connect(app.endpoint.admin_dsn()) as admin:
        admin.execute(f"alter table {table} disable trigger user".encode())
        admin.execute(f"update {table} set {change}".encode())  # noqa: S608
        admin.execute(f"alter table {table} enable trigger user".encode())


def planned(app: Application, offering: str) -> None:
    """Put a plan in force under which every holder takes all it is paid in units, since days ago."""
    plan = new_id("rpl")
    asked = {
        "price_minor": PRICE,
        "cutoff_days": 1,
        "from_on": (clock.today() + timedelta(days=2)).isoformat(),
        "most_units": 1_000_000,
        "authority_sha256": "ab" * 32,
        "authority_reference": "resolution 9",
    }
    desk = app.desk.reinvestment
    desk.propose_plan(actor="issuer.iris", offering=offering, plan=plan, asked=asked)
    decided = {"is_approved": True, "because": "", "seen": 1}
    desk.decide_plan(actor="agent.tess", offering=offering, plan=plan, **decided)
    backdate(app, "registry.reinvestment_plan", "from_on = from_on - 30")
    for holder in units(app, offering):
        said = {"investor": holder, "share_bp": 10_000, "paper_sha256": None}
        desk.elect_reinvestment(actor=holder, offering=offering, election=new_id("elc"), **said)
    backdate(app, "registry.reinvestment_election", "given_at = given_at - interval '3 days'")


def started(app: Application, offering: str, number: int) -> str:
    """Draft, approve, fund and start a distribution that pays each unit somewhat more than a price."""
    app.reconcile(offering, actor="reconciliation")
    app.compare_records(offering, actor="agent.theo")
    yesterday = clock.today() - timedelta(days=1)
    pool = sum(units(app, offering).values()) * (PRICE * 3 // 2)
    terms = Terms(record_on=yesterday, pay_on=yesterday, available_minor=pool)
    run = app.distributions.draft(offering, terms, actor=FLO)
    app.screening.drain()
    approve(app, offering, run)
    row = app.distributions.standing(offering, run)
    wire = Payment(
        row["distributable_minor"] - row["reinvested_minor"],
        None,
        "Example Issuer Inc.",
        "ISSUER-OPERATING",
        clock.today(),
    )
    with psycopg.connect(app.endpoint.admin_dsn()) as admin:
        ask = "select closing_minor from treasury.statement order by closing_minor desc limit 1"
        ((closed,),) = admin.execute(ask.encode()).fetchall()
    head = StatementHead(ESCROW_ACCOUNT, "USD", number, clock.today(), closed)
    app.import_statement(offering, write_statement(head, [wire]), actor="fundadmin.fay")
    app.answer()
    (found,) = app.distributions.payments.unowned_receipts(offering=offering)
    app.distributions.payments.fund_distribution(
        actor=FLO, offering=offering, distribution=run, receipt=found["receipt_id"], seen=found["version"]
    )
    app.distributions.start(offering, run, actor=FLO)
    return run


def test_a_worker_that_dies_at_any_step_issues_every_unit_once(
    world: World, story: Story, state: Path
) -> None:
    app, offering = world.application, story.offering
    before = units(app, offering)
    run = started(app, offering, 2)
    rows = app.reinvestments.runs.reinvested(offering=offering, distribution=run)
    given = {row["investor_id"]: row["units"] for row in rows if row["units"]}
    waiting = {row["investor_id"] for row in app.desk.reinvestment.hindered_lines(offering=offering)}
    assert len(given) - len(waiting) > WALLETS_AT_ONCE, rows
    secrets = str(app.endpoint.secrets.folder)
    where = (app.endpoint.admin_dsn(), secrets, str(state / "keys"), world.node_url)
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["tests.engine.reinvest_worker"])
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
        now = units(app, offering)
        assert all(now[holder] - had in (0, given.get(holder, 0)) for holder, had in before.items())
    assert died > 4, "what each worker left done makes the next one shorter, but not that short"
    issued = {holder: n for holder, n in given.items() if holder not in waiting}
    assert units(app, offering) == {holder: had + issued.get(holder, 0) for holder, had in before.items()}
    check(world, offering)
    with psycopg.connect(world.endpoint.admin_dsn()) as admin:
        moved = "select count(*) from registry.movement where kind = 'reinvestment'"
        (movements,) = admin.execute(moved.encode()).fetchone() or (0,)
        minted = "select count(*) from registry.chain_transaction where purpose = 'reinvestment'"
        (transactions,) = admin.execute(minted.encode()).fetchone() or (0,)
    assert movements == len(issued)
    assert transactions == -(-len(issued) // WALLETS_AT_ONCE)
    assert app.reinvestments.carry(offering) == 0
    cash = sum(row["cash_minor"] for row in rows)
    owed = sum(
        line["net_minor"] for line in app.distributions.lines(offering, run) if line["status"] != "paid"
    )
    assert owed == cash


def test_a_worker_issues_by_itself_once_nothing_hinders(world: World, story: Story) -> None:
    app, offering = world.application, story.offering
    before = sum(units(app, offering).values())
    control(app, offering, "pause")
    run = started(app, offering, 3)
    rows = app.reinvestments.runs.reinvested(offering=offering, distribution=run)
    assert {row["because"] for row in rows} == {None}, rows
    app.tend(look_seconds=0)
    assert sum(units(app, offering).values()) == before
    waits = {row["rule"] for row in app.desk.reinvestment.hindered_lines(offering=offering)}
    assert waits == {"security_is_not_paused"}
    control(app, offering, "resume")
    app.tend(look_seconds=0)
    # What still hinders somebody is no pause.
    left = {row["investor_id"] for row in app.desk.reinvestment.hindered_lines(offering=offering)}
    gained = sum(row["units"] for row in rows if row["investor_id"] not in left)
    assert sum(units(app, offering).values()) == before + gained > before
    check(world, offering)


def test_the_commands_take_a_plan_from_its_terms_to_its_end(
    here: Run, world: World, story: Story, tmp_path: Path
) -> None:
    offer, paper = story.offering, tmp_path / "resolution.pdf"
    paper.write_text("resolution 9")
    run = started(world.application, offer, 4)
    world.application.tend(look_seconds=0)
    holder = next(iter(units(world.application, offer)))
    first = (clock.today() + timedelta(days=4)).isoformat()
    terms = ("--price", "95.00", "--cutoff", "3", "--units", "500", "--paper", str(paper))
    ask = ("reinvestment", "propose", offer, *terms, "--reference", "resolution 9", *IRIS)
    assert "day_is_a_date" in refusal(here(*ask, "--from", "soon"))
    plan = told(here(*ask, "--from", first))[0].split()[0]
    decline = ("reinvestment", "decline", offer, plan, "--because", "not now", "--seen", "1", *TESS)
    assert told(here(*decline)) == [f"{plan}: declined"]
    plan = told(here(*ask, "--from", first))[0].split()[0]
    seen = ("--seen", "1")
    assert "plan_needs_two_people" in refusal(here("reinvestment", "approve", offer, plan, *seen, *IRIS))
    assert told(here("reinvestment", "approve", offer, plan, *seen, *TESS)) == [f"{plan}: in force"]
    elect = ("reinvestment", "elect", offer, holder)
    assert "election_for_another_names_its_paper" in refusal(here(*elect, "62.5", *PERSON))
    assert "elected_share_is_a_part" in refusal(here(*elect, "12.345", *PERSON))
    assert "elected_share_is_a_part" in refusal(here(*elect, "much", *PERSON))
    (line,) = told(here(*elect, "62.5", "--paper", str(paper), *PERSON))
    # Until the first day of this plan, record dates are by the one before, whose cut-off is a day.
    assert line == f"{holder}: 62.5 % for record dates from {clock.today() + timedelta(days=1)}"
    told(here(*elect, "0", "--actor", holder))
    end = ("reinvestment", "end", offer, plan, "--because", "dear", "--seen", "2", *IRIS)
    told(here(*end))
    agree = ("reinvestment", "agree", offer, plan, "--decline", "--seen", "3", *TESS)
    assert told(here(*agree)) == [f"{plan}: in force"]
    told(here(*end[:-3], "4", *IRIS))
    assert told(here(*agree[:4], "--seen", "5", *TESS)) == [f"{plan}: ended"]
    listed = "\n".join(told(here("reinvestment", "list", offer)))
    assert "ended" in listed
    assert holder in listed
    shown = "\n".join(told(here("reinvestment", "show", offer, run)))
    assert "issued" in shown
    assert told(here("reinvestment", "carry", offer)) == ["0 issued"]
