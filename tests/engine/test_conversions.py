"""Conversions on the real chain: burned and minted once on two tokens although workers die."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import psycopg
import pytest

from bookrunner.adapters.chain import compliance_contract
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.app import Application
from bookrunner.app.settings import Settings
from bookrunner.audit import verify_history
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.engine.life.servicing.actions.conversions import Conversions
from bookrunner.sandbox.entering import claim_of, claim_wallets
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World, opened
from tests.engine.split_worker import WALLETS_AT_ONCE, carry_until_killed
from tests.engine.test_splits import control, refusing_mints, units
from tests.stories.test_allocation_commands import told
from tests.stories.test_command_line import Run, refusal, run

__all__ = ["run"]

pytestmark = pytest.mark.chain

INVESTORS, OTHERS = 12, 13
IRIS, THEO, TESS = ("--actor", "issuer.iris"), ("--actor", "agent.theo"), ("--actor", "agent.tess")
PRINCIPAL, PRICE = 10_000, 3_000


@pytest.fixture(scope="module")
def state(state_root: Path) -> Path:
    """Return a directory that the first start makes."""
    return state_root / "conversions"


@pytest.fixture(scope="module")
def world(state: Path) -> Iterator[World]:
    """Play a raise to its end; its holders are entered into another offer of the issuer, which sells yet."""
    with opened(Settings(state_dir=state)) as running:
        app, artifacts = running.application, running.tools.artifacts
        story = Story(app, investors=INVESTORS)
        story.play(lambda: app.deploy_token(artifacts, story.offering, story.units))
        for ready in (True, False):
            closing = app.close_offer(story.offering, actor="operator.otto", ready=ready)
            app.run_closing(story.offering, closing)
            story.release(closing)
            if ready:
                story.repair()
        for status in ("legally_closed", "closed_successfully"):
            app.desk.engine.move_offer(actor="issuer.iris", offering=story.offering, status=status)
        other = Story(app, investors=OTHERS)
        other.publish(lambda: app.deploy_token(artifacts, other.offering, other.units))
        offer = app.desk.offer(other.offering)
        with app.desk.compliance.together() as within:
            within.open_clearance.each(
                {
                    "actor": "officer.olga",
                    "investor": person.investor,
                    "offering": other.offering,
                    "clearance": new_id("clr"),
                }
                for person in story.people
            )
        keys = [LocalKey(person.wallet_secret, chain_id=app.chain.chain_id()) for person in story.people]
        claim_wallets(
            app.desk, [claim_of(offer, p.investor, key) for p, key in zip(story.people, keys, strict=True)]
        )
        other.link_wallets()
        yield running


@pytest.fixture
def note(world: World) -> str:
    """Return the offer of the convertible."""
    return Story(world.application, investors=INVESTORS).offering


@pytest.fixture
def into(world: World) -> str:
    """Return the offer whose units it becomes."""
    return Story(world.application, investors=OTHERS).offering


@pytest.fixture
def paper(tmp_path: Path) -> str:
    """Return the name of a file that stands for the issuer's paper."""
    written = tmp_path / "resolution.pdf"
    written.write_text("resolution 7")
    return str(written)


