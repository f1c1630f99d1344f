"""Control actions against a real token when the process stops, the chain refuses, or a wallet is lost."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest

from bookrunner.adapters.chain import Transaction, abi, trex
from bookrunner.adapters.chain.control import frozen_units, remove_identity, transfer
from bookrunner.adapters.chain.rpc import Rpc
from bookrunner.core.errors import Refused
from bookrunner.engine.issuance import Controls, Keys
from tests.chain.conftest import CHAIN_ID, FEES
from tests.chain.sides import ASKER, ORDER, SECOND, TREASURY, Sides

pytestmark = pytest.mark.chain


@pytest.fixture
def held(sides: Callable[[str], Sides]) -> Sides:
    """Return both sides with 100 units at the first holder."""
    made = sides(f"ctl{secrets.token_hex(4)}")
    first = made.holders[0]
    made.as_holder(TREASURY, made.of.token, transfer(made.address(first), 100))
    made.issue(first, 100)
    return made


def _approved(held: Sides, kind: str, **terms: object) -> str:
    where = {"offering": held.offering, "action": f"cta_{kind}"}
    asked = {"kind": kind, "because": "the order says so", **terms}
    held.desk.registry.ask_control(actor=ASKER, **where, asked=asked)
    held.desk.registry.decide_control(actor=SECOND, **where, is_approved=True, because="")
    return f"cta_{kind}"


def _status(held: Sides, action: str) -> tuple[str, str | None]:
    (row,) = [
        r for r in held.desk.registry.control_actions(offering=held.offering) if r["action_id"] == action
    ]
    return row["status"], row["failed_because"]


def test_what_was_signed_before_a_stop_is_carried_on_once(held: Sides) -> None:
    first, second = held.holders[:2]
    action = _approved(held, "force_transfer", investor=first, receiver=second, units=40, **ORDER)
    held.controls._submit(held.offering, action)
    assert _status(held, action) == ("submitted", None)
    keys = Keys(held.agent, held.treasury)
    for _ in range(2):
        Controls(held.desk, held.chain, keys, held.submitter).carry_announced(None)
    assert _status(held, action) == ("executed", None)
    assert (held.register_stands(), held.by_address()) == (held.chain_stands(), held.all_balances())
    assert held.register_stands()[second][0] == 40


def test_one_that_the_token_refuses_waits_unsigned_until_it_may(held: Sides) -> None:
    first, second = held.holders[:2]
    held.as_agent(held.of.registry, remove_identity(held.address(second)))
    action = _approved(held, "force_transfer", investor=first, receiver=second, units=40, **ORDER)
    assert held.controls.carry(held.offering) == 0
    assert _status(held, action) == ("approved", None)
    held.as_agent(held.of.registry, held.registration(second))
    assert held.controls.carry(held.offering) == 1
    assert held.register_stands() == held.chain_stands()


def test_one_that_reverts_says_why_and_is_tried_again(held: Sides) -> None:
    first, second, third = held.holders[:3]
    action = _approved(held, "force_transfer", investor=first, receiver=second, units=100, **ORDER)
    with Rpc(held.node.url) as rpc:
        rpc.batch([("evm_setAutomine", [False])])
        held.controls._submit(held.offering, action)
        rpc.batch([("anvil_dropAllTransactions", [])])
        rpc.batch([("evm_setAutomine", [True])])
    held.as_holder(first, held.of.token, transfer(held.address(third), 1))
    assert held.controls.carry(held.offering) == 0
    assert _status(held, action) == ("reverted", "move: the chain refused it")
    assert held.register_stands()[first][0] == 100
    held.as_holder(third, held.of.token, transfer(held.address(first), 1))
    held.controls.retry(held.offering, action)
    assert _status(held, action) == ("executed", None)
    assert held.register_stands() == held.chain_stands()


def test_one_that_reverts_may_be_given_up_and_its_freeze_thawed(held: Sides) -> None:
    first, third = held.holders[0], held.holders[2]
    action = _approved(held, "freeze_units", investor=first, units=100)
    with Rpc(held.node.url) as rpc:
        rpc.batch([("evm_setAutomine", [False])])
        held.controls._submit(held.offering, action)
        rpc.batch([("anvil_dropAllTransactions", [])])
        rpc.batch([("evm_setAutomine", [True])])
    held.as_holder(first, held.of.token, transfer(held.address(third), 1))
    held.controls.carry(held.offering)
    held.desk.registry.abandon_control(
        actor=SECOND, offering=held.offering, action=action, because="the units left first"
    )
    assert held.register_stands()[first][1] == 100
    held.control("thaw_units", investor=first, units=100)
    assert held.register_stands()[first][1] == 0
    assert held.chain.read([frozen_units(held.of.token, held.address(first))]) == [0]


def test_a_recovery_takes_freezes_lots_and_legends_along(held: Sides) -> None:
    first = held.holders[0]
    held.control("freeze_units", investor=first, units=70)
    held.control("freeze_account", investor=first)
    lots = b"select lot_id, units, left_units, legend, acquired_on, free_on from registry.lot_standing"
    owner = held.world.login("owner")
    before, lots_before = held.register_stands(), owner.execute(lots).fetchall()
    lost, new = held.address(first), held.wallets[first][1]
    mapping = held.claim(first, new.address)
    by_token = _recovered_by_the_token(held, lost, new.address)
    held.control("recover_wallet", investor=first, mapping=mapping, **ORDER)
    held.place[first] = 1
    assert held.register_stands() == before == held.chain_stands()
    assert owner.execute(lots).fetchall() == lots_before
    assert held.chain_stands()[first][:4] == by_token == (100, 70, True, True)
    wallets = (
        b"select status, address from registry.wallet_mapping where investor_id = %s order by claimed_at"
    )
    history = owner.execute(wallets, [first]).fetchall()
    assert history == [("superseded", lost), ("linked", new.address)]
    with pytest.raises(Refused, match="lost_wallet_is_linked"):
        _approved(held, "recover_wallet", investor="ivr_nobody", mapping=mapping, **ORDER)


def _recovered_by_the_token(held: Sides, lost: bytes, new: bytes) -> tuple[object, ...]:
    """Let the token recover the wallet by its own function, look, and take it back."""
    token, registry = held.of.token, held.of.registry
    identity = held.identity_of(new)
    call = abi.call_data("recoveryAddress(address,address,address)", lost, new, identity)
    with Rpc(held.node.url) as rpc:
        snapshot = rpc.call("evm_snapshot")
        nonce = held.chain.nonce(held.agent.address)
        signed = held.agent.sign(Transaction(CHAIN_ID, nonce, token, call, 2_000_000, FEES))
        held.chain.send([signed.raw])
        held.node.pulse()
        (receipt,) = held.chain.receipts([signed.hash])
        assert receipt is not None
        assert receipt.status == 1
        units, part = held.chain.read([trex.balance_of(token, new), frozen_units(token, new)])
        frozen, known = held.chain.read([trex.is_frozen(token, new), trex.is_verified(registry, new)])
        assert rpc.call("evm_revert", snapshot)
    return units, part, frozen, known


def test_a_paused_security_is_paused_on_chain_too_and_resumes(held: Sides) -> None:
    first, second = held.holders[:2]
    held.control("pause")
    assert held.register_says(first, second, 1) == {"security_is_not_paused"}
    assert held.chain_says(first, second, 1) == {"security_is_not_paused"}
    held.control("resume")
    assert held.register_says(first, second, 1) == held.chain_says(first, second, 1) == set()
