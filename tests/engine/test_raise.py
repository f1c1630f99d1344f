"""The raise, small, on real parts: counts, refused close, closings, register against chain, proof."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest

from bookrunner.adapters.chain import Read, abi, identity_registry
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.app import Application
from bookrunner.app.settings import Settings
from bookrunner.audit import advance_feed, export_history, seal, verify_export, verify_history
from bookrunner.core import clock
from bookrunner.core.countries import country_number
from bookrunner.core.errors import GateClosed, Refused
from bookrunner.sandbox.entering import claim_of, claim_wallets
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World, opened

pytestmark = pytest.mark.chain

INVESTORS = 12


@pytest.fixture(scope="module")
def state(state_root: Path) -> Path:
    """Return a directory that the first start makes."""
    return state_root / "raise"


@pytest.fixture(scope="module")
def world(state: Path) -> Iterator[World]:
    """Play the raise up to the morning of the close, under a umask that shuts others out."""
    usual = os.umask(0o077)
    try:
        with opened(Settings(state_dir=state)) as running:
            story = Story(running.application, investors=INVESTORS)
            app = running.application
            story.play(lambda: app.deploy_token(running.tools.artifacts, story.offering, story.units))
            yield running
    finally:
        os.umask(usual)


@pytest.fixture
def story(world: World) -> Story:
    """Return the story of the raise that was played."""
    return Story(world.application, investors=INVESTORS)


def counts(app: Application, story: Story) -> tuple[int, ...]:
    """Return what the five books count, in the order of the stages."""
    row = app.desk.engine.five_counts(offering=story.offering)
    return tuple(row[book] for book in ("profile", "compliance", "subscription", "treasury", "registry"))


def countries_on_chain(app: Application, story: Story) -> list[int]:
    """Return the country under which the chain knows the wallet of each investor."""
    token = bytes(app.desk.offer(story.offering)["token_address"])
    (registry,) = app.chain.read([identity_registry(token)])
    wallets = [LocalKey(p.wallet_secret, chain_id=app.chain.chain_id()).address for p in story.people]
    ask = "investorCountry(address)"
    return list(app.chain.read([Read(registry, abi.call_data(ask, w), abi.read_int) for w in wallets]))


def test_the_raise_from_its_refused_close_to_its_second(world: World, story: Story, tmp_path: Path) -> None:
    app = world.application
    assert counts(app, story) == (12, 9, 10, 11, 0)

    with pytest.raises(GateClosed) as refused:
        app.close_offer(story.offering, actor="operator.otto", ready=False)
    by_person = {p.investment: [] for p in story.people[:5]}  # type: dict[str, list[str]]
    for missing in refused.value.missing:
        by_person[missing.investment_id].append(missing.condition)
    cleared, funded = ["investor_is_cleared"], ["funds_are_received", "funds_are_cleared"]
    countersigned = ["agreement_is_countersigned"]
    assert list(by_person.values()) == [cleared + countersigned, cleared + funded, cleared, [], countersigned]
    assert app.desk.engine.closings(offering=story.offering) == []

    (agreement,) = app.desk.engine.agreements_in_force(
        offering=story.offering, investments=[story.people[0].investment]
    )
    with pytest.raises(GateClosed, match="investor_is_cleared"):
        story.countersign([agreement["agreement_id"]])

    closing = app.close_offer(story.offering, actor="operator.otto", ready=True)
    with pytest.raises(Refused, match="one_closing_runs_per_offer"):
        app.close_offer(story.offering, actor="operator.otto", ready=False)
    with pytest.raises(Refused, match="holding_stands_before_escrow_is_released"):
        story.release(closing)
    assert app.run_closing(story.offering, closing) == 8
    assert app.run_closing(story.offering, closing) == 0
    assert not story.is_told()
    story.release(closing)
    assert story.is_told()
    totals = app.totals(story.offering)
    assert totals["holdings"] == 8
    assert len({totals[f"{at}_units"] for at in ("registered", "control", "chain", "displayed")}) == 1
    breaks = app.reconcile(story.offering, actor="reconciliation")
    assert [(b["comparison"], b["kind"]) for b in breaks] == [("payments", "no_reference")]

    story.repair()
    second = app.close_offer(story.offering, actor="operator.otto", ready=False)
    assert app.run_closing(story.offering, second) == 4
    story.release(second)
    assert counts(app, story) == (12, 12, 12, 12, 12)
    assert app.totals(story.offering)["chain_units"] == story.units
    assert countries_on_chain(app, story) == [country_number(p.detail["country"]) for p in story.people]
    assert app.reconcile(story.offering, actor="reconciliation") == []
    assert app.compare_records(story.offering, actor="agent.theo") == 0
    balance = app.desk.registry.balance(offering=story.offering)
    totals_agree = (balance["delivered_units"], balance["register_units"], balance["issued_units"])
    assert totals_agree == (story.units,) * 3
    assert [row["status"] for row in app.desk.engine.closings(offering=story.offering)] == ["certified"] * 2

    advance_feed(app.database)
    seal(app.database)
    assert verify_history(app.database).ok
    export_history(app.database, tmp_path / "history.jsonl")
    assert verify_export(tmp_path / "history.jsonl").ok
    raw = bytearray((tmp_path / "history.jsonl").read_bytes())
    raw[len(raw) // 2] ^= 1
    (tmp_path / "changed.jsonl").write_bytes(raw)
    assert not verify_export(tmp_path / "changed.jsonl").ok


def test_bad_input_is_refused_and_leaves_nothing(world: World, story: Story) -> None:
    app = world.application
    before = len(app.desk.treasury.attempts(offering=story.offering))
    with pytest.raises(Refused, match="format_is_known"):
        app.import_statement(story.offering, b"not a bank file", actor="fundadmin.fay")
    with pytest.raises(Refused, match="message_id_has_one_body"):
        story.identity_messages([story.people[7]])
    with pytest.raises(Refused):
        app.receive_identity((("webhook-id", "x"),), b"{}", {"sandbox-1": b"k" * 32})
    with pytest.raises(Refused, match="closing_has_open_investments"):
        app.close_offer(story.offering, actor="operator.otto", ready=False)
    assert len(app.desk.treasury.attempts(offering=story.offering)) == before


def test_one_refused_event_leaves_the_others_of_its_batch_answered(world: World, story: Story) -> None:
    app, (taken, other, free) = world.application, story.people[8:11]
    offer, chain_id = app.desk.offer(story.offering), app.chain.chain_id()
    theirs = LocalKey(taken.wallet_secret, chain_id=chain_id)
    own = LocalKey(sha256(b"another wallet").digest(), chain_id=chain_id)
    claim_wallets(app.desk, [claim_of(offer, other.investor, theirs), claim_of(offer, free.investor, own)])
    assert app.process.drain() == 2
    assert app.process.drain() == 0
    waiting = app.desk.registry.claimed_mappings(offering=story.offering)
    assert [(row["investor_id"], bytes(row["address"])) for row in waiting] == [(free.investor, own.address)]
    with psycopg.connect(world.endpoint.dsn("engine")) as reader:
        noted = reader.execute(
            "select result, detail from audit.reaction where result = 'refused'"
        ).fetchall()
        causes = reader.execute(
            "select caused_by from audit.event where version = 1 and subject = %s",
            [waiting[0]["mapping_id"]],
        ).fetchall()
        claims = reader.execute(
            "select subject || '@1' from audit.event where kind = 'wallet_claim.claimed' and actor = %s"
            " order by recorded_at",
            [free.investor],
        ).fetchall()
    assert noted == [("refused", "one_holder_per_live_wallet")]
    assert causes == [claims[-1]]


def test_a_revocation_after_registration_holds_the_holding(world: World, story: Story) -> None:
    app, person = world.application, story.people[6]
    app.desk.compliance.declare_owner(
        actor="officer.olga",
        investor=person.investor,
        owner="own_late",
        share_bp=3000,
        controls=False,
        is_identified=False,
    )
    app.process.drain()
    stage = app.desk.engine.stage(investment=person.investment)
    assert stage["holding_is_held"]
    assert not stage["issuance"]


def test_tending_the_books_closes_what_has_lapsed(world: World, story: Story) -> None:
    app, person = world.application, story.people[9]
    app.tend()
    (profile,) = app.desk.engine.profiles(investors=[person.investor])
    app.desk.compliance.hear_identity(
        actor="officer.olga",
        investor=person.investor,
        outcome="approved",
        evidence_sha256=sha256(b"passport").digest(),
        verified_digest=bytes(profile["detail_digest"]),
        valid_until=clock.now(),
        discrepancy="dsc_none",
    )
    states = []
    with psycopg.connect(world.endpoint.dsn("compliance"), autocommit=True) as reader:
        for tended in (app, Application(app.endpoint, app.chain, app.keys, pause=lambda: None)):
            tended.tend(look_seconds=0 if tended is not app else None)
            row = reader.execute(
                "select status from compliance.kyc_case where investor_id = %s", [person.investor]
            ).fetchone()
            states.append(row)
        tended.close()
    assert states == [("approved",), ("expired",)]
