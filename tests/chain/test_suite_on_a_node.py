"""A whole token, from signed bytes to final balances, on a real node."""

from __future__ import annotations

import secrets

import pytest
from eth_abi.exceptions import EncodingError

from bookrunner.adapters.chain import MAX_TRANSACTION_GAS, SendOutcome, abi, trex
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.trex import GasModel
from bookrunner.core.errors import Refused
from bookrunner.sandbox.node import Node
from bookrunner.sandbox.toolchain import Tools

from .conftest import CHAIN_ID, LINES, SUPPLY, Suite

pytestmark = pytest.mark.chain


def _register(suite: Suite, count: int) -> list[bytes]:
    wallets = [secrets.token_bytes(20) for _ in range(count)]
    entries = [(wallet, wallet, 840) for wallet in wallets]
    receipt = suite.world.act(suite.deployer, suite.registry, trex.register_batch(entries))
    assert receipt.status == 1
    return wallets


@pytest.mark.parametrize("count", [0, 1, 3, 251])
def test_columns_are_encoded_as_any_arguments_are(count: int) -> None:
    wallets = [secrets.token_bytes(20) for _ in range(count)]
    signature = "three(address[],uint256[],uint16[])"
    numbers = [secrets.randbits(256) for _ in wallets]
    columns = (wallets, numbers, [number % 2**16 for number in numbers])
    assert abi.call_columns(signature, *columns) == abi.call_data(signature, *columns)


def test_columns_refuse_what_does_not_fit_its_kind() -> None:
    with pytest.raises(OverflowError):
        abi.call_columns("one(uint16[])", [2**16])
    with pytest.raises(OverflowError):
        abi.call_columns("one(uint16[])", [-1])
    with pytest.raises(EncodingError):
        abi.call_columns("one(address[])", [bytes(21)])
    with pytest.raises(ValueError, match="argument 2 is longer"):
        abi.call_columns("one(address[])", [], [])


def test_all_seventeen_deployment_transactions_succeed_within_their_limits(
    suite: Suite,
) -> None:
    assert len(suite.deployment) == 17
    assert {receipt.status for receipt in suite.deployment} == {1}
    assert sum(receipt.gas_used for receipt in suite.deployment) < 31_000_000


def test_a_new_suite_is_minted_unpaused_and_has_no_decimals(suite: Suite) -> None:
    reads = [trex.total_supply(suite.token), trex.decimals(suite.token)]
    assert suite.world.chain.read(reads) == [SUPPLY, 0]
    flags = [
        trex.paused(suite.token),
        trex.is_agent(suite.token, suite.deployer.address),
        trex.is_agent(suite.token, suite.treasury.address),
        trex.is_agent(suite.registry, suite.token),
    ]
    assert suite.world.chain.read(flags) == [False, True, False, True]


def test_an_unknown_salt_has_no_token(suite: Suite) -> None:
    assert suite.world.chain.read([trex.token_of(suite.factory, "other")]) == [bytes(20)]


def test_the_implementation_behind_a_token_can_be_followed(suite: Suite) -> None:
    chain = suite.world.chain
    (authority,) = chain.read([trex.implementation_authority(suite.token)])
    (logic,) = chain.read([trex.token_implementation(authority)])
    assert chain.code_hash(logic) != chain.code_hash(suite.token)
    assert chain.code_hash(logic) != abi.keccak(b"")


def test_a_batch_delivers_exactly_its_lines(suite: Suite) -> None:
    chain = suite.world.chain
    lines = [(wallet, 100 + index) for index, wallet in enumerate(suite.investors[:10])]
    before = chain.block_numbers().latest
    assert chain.preflight(suite.token, suite.treasury.address, lines, gas=2_000_000) == {}
    receipt = suite.world.act(suite.treasury, suite.token, trex.transfer_batch(lines))
    deliveries = trex.delivered(receipt, suite.token)
    assert [(line.receiver, line.amount) for line in deliveries] == lines
    assert {line.sender for line in deliveries} == {suite.treasury.address}
    wallets = [wallet for wallet, _ in lines]
    assert chain.balances(suite.token, wallets, "finalized") == [amount for _, amount in lines]
    assert chain.canonical([receipt.block_number]) == [receipt.block_hash]
    final = chain.block_numbers().finalized
    logs = chain.transfer_logs(suite.token, before + 1, final)
    assert [(log.receiver, log.amount) for log in logs] == lines
    assert [log.ordinal for log in logs] == [line.ordinal for line in deliveries]
    some = chain.transfer_logs(suite.token, before + 1, final, receivers=wallets[3:5])
    assert some == logs[3:5]


def test_sending_known_bytes_again_is_harmless(suite: Suite) -> None:
    world = suite.world
    receipt = world.act(suite.treasury, suite.token, trex.transfer_batch([(suite.investors[10], 7)]))
    raw = world.stored[-1][1]
    hints = world.chain.send([raw, raw])
    assert SendOutcome.ACCEPTED not in {hint.outcome for hint in hints}
    assert world.chain.receipts([receipt.hash]) == [receipt]
    assert world.chain.balances(suite.token, [suite.investors[10]]) == [7]


