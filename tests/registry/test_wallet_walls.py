"""What several wallets of a holder must not open: units out of reach, orders gone astray, false breaks."""

from __future__ import annotations

import psycopg
import pytest

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper
from tests.attack.world import CHAIN, Connect, World, digest
from tests.registry.test_several_wallets import approved, joined, moved
from tests.registry.transferring import AGENT, SECOND, Transferring


@pytest.fixture
def desk(connect: Connect, database: Database) -> Transferring:
    found = Transferring(World(connect).build("registered"), database)
    found.free_lots()
    return found


@pytest.fixture
def keeper(database: Database) -> Keeper:
    return registry.keeper(database)


def asked(desk: Transferring, kind: str, **terms: object) -> str:
    """Let somebody ask for a control action over the seller."""
    action = f"cta_{kind}"
    said = {"kind": kind, "investor": desk.seller, "because": "an order", **terms}
    desk.world.call("registry.ask_control", desk.offering, action, said)
    return action


def agreed(desk: Transferring, kind: str, **terms: object) -> str:
    """Let two people agree on a control action over the seller."""
    action = asked(desk, kind, **terms)
    desk.world.call("registry.decide_control", desk.offering, action, "true", "", actor=SECOND)
    return action


def ordered(desk: Transferring, units: int = 2, receiver: str = "ivr_one1") -> str:
    """Let two people agree on an order that moves units of the seller."""
    paper = {"order_sha256": digest("order").hex(), "order_reference": "order 7"}
    return agreed(desk, "force_transfer", units=units, receiver=receiver, **paper)


def walked(desk: Transferring, keeper: Keeper, action: str) -> list[bytes]:
    plan = keeper.control_plan(offering=desk.offering, action=action)
    assert plan is not None
    return [bytes(each) for each in plan["addresses"]]


def test_a_freeze_reaches_the_units_in_a_superseded_wallet(desk: Transferring, keeper: Keeper) -> None:
    first = desk.world.address(3)
    on, second = approved(desk.world, "two", desk.seller)
    keeper.link_wallet(actor=AGENT, **on, witness=None)
    assert walked(desk, keeper, agreed(desk, "freeze_account")) == [second, first]
    plan = keeper.control_plan(offering=desk.offering, action=ordered(desk, 3))
    assert plan is not None
    assert bytes(plan["address"]) == first


def test_a_freeze_reaches_the_units_in_a_revoked_wallet_and_no_empty_one(
    desk: Transferring, keeper: Keeper
) -> None:
    first = desk.world.address(3)
    on, second = joined(desk, keeper)
    moved(desk, second)
    keeper.revoke_wallet(actor=AGENT, offering=desk.offering, mapping="wmp_one3")
    keeper.choose_wallet(actor=SECOND, **on)
    _, third = joined(desk, keeper, "three")
    approved(desk.world, "four", desk.seller)
    assert sorted(walked(desk, keeper, agreed(desk, "freeze_account"))) == sorted([second, first, third])


def test_deliveries_move_away_from_a_custodian_whose_agreement_ended(
    desk: Transferring, keeper: Keeper, database: Database
) -> None:
    holders, bank = registry.holders_of(database), {"offering": desk.offering, "custodian": "cst_bank"}
    paper = {
        "name": "Example Custody",
        "agreement_sha256": digest("custody").hex(),
        "agreed_on": "2026-03-01",
    }
    holders.propose_custodian(actor="agent.theo", **bank, said=paper)
    holders.decide_custodian(actor="agent.tess", **bank, is_approved=True, because="")
    at_bank = {"offering": desk.offering, "mapping": "wmp_cst"}
    proof = ["wlc_cst@1", "key", "custodian", "cst_bank"]
    call, address = desk.world.call, digest("at the bank")[:20]
    call("registry.open_mapping", *at_bank.values(), desk.seller, CHAIN, address, *proof)
    call("registry.mark_screened", *at_bank.values(), "scr_cst@1")
    call("registry.approve_wallet", *at_bank.values(), actor="issuer.iris")
    keeper.join_wallet(actor=AGENT, **at_bank, witness=None)
    keeper.choose_wallet(actor=SECOND, **at_bank)
    holders.end_custodian(actor="agent.theo", **bank, because="its licence was withdrawn")
    keeper.choose_wallet(actor=SECOND, offering=desk.offering, mapping="wmp_one3")
    rows = keeper.wallet_history(offering=desk.offering, investor=desk.seller, address=None)
    assert {row["mapping_id"]: row["status"] for row in rows} == {"wmp_one3": "linked", "wmp_cst": "joined"}
    with pytest.raises(Refused, match="custodian_has_an_agreement_in_force"):
        keeper.choose_wallet(actor=SECOND, **at_bank)


