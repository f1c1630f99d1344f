"""Control actions over a holder with two wallets: a freeze covers both, and no unit thaws on its way."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable

import pytest

from bookrunner.adapters.chain import trex
from bookrunner.adapters.chain.control import frozen_units, transfer
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.adapters.chain.rpc import Rpc
from bookrunner.core.errors import Refused
from tests.chain.sides import ASKER, ORDER, SECOND, TREASURY, Sides

pytestmark = pytest.mark.chain


@pytest.fixture
def two(sides: Callable[[str], Sides]) -> Sides:
    """Return both sides with 60 units in the linked wallet of the first holder and 40 in a further one."""
    made = sides(f"two{secrets.token_hex(4)}")
    first = made.holders[0]
    linked, further = made.address(first), made.wallets[first][1].address
    mapping = made.claim(first, further)
    made.world.call("registry.join_wallet", made.offering, mapping, actor=SECOND)
    made.as_agent(made.of.registry, trex.register_batch([(further, further, 840)]))
    made.as_holder(TREASURY, made.of.token, transfer(linked, 100))
    made.issue(first, 100)
    made.as_holder(first, made.of.token, transfer(further, 40))
    with made._lent() as connection:
        moved = {"kind": "own", "from_investor": first, "to_investor": first, "units": 40, "is_tacked": True}
        moved |= {"from_address": linked.hex(), "to_address": further.hex(), "reference": "moved"}
        connection.execute(
            b"select registry.post_movement(%s, %s, %s, null)",
            [made.offering, f"mov_{mapping}", json.dumps(moved)],
        )
    return made


def on_chain(two: Sides) -> list[tuple[int, int, bool]]:
    """Return balance, frozen part and freeze of the two wallets of the first holder."""
    token, said = two.of.token, []
    for key in two.wallets[two.holders[0]][:2]:
        balance, part = two.chain.read(
            [trex.balance_of(token, key.address), frozen_units(token, key.address)]
        )
        (frozen,) = two.chain.read([trex.is_frozen(token, key.address)])
        said.append((balance, part, frozen))
    return said


def agreed(two: Sides, kind: str, action: str = "cta_1", **terms: object) -> str:
    """Let two people agree on an action; nothing is carried out."""
    where = {"offering": two.offering, "action": action}
    asked = {"kind": kind, "because": "the order says so", **terms}
    two.desk.registry.ask_control(actor=ASKER, **where, asked=asked)
    two.desk.registry.decide_control(actor=SECOND, **where, is_approved=True, because="")
    return action


def status(two: Sides, action: str) -> str:
    (row,) = [r for r in two.desk.registry.control_actions(offering=two.offering) if r["action_id"] == action]
    return str(row["status"])


def send(two: Sides, key: LocalKey, to: bytes, units: int) -> None:
    """Let the key of a wallet send units, past the register."""
    receipt = two._suite.world.act(key, two.of.token, transfer(to, units), 1_000_000)
    assert receipt.status == 1


def signed_and_lost(two: Sides, action: str) -> None:
    """Sign the calls of an action; the node forgets them, and the next run sends them again."""
    with Rpc(two.node.url) as rpc:
        rpc.batch([("evm_setAutomine", [False])])
        two.controls._submit(two.offering, action)
        rpc.batch([("anvil_dropAllTransactions", [])])
        rpc.batch([("evm_setAutomine", [True])])


def test_a_frozen_account_is_frozen_in_every_wallet(two: Sides) -> None:
    first = two.holders[0]
    two.control("freeze_account", investor=first)
    assert on_chain(two) == [(60, 0, True), (40, 0, True)]
    two.control("thaw_account", investor=first)
    assert on_chain(two) == [(60, 0, False), (40, 0, False)]


def test_frozen_units_are_spread_over_the_wallets_and_thawed_again(two: Sides) -> None:
    first = two.holders[0]
    two.control("freeze_units", investor=first, units=80)
    assert on_chain(two) == [(60, 60, False), (40, 20, False)]
    two.control("thaw_units", investor=first, units=70)
    assert sum(part for _, part, _ in on_chain(two)) == 10


def test_an_order_takes_from_the_wallet_that_holds_and_the_rest_stays_frozen(two: Sides) -> None:
    first, second = two.holders[:2]
    two.control("freeze_units", investor=first, units=60)
    two.control("force_transfer", investor=first, receiver=second, units=50, **ORDER)
    assert on_chain(two) == [(10, 10, False), (40, 40, False)]
    assert two.register_stands()[first][:2] == (50, 50)
    assert two.by_address() == two.all_balances()


def test_a_recovery_moves_what_stood_in_the_lost_wallet(two: Sides) -> None:
    first = two.holders[0]
    two.control("freeze_units", investor=first, units=80)
    new = two.wallets[first][2].address
    mapping = two.claim(first, new)
    two.control("recover_wallet", investor=first, mapping=mapping, **ORDER)
    assert [row[:2] for row in on_chain(two)] == [(0, 0), (40, 20)]
    token = two.of.token
    assert two.chain.read([trex.balance_of(token, new), frozen_units(token, new)]) == [60, 60]
    assert two.register_stands()[first][:2] == (100, 80)
    assert two.by_address() == two.all_balances()


def test_an_order_moves_its_units_once_when_a_later_call_reverts(two: Sides) -> None:
    first, second, third = two.holders[:3]
    two.control("freeze_units", investor=first, units=60)
    action = agreed(two, "force_transfer", investor=first, receiver=second, units=30, **ORDER)
    signed_and_lost(two, action)
    further = two.wallets[first][1]
    free = on_chain(two)[1][0] - on_chain(two)[1][1]
    send(two, further, two.address(third), free)
    two.controls.carry(two.offering)
    assert status(two, action) == "reverted"
    assert two.all_balances()[two.address(second)] == 30
    on = {"offering": two.offering, "action": action}
    with pytest.raises(Refused, match="moved_units_are_carried_through"):
        two.desk.registry.abandon_control(actor=SECOND, **on, because="it was refused")
    plan = two.desk.registry.control_plan(**on)
    move = {"intent": "int_x", "call": "move", "receiver": two.address(second).hex(), "units": 30}
    with pytest.raises(Refused, match="units_of_an_order_move_once"):
        two.desk.registry.submit_control(
            actor=SECOND, **on, version=plan["version"], steps=json.dumps([move])
        )
    send(two, two.wallets[third][0], further.address, free)
    two.controls.retry(two.offering, action)
    assert status(two, action) == "executed"
    assert two.all_balances()[two.address(second)] == 30
    assert two.register_stands()[first][:2] == (70, 60)
    assert two.by_address() == two.all_balances()
    assert sum(part for _, part, _ in on_chain(two)) == 60


def mapping_of(two: Sides, holder: str) -> str:
    """Return the mapping of the wallet that a holder uses now."""
    on = {"offering": two.offering, "investor": None, "address": two.address(holder)}
    (row,) = two.desk.registry.wallet_history(**on)
    return str(row["mapping_id"])


def test_an_order_is_posted_to_the_wallet_that_the_chain_delivered_to(two: Sides) -> None:
    first, second = two.holders[:2]
    action = agreed(two, "force_transfer", investor=first, receiver=second, units=30, **ORDER)
    two.controls._submit(two.offering, action)
    mapping = two.claim(second, two.wallets[second][1].address)
    two.world.call("registry.join_wallet", two.offering, mapping, actor=SECOND)
    two.world.call("registry.choose_wallet", two.offering, mapping, actor=SECOND)
    with pytest.raises(Refused, match="further_wallet_is_given_up_empty"):
        two.desk.registry.revoke_wallet(actor=SECOND, offering=two.offering, mapping=mapping_of(two, second))
    assert two.controls.carry(two.offering) == 1
    assert status(two, action) == "executed"
    assert two.all_balances()[two.address(second)] == 30
    assert two.by_address() == two.all_balances()


def test_an_order_whose_receiver_lost_its_wallet_stops_no_other_action(two: Sides) -> None:
    first, second, third = two.holders[:3]
    action = agreed(two, "force_transfer", investor=first, receiver=second, units=30, **ORDER)
    two.revoke(second)
    other = agreed(two, "freeze_account", "cta_2", investor=third)
    assert two.controls.carry(two.offering) == 1
    assert (status(two, action), status(two, other)) == ("approved", "executed")
    with pytest.raises(Refused, match="receiver_wallet_is_linked"):
        two.controls.retry(two.offering, action)
    on = {"offering": two.offering, "action": action}
    two.desk.registry.abandon_control(actor=SECOND, **on, because="the receiver has no wallet")
    assert status(two, action) == "abandoned"


def test_a_freeze_reaches_a_superseded_wallet_that_holds_units(two: Sides) -> None:
    first = two.holders[0]
    mapping = two.claim(first, two.wallets[first][2].address)
    two.world.call("registry.link_wallet", two.offering, mapping, actor=SECOND)
    two.control("freeze_account", investor=first)
    assert on_chain(two) == [(60, 0, True), (40, 0, True)]
