"""Who controls the key of a wallet is stated once; a custodian's goes nowhere without an agreement."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.app.custody import export_wallet
from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper
from bookrunner.engine import Desk, Process
from tests.attack.world import CHAIN, Connect, World, digest

OFFER = "ofr_one"
WHERE = {"offering": OFFER, "custodian": "cst_bank"}
AGREED = {"name": "Example Custody", "agreement_sha256": digest("custody").hex(), "agreed_on": "2026-03-01"}


@pytest.fixture
def world(connect: Connect) -> World:
    return World(connect).build("linked")


@pytest.fixture
def holders(world: World, database: Database) -> Keeper:
    assert world.offering == OFFER
    return registry.holders_of(database)


def custodial(world: World, custodian: str | None = "cst_bank") -> list[str]:
    """Take a wallet of a custodian as far as its screening; return where it is."""
    on = [world.offering, "wmp_cst"]
    named = [
        world.id("ivr", 1),
        CHAIN,
        digest("at the bank")[:20],
        "wlc_cst@1",
        "key",
        "custodian",
        custodian,
    ]
    world.call("registry.open_mapping", *on, *named)
    world.call("registry.mark_screened", *on, "scr_cst@1")
    return on


def in_force(holders: Keeper, **changed: str) -> None:
    holders.propose_custodian(actor="agent.theo", **WHERE, said=AGREED | changed)
    holders.decide_custodian(actor="agent.tess", **WHERE, is_approved=True, because="")


def rule_of(world: World, verb: str, *arguments: object, actor: str = "usr_first") -> str | None:
    with pytest.raises(psycopg.Error) as refused:
        world.call(verb, *arguments, actor=actor)
    return refused.value.diag.constraint_name


def test_a_custodian_without_an_agreement_is_refused(world: World, holders: Keeper) -> None:
    on, missing = custodial(world), "custodian_has_an_agreement_in_force"
    assert rule_of(world, "registry.approve_wallet", *on) == missing
    holders.propose_custodian(actor="agent.theo", **WHERE, said=AGREED)
    assert rule_of(world, "registry.approve_wallet", *on) == missing
    with pytest.raises(Refused, match="custodian_needs_two_people"):
        holders.decide_custodian(actor="key:agent.theo", **WHERE, is_approved=True, because="")
    holders.decide_custodian(actor="agent.tess", **WHERE, is_approved=True, because="")
    world.call("registry.approve_wallet", *on)
    holders.end_custodian(actor="agent.theo", **WHERE, because="its licence was withdrawn")
    assert rule_of(world, "registry.join_wallet", *on, actor="usr_agent") == missing
    assert rule_of(world, "registry.link_wallet", *on, actor="usr_agent") == missing
    (found,) = holders.custodians(offering=OFFER)
    assert (found["status"], found["wallets"], found["ended_by"]) == ("ended", 0, "agent.theo")


def test_an_agreement_counts_between_its_days(world: World, holders: Keeper) -> None:
    on, day = custodial(world), timedelta(days=1)
    yesterday, tomorrow = (clock.today() - day).isoformat(), (clock.today() + 2 * day).isoformat()
    in_force(holders, agreed_on="2026-03-01", ends_on=yesterday)
    assert rule_of(world, "registry.approve_wallet", *on) == "custodian_has_an_agreement_in_force"
    other = WHERE | {"custodian": "cst_late"}
    holders.propose_custodian(actor="agent.theo", **other, said=AGREED | {"agreed_on": tomorrow})
    holders.decide_custodian(actor="agent.tess", **other, is_approved=True, because="")
    late = [
        OFFER,
        "wmp_late",
        world.id("ivr", 2),
        CHAIN,
        b"\x0c" * 20,
        "wlc_l@1",
        "key",
        "custodian",
        "cst_late",
    ]
    world.call("registry.open_mapping", *late)
    world.call("registry.mark_screened", *late[:2], "scr_late@1")
    assert rule_of(world, "registry.approve_wallet", *late[:2]) == "custodian_has_an_agreement_in_force"


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"agreement_sha256": "0a"}, "custodian_has_its_agreement"),
        ({"name": " "}, "custodian_has_its_name"),
        ({"ends_on": "2026-03-01"}, "custody_ends_after_it_begins"),
    ],
)
def test_a_custodian_is_on_record_with_its_paper(holders: Keeper, changed: dict[str, str], rule: str) -> None:
    with pytest.raises(Refused, match=rule):
        holders.propose_custodian(actor="agent.theo", **WHERE, said=AGREED | changed)


def test_a_decision_on_a_custodian_has_its_reason_and_its_record(holders: Keeper) -> None:
    with pytest.raises(Refused, match="custodian_exists"):
        holders.decide_custodian(actor="agent.tess", **WHERE, is_approved=True, because="")
    holders.propose_custodian(actor="agent.theo", **WHERE, said=AGREED)
    with pytest.raises(Refused, match="declined_custodian_has_its_reason"):
        holders.decide_custodian(actor="agent.tess", **WHERE, is_approved=False, because=" ")
    with pytest.raises(Refused, match="transition_is_listed"):
        holders.end_custodian(actor="agent.tess", **WHERE, because="early")
    holders.decide_custodian(actor="agent.tess", **WHERE, is_approved=True, because="")
    with pytest.raises(Refused, match="ended_custodian_has_its_reason"):
        holders.end_custodian(actor="agent.tess", **WHERE, because="")


def test_the_terms_of_a_custodian_and_the_controller_of_a_wallet_stay(world: World, holders: Keeper) -> None:
    on = custodial(world)
    in_force(holders)
    owner = world.login("owner")
    thief = b"set local session authorization registry; select audit.enter('agent.theo', 'req_x')"
    lent = (
        b"grant all on registry.custodian, registry.wallet_mapping to registry;"
        b"grant execute on all functions in schema audit, registry to registry"
    )
    for rule, statement in (
        ("custodian_terms_are_locked", b"update registry.custodian set agreed_on = agreed_on - 9"),
        (
            "wallet_keeps_its_controller",
            b"update registry.wallet_mapping set controller = 'holder' where mapping_id = 'wmp_cst'",
        ),
    ):
        with owner.transaction(force_rollback=True):
            owner.execute(lent)
            owner.execute(thief)
            with pytest.raises(psycopg.Error) as refused:
                owner.execute(statement)
        assert refused.value.diag.constraint_name == rule
    assert (
        rule_of(
            world,
            "registry.open_mapping",
            OFFER,
            "wmp_none",
            world.id("ivr", 2),
            CHAIN,
            b"\x0d" * 20,
            "wlc_n@1",
            "key",
            "custodian",
            None,
        )
        == "wallet_states_who_controls_it"
    )
    assert on


def test_what_the_investor_states_of_the_key_is_in_the_register(world: World, database: Database) -> None:
    key = LocalKey(digest("custodian's key"), chain_id=CHAIN)
    asked = world.asked("wch_cst", world.id("ivr", 1), key.address)
    world.call("portal.issue_challenge", OFFER, "wch_cst", world.id("ivr", 1), asked)
    proof = [key.sign_text(str(asked["message"])), "key", None]
    claim = [OFFER, "wlc_cst", world.id("ivr", 1), "wch_cst", *proof]
    rule = rule_of(world, "portal.claim_wallet", *claim, "custodian", None)
    assert rule == "claim_states_who_controls_the_wallet"
    world.call("portal.claim_wallet", *claim, "custodian", "cst_bank")
    Process(Desk(database)).drain()
    (found,) = registry.keeper(database).wallet_history(offering=OFFER, investor=None, address=key.address)
    assert (found["controller"], found["custodian_id"]) == ("custodian", "cst_bank")


def test_a_key_that_the_platform_holds_is_given_to_nobody() -> None:
    with pytest.raises(Refused, match="wallet_key_leaves_after_step_up"):
        export_wallet("ivr_one1")