def of_wallets(desk: Transferring, run: str) -> list[str]:
    """Reconcile, and return whose claimed wallet is a break."""
    seen = desk.world.call("reconciliation.run", desk.offering, run, None)
    return [each["subject_id"] for each in seen if each["kind"] == "claimed_is_not_linked"]


def test_a_further_wallet_given_up_or_rejected_is_no_break(desk: Transferring, keeper: Keeper) -> None:
    desk.world.claim_wallet("wlc_two", desk.seller, digest("further two")[:20])
    on, _ = joined(desk, keeper)
    keeper.revoke_wallet(actor=AGENT, **on)
    assert of_wallets(desk, "run_1") == []
    desk.world.claim_wallet("wlc_three", desk.seller, b"\x0c" * 20)
    where = [desk.offering, "wmp_three"]
    desk.world.call("registry.open_mapping", *where, desk.seller, CHAIN, b"\x0c" * 20, "wlc_three@1", "key")
    assert of_wallets(desk, "run_2") == ["inv_one3"]
    desk.world.call("registry.reject_wallet", *where, "it is on a list")
    assert of_wallets(desk, "run_3") == []


def test_a_holder_whose_only_wallet_ended_is_a_break(desk: Transferring, keeper: Keeper) -> None:
    on, _ = approved(desk.world, "two", desk.seller)
    desk.world.claim_wallet("wlc_two", desk.seller, digest("further two")[:20])
    keeper.link_wallet(actor=AGENT, **on, witness=None)
    assert of_wallets(desk, "run_1") == []
    keeper.revoke_wallet(actor=AGENT, **on)
    assert of_wallets(desk, "run_2") == ["inv_one3"]


def test_an_order_goes_to_the_wallet_it_was_decided_for(desk: Transferring, keeper: Keeper) -> None:
    linked, action = desk.world.address(1), ordered(desk)
    on, second = joined(desk, keeper, "taker", "ivr_one1")
    keeper.choose_wallet(actor=SECOND, **on)
    plan = keeper.control_plan(offering=desk.offering, action=action)
    assert plan is not None
    assert bytes(plan["to_address"]) == linked != second
    keeper.choose_wallet(actor=SECOND, offering=desk.offering, mapping="wmp_one1")
    keeper.revoke_wallet(actor=AGENT, offering=desk.offering, mapping="wmp_one1")
    ended = keeper.control_plan(offering=desk.offering, action=action)
    assert ended is not None
    assert ended["to_address"] is None
    with pytest.raises(Refused, match="receiver_wallet_is_linked"):
        keeper.submit_control(
            actor=SECOND, offering=desk.offering, action=action, version=ended["version"], steps="[]"
        )


def test_nobody_turns_an_order_to_another_address(desk: Transferring) -> None:
    ordered(desk)
    owner = desk.world.login("owner")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        desk.world.login("registry").execute(b"update registry.control_action set to_address = null")
    for column in (b"from_address", b"to_address"):
        with owner.transaction(force_rollback=True):
            owner.execute(
                b"grant all on registry.control_action to registry;"
                b"grant execute on all functions in schema audit, registry to registry"
            )
            owner.execute(
                b"set local session authorization registry; select audit.enter('agent.theo', 'req_x')"
            )
            with pytest.raises(psycopg.Error) as refused:
                owner.execute(
                    b"update registry.control_action set status = 'submitted', %b = '\\x0c'" % column
                )
        assert refused.value.diag.constraint_name == "control_terms_are_locked"
