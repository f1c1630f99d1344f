"""What several wallets of a holder must not open: units out of reach, orders that go elsewhere, false breaks."""

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