@pytest.fixture
def here(run: Run, world: World, state: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a command in this installation."""
    assert world.application
    monkeypatch.setenv("BOOKRUNNER_STATE_DIR", str(state))
    return run


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


def authorise(app: Application, offering: str, more: int) -> None:
    """Authorise more units by two people."""
    change = {"offering": offering, "change": new_id("cch")}
    book = app.desk.registry.balance(offering=offering)
    app.desk.registry.propose_control_change(
        actor="issuer.iris",
        **change,
        units=book["authorised_units"] + more,
        authority_sha256=b"\x0c" * 32,
        reference="resolution 8",
    )
    app.desk.registry.decide_control_change(actor="agent.tess", **change, is_approved=True, because="")


def test_a_conversion_is_proposed_confirmed_and_approved_by_commands(
    here: Run, note: str, into: str, paper: str
) -> None:
    terms = ("--into", into, "--formula", "fixed_price", "--fractions", "cash", "--paper", paper)
    ask = ("conversion", "propose", note, *terms, "--reference", "resolution 7", *IRIS)
    assert "conversion_states_its_moment" in refusal(here(*ask, "--at", "2026-01-01"))
    (line,) = told(here(*ask, "--at", "2026-01-01T12:00:00+00:00"))
    assert line.endswith("lacks principal_minor, price_minor")
    conversion = line.split()[0]
    given = ("--paper", paper, "--source", "note agreement", *THEO)
    confirm = ("conversion", "confirm", note, conversion)
    assert "conversion_input_is_an_amount_or_a_day" in refusal(
        here(*confirm, "interest_from", "soon", *given)
    )
    (left,) = told(here(*confirm, "principal_minor", "100.00", *given))
    assert "lacks price_minor" in left
    early = here("conversion", "approve", note, conversion, "--seen", "2", *TESS)
    assert "lacks price_minor" in refusal(early)
    told(here(*confirm, "price_minor", "30.00", *given))
    shown = "\n".join(told(here("conversion", "show", note, conversion)))
    assert "price of one new unit: 3000 / 1 by price" in shown
    late = ("--because", "not now", "--seen", "3", *TESS)
    assert told(here("conversion", "decline", note, conversion, *late)) == [f"{conversion}: declined"]
    other = told(here(*ask, "--at", "2026-01-01T12:00:00+00:00"))[0].split()[0]
    gone = ("conversion", "abandon", note, other, "--because", "not now", *THEO)
    assert told(here(*gone)) == [f"{other}: abandoned"]
    assert told(here("conversion", "carry", note)) == ["0 executed"]
    assert "abandoned" in "\n".join(told(here("conversion", "list", note)))


def test_a_worker_that_dies_at_any_step_converts_every_wallet_once(
    world: World, note: str, into: str, state: Path
) -> None:
    app, before = world.application, units(world.application, note)
    keeper, on = app.desk.conversions, {"offering": note, "conversion": new_id("cnv")}
    asked = {
        "into": into,
        "formula": "fixed_price",
        "fractions": "cash",
        "effective_at": (clock.now() - timedelta(seconds=1)).isoformat(),
        "authority_sha256": "ab" * 32,
        "authority_reference": "resolution 7",
    }
    keeper.propose_conversion(actor="issuer.iris", **on, asked=asked)
    for name, amount in {"principal_minor": PRINCIPAL, "price_minor": PRICE}.items():
        said = {"name": name, "amount": amount, "source": "note agreement", "source_sha256": "cd" * 32}
        keeper.confirm_input(actor="agent.theo", **on, said=said)
    keeper.decide_conversion(actor="agent.tess", **on, is_approved=True, because="", seen=3)
    app.tend(look_seconds=0)
    for offering in (note, into):
        control(app, offering, "pause")
    after = {holder: had * PRINCIPAL // PRICE for holder, had in before.items()}
    with pytest.raises(Refused, match="new_units_stay_within_the_authorised_ones"):
        app.conversions.carry(note)
    authorise(app, into, sum(after.values()))
    with refusing_mints(world, into, compliance_contract), pytest.raises(Refused, match="refuse"):
        app.conversions.carry(note)
    assert keeper.conversions(offering=note)[0]["status"] == "approved"
    secrets = str(app.endpoint.secrets.folder)
    where = (app.endpoint.admin_dsn(), secrets, str(state / "keys"), world.node_url)
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["tests.engine.split_worker"])
    died = 0
    for steps in count(step=3):
        worker = forks.Process(target=carry_until_killed, args=(where, note, steps, Conversions))
        worker.start()
        worker.join()
        if worker.exitcode == 0:
            break
        assert worker.exitcode == -signal.SIGKILL
        died += 1
        for offering in (note, into):
            assert app.reconcile(offering, actor="reconciliation") == []
    assert died > 3, "what each worker left done makes the next one shorter, but not that short"
    assert units(app, note) == dict.fromkeys(before, 0)
    assert units(app, into) == after
    for offering in (note, into):
        check(world, offering)
    with psycopg.connect(world.endpoint.admin_dsn()) as admin:
        (transactions,) = admin.execute(
            b"select count(*) from registry.chain_transaction"
            b" where purpose = 'conversion' and status = 'final'"
        ).fetchone() or (0,)
    assert transactions == 2 * -(-INVESTORS // WALLETS_AT_ONCE)
    assert app.conversions.carry(note) == 0
    owed = {row["investor_id"]: row["cash_minor"] for row in keeper.conversion_working(**on)}
    assert owed == {holder: had * PRINCIPAL % PRICE for holder, had in before.items()}
    for offering in (note, into):
        control(app, offering, "resume")
        assert app.reconcile(offering, actor="reconciliation") == []