def test_an_unknown_hash_has_no_receipt(suite: Suite) -> None:
    assert suite.world.chain.receipts([secrets.token_bytes(32)]) == [None]


def test_a_poisoned_line_is_named_before_anything_is_sent(suite: Suite) -> None:
    lines = [(wallet, 1) for wallet in suite.investors]
    lines[13] = (secrets.token_bytes(20), 1)
    faults = suite.world.chain.preflight(suite.token, suite.treasury.address, lines, gas=MAX_TRANSACTION_GAS)
    assert faults == {13: "receiver_is_verified"}


def test_a_batch_above_the_treasury_is_refused_as_a_whole(suite: Suite) -> None:
    with pytest.raises(Refused, match="treasury_holds_the_units"):
        suite.world.chain.preflight(
            suite.token,
            suite.treasury.address,
            [(suite.investors[0], SUPPLY + 1)],
            gas=MAX_TRANSACTION_GAS,
        )


def test_a_gas_limit_that_is_too_small_is_found_by_preflight(suite: Suite) -> None:
    lines = [(wallet, 1) for wallet in suite.investors]
    with pytest.raises(Refused, match="batch_fits_its_gas_limit"):
        suite.world.chain.preflight(suite.token, suite.treasury.address, lines, gas=400_000)


def test_a_calibrated_batch_of_250_new_holders_fits(suite: Suite) -> None:
    wallets = _register(suite, LINES)
    chain, treasury = suite.world.chain, suite.treasury.address

    def estimate(count: int) -> tuple[int, int]:
        data = trex.transfer_batch([(wallet, 1) for wallet in wallets[:count]])
        return count, chain.estimate_gas(suite.token, data, sender=treasury)

    model = GasModel.calibrate(estimate(10), estimate(60))
    assert model.lines_per_batch() == LINES
    limit = model.gas_limit(LINES)
    assert limit <= MAX_TRANSACTION_GAS
    lines = [(wallet, 2) for wallet in wallets]
    assert chain.preflight(suite.token, treasury, lines, gas=limit) == {}
    receipt = suite.world.act(suite.treasury, suite.token, trex.transfer_batch(lines), limit)
    assert receipt.status == 1
    assert receipt.gas_used < limit
    assert len(trex.delivered(receipt, suite.token)) == LINES
    assert chain.balances(suite.token, wallets) == [2] * LINES


def test_a_reverted_batch_delivers_nothing(suite: Suite) -> None:
    lines = [(suite.investors[15], 1), (secrets.token_bytes(20), 1)]
    receipt = suite.world.act(suite.treasury, suite.token, trex.transfer_batch(lines), gas=500_000)
    assert receipt.status == 0
    assert trex.delivered(receipt, suite.token) == []


def test_replay_on_a_new_node_gives_the_same_hashes_and_balances(suite: Suite, tools: Tools) -> None:
    old = suite.world.chain
    hashes = [abi.keccak(raw) for _, raw in suite.world.stored]
    holders = [suite.treasury.address, *suite.investors]
    with Node.start(tools, chain_id=CHAIN_ID) as node, EvmChain(node.url) as new:
        node.replay(suite.world.stored)
        assert new.genesis() != old.genesis()
        assert [(r.hash, r.status) for r in new.receipts(hashes) if r] == [
            (r.hash, r.status) for r in old.receipts(hashes) if r
        ]
        assert new.balances(suite.token, holders) == old.balances(suite.token, holders)
        assert new.read([trex.token_of(suite.factory, "ofr_test")]) == [suite.token]


def test_check_passes_on_the_expected_chain_and_names_what_differs(suite: Suite) -> None:
    chain = suite.world.chain
    chain.check(
        CHAIN_ID,
        genesis=chain.genesis(),
        code_hashes={suite.token: chain.code_hash(suite.token)},
        next_nonces={suite.deployer.address: chain.nonce(suite.deployer.address)},
        finalized_seen=chain.block_numbers().finalized,
    )
    with pytest.raises(Refused, match="chain_id_is_the_expected_one"):
        chain.check(CHAIN_ID + 1)
    with pytest.raises(Refused, match="chain_genesis_is_the_expected_one"):
        chain.check(CHAIN_ID, genesis=bytes(32))
    with pytest.raises(Refused, match="chain_node_is_in_step"):
        chain.check(CHAIN_ID, finalized_seen=10**9)
    with pytest.raises(Refused, match="contract_code_is_unchanged"):
        chain.check(CHAIN_ID, code_hashes={suite.token: bytes(32)})
    with pytest.raises(Refused, match="key_is_used_by_us_alone"):
        chain.check(CHAIN_ID, next_nonces={suite.deployer.address: 3})
