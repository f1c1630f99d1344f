"""Transfers on the real chain: the agent's, the holder's own, and those that nobody approved."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from bookrunner.adapters.chain import identity_registry, register_batch
from bookrunner.app import Application
from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.sandbox.world import World
from tests.engine.holding import Holders, holders_state, world
from tests.stories.test_allocation_commands import told
from tests.stories.test_command_line import Run, refusal, run

__all__ = ["holders_state", "run", "world"]

pytestmark = pytest.mark.chain

THEO, TESS = ("--actor", "agent.theo"), ("--actor", "agent.tess")
UNKNOWN = b"\x77" * 20


def differing(app: Application, offering: str) -> list[str]:
    """Return the kinds of the open breaks of transfers and holdings."""
    breaks = app.reconcile(offering, actor="reconciliation")
    return sorted(b["kind"] for b in breaks if b["comparison"] in {"transfers", "holdings"})


def test_transfers_reach_register_and_chain_and_others_become_breaks(world: World) -> None:
    holders = Holders(world)
    app, offering = holders.app, holders.offering
    (gave, _), (took, _) = holders.units()

    transfer = holders.ask("agent", 2)
    assert app.transfers.carry(offering) == 1
    assert holders.state(transfer) == "registered"
    assert app.transfers.carry(offering) == 0
    assert holders.units() == [(gave - 2,) * 2, (took + 2,) * 2]
    assert app.watch_token(offering) == 0
    assert differing(app, offering) == []

    back = holders.ask("agent", 1)
    assert app.transfers.carry(offering) == 1
    asked = {"transfer": back, "because": "a mistake", "order_sha256": "0c" * 32, "order_reference": "deed"}
    on = {"offering": offering, "rescission": "rsn_back", "action": "cta_back"}
    app.desk.transfers.ask_rescission(actor="agent.theo", **on, asked=asked)
    on.pop("rescission")
    app.desk.registry.decide_control(actor="agent.tess", **on, is_approved=True, because="")
    assert holders.units() == [(gave - 3,) * 2, (took + 3,) * 2]
    assert app.controls.carry(offering) == 1
    assert (holders.state(back), app.controls.carry(offering)) == ("rescinded", 0)
    assert holders.units() == [(gave - 2,) * 2, (took + 2,) * 2]
    assert app.watch_token(offering) == 0
    assert differing(app, offering) == []

    own = holders.ask("holder", 1)
    assert app.transfers.carry(offering) == 0
    holders.send(holders.wallet(holders.taker).address, 1)
    assert app.watch_token(offering) == 1
    assert holders.state(own) == "registered"
    assert holders.units() == [(gave - 3,) * 2, (took + 3,) * 2]
    assert differing(app, offering) == []

    holders.send(holders.wallet(holders.taker).address, 1)
    assert app.watch_token(offering) == 1
    assert app.watch_token(offering) == 0
    assert holders.units() == [(gave - 3, gave - 4), (took + 3, took + 4)]
    assert differing(app, offering) == ["transfer_without_authority", "units_differ", "units_differ"]
    (seen,) = (
        row for row in app.desk.transfers.observed(offering=offering, most=9) if row["status"] != "matched"
    )
    on = {"offering": offering, "observed": seen["observed_id"]}
    app.desk.transfers.explain_observed(
        actor="agent.theo", **on, ending="post", paper_sha256=b"\x01" * 32, because="both sides signed"
    )
    app.desk.transfers.resolve_observed(actor="agent.tess", **on, is_agreed=True)
    assert holders.units() == [(gave - 4,) * 2, (took + 4,) * 2]
    assert differing(app, offering) == []


def test_a_worker_carries_what_is_approved_by_its_event_alone(world: World) -> None:
    holders = Holders(world)
    app, offering = holders.app, holders.offering

    def turns() -> list[object]:
        with psycopg.connect(world.endpoint.admin_dsn()) as admin:
            return admin.execute(b"select work, taken_at from engine.turn order by work").fetchall()

    def pause(name: str, kind: str) -> str:
        on = {"offering": offering, "action": name}
        app.desk.registry.ask_control(
            actor="agent.theo", **on, asked={"kind": kind, "because": "the order says so"}
        )
        app.desk.registry.decide_control(actor="agent.tess", **on, is_approved=True, because="")
        return name

    def action(name: str) -> str:
        rows = app.desk.registry.control_actions(offering=offering)
        return next(str(row["status"]) for row in rows if row["action_id"] == name)

    app.tend(look_seconds=0)
    before, (gave, _), (took, _) = turns(), *holders.units()
    first = holders.ask("agent", 1)
    app.tend()
    assert holders.state(first) == "registered"
    stopped = pause("cta_pause", "pause")
    app.tend()
    assert action(stopped) == "executed"
    going = pause("cta_resume", "resume")
    other = Application(app.endpoint, app.chain, app.keys, pause=lambda: holders.node("evm_mine"))
    # It was not there when the event came: its first round does what is left.
    other.tend()
    assert action(going) == "executed"
    second = holders.ask("agent", 1)
    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(worker.tend) for worker in (app, other)]:
            one.result(60)
    other.close()
    assert holders.state(second) == "registered"
    assert holders.units() == [(gave - 2,) * 2, (took + 2,) * 2]
    assert turns() == before


def test_units_at_a_wallet_that_nobody_has_are_a_break(world: World) -> None:
    holders = Holders(world)
    app, offering = holders.app, holders.offering
    (registered_by,) = app.chain.read([identity_registry(holders.token())])
    order = {"offering": offering, "purpose": "identity", "intent": "int_unknown", "to": registered_by}
    data = register_batch([(UNKNOWN, UNKNOWN, 840)])
    app.submitter.submit(app.keys.agent, order | {"data": data, "gas": 500_000})
    app.submitter.settle(offering, holders.token())
    holders.send(UNKNOWN, 1)
    assert app.watch_token(offering) == 1
    (seen,) = (
        row for row in app.desk.transfers.observed(offering=offering, most=9) if row["status"] == "unmapped"
    )
    assert (seen["to_address"], seen["units"], seen["owner"]) == ("0x" + UNKNOWN.hex(), 1, "registry")
    assert "transfer_to_an_unknown_wallet" in differing(app, offering)


@pytest.fixture
def here(run: Run, world: World, holders_state: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a command in this installation."""
    assert world.application
    monkeypatch.setenv("BOOKRUNNER_STATE_DIR", str(holders_state))
    return run


def test_the_commands_ask_return_and_carry_out(here: Run, world: World, tmp_path: Path) -> None:
    holders = Holders(world)
    offer, giver, taker = holders.offering, holders.giver.investor, holders.taker.investor
    files = {name: tmp_path / f"{name}.pdf" for name in ("transfer_instruction", "purchase_agreement")}
    for name, file in files.items():
        file.write_text(name)
    paper = [f"{name}={file}" for name, file in files.items()]
    may = here("transfer", "why", offer, giver, taker, "1")
    assert told(may) == [f"1 units of {giver} may go to {taker} now"]
    ask = ("transfer", "ask", offer, giver, taker, "1", "--price", "500.00", *THEO)
    assert "there is no file" in refusal(here(*ask, "--paper", "x=nowhere.pdf"))
    assert "paper_is_named_with_its_file" in refusal(here(*ask, "--paper", "nowhere.pdf"))
    asked, said = told(here(*ask, "--paper", paper[0]))[-1].split(": ", 1)
    assert said == "requested; missing: purchase_agreement"
    on = ("transfer", "refuse", offer, asked)
    assert "refused_transfer_has_its_reasons" in refusal(here(*on, *TESS))
    returned = told(here(*on, "--because", "the agreement is not there", *TESS))
    assert returned[-1] == f"{asked}: returned; missing: purchase_agreement"
    presented = told(here("transfer", "papers", offer, asked, "--paper", paper[1], *THEO))
    assert presented[-1] == f"{asked}: screened"
    approve = ("transfer", "approve", offer, asked)
    assert "transfer_is_approved_by_another_person" in refusal(here(*approve, *THEO))
    assert told(here(*approve, *TESS))[-1] == f"{asked}: registered"
    assert holders.state(asked) == "registered"
    assert asked[:12] in "".join(told(here("transfer", "list", offer, "--holder", taker)))
    assert "there is no transfer" in refusal(here("transfer", "approve", offer, "xfr_none", *TESS))


def test_the_command_says_every_rule_that_keeps_units(here: Run, world: World) -> None:
    holders = Holders(world)
    asked = (holders.offering, holders.giver.investor, "ivr_nobody", "999999")
    status, lines = here("transfer", "why", *asked)
    assert status == 1
    rules = [line.split()[1].rstrip(":") for line in lines if line.startswith("refused")]
    assert rules[:2] == ["seller_holds_the_units", "buyer_wallet_is_linked"]


def test_a_statement_is_recognised_by_its_bytes(here: Run, world: World, tmp_path: Path) -> None:
    app, offer = world.application, Holders(world).offering
    row = app.desk.registry.register_as_of(offering=offer, day=clock.today())[0]
    statement, made = registry.issue_statement(
        app.desk.registry,
        app.press,
        (offer, row["holding_id"], clock.today()),
        actor="agent.theo",
        offer_name="Example",
    )
    issued, other = tmp_path / "statement.pdf", tmp_path / "other.pdf"
    issued.write_bytes(made.content)
    other.write_bytes(made.content + b" ")
    (line,) = told(here("register", "verify", offer, str(issued)))
    assert line.startswith(f"{statement}: {row['units']} units of {row['holding_id']}")
    assert "statement_is_recorded" in refusal(here("register", "verify", offer, str(other)))
    assert "there is no file" in refusal(here("register", "verify", offer, str(tmp_path / "none.pdf")))
