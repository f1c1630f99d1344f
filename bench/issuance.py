"""Issuance of frozen closings, gate to register, against the bare rate of the node for the same calls."""

from __future__ import annotations

import resource
import secrets
import time
from collections.abc import Sequence

from bench.stage import BenchFailed, scratch
from bookrunner.adapters.chain import (
    MAX_LINES,
    MAX_TRANSACTION_GAS,
    Chain,
    Signer,
    Transaction,
    identity_registry,
    keccak,
    mint,
    register_batch,
    transfer_batch,
)
from bookrunner.adapters.chain.rpc import Rpc
from bookrunner.app.settings import Settings
from bookrunner.sandbox.simulation import ACTOR, set_up
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World, opened

SEED = 7
SMALL = 1_000
LARGE = 10_000
COUNTRY = 840
TIMEOUT_SECONDS = 600.0


def run(full: bool) -> dict[str, object]:
    """Close an offer of 1,000 holders, in full also one of 10,000, then let the node do the same calls alone.

    The ratio is that of holders per second. The end to end run screens everybody, computes the gates, writes
    instructions, registers wallets, delivers, waits for finality and posts to the register; the node's own
    run registers and delivers to as many new wallets from bytes of this process, on the same token.
    """
    measured: dict[str, object] = {"name": "issuance"}
    for holders in (SMALL, LARGE) if full else (SMALL,):
        with scratch() as state, opened(Settings(state_dir=state, database_url=None, rpc_url=None)) as world:
            measured |= _measured(world, holders)
    measured["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return measured


def _measured(world: World, holders: int) -> dict[str, object]:
    app, story = world.application, Story(world.application, investors=holders, seed=SEED)
    set_up(world, story)
    began = time.perf_counter()
    closing = app.close_offer(story.offering, actor=ACTOR, ready=True)
    issued = app.run_closing(story.offering, closing)
    ours = issued / (time.perf_counter() - began)
    if app.totals(story.offering)["holdings"] != issued:
        raise BenchFailed(f"{issued} were issued, {app.totals(story.offering)['holdings']} are registered")
    node, gas = _bare(world, bytes(app.desk.engine.offer(offering=story.offering)["token_address"]), issued)
    print(
        f"{holders:>6} holders: {ours:.0f}/s gate to register, {node:.0f}/s by the node alone,"
        f" {gas} gas for each",
        flush=True,
    )
    return {
        f"ratio_node_{holders}": round(ours / node, 3),
        f"issued_per_s_{holders}": round(ours),
        f"gas_per_holder_{holders}": gas,
    }


def _bare(world: World, token: bytes, holders: int) -> tuple[float, int]:
    """Return holders per second, and gas for each, of the node alone."""
    app = world.application
    chain, agent, treasury = app.chain, app.keys.agent, app.keys.treasury
    (registry,) = chain.read([identity_registry(token)])
    _settled(world, agent, [(token, mint(treasury.address, holders))])
    wallets = [secrets.token_bytes(20) for _ in range(holders)]
    parts = [wallets[start : start + MAX_LINES] for start in range(0, holders, MAX_LINES)]
    began = time.perf_counter()
    registered = [register_batch([(wallet, wallet, COUNTRY) for wallet in part]) for part in parts]
    gas = _settled(world, agent, [(registry, data) for data in registered])
    delivered = [transfer_batch([(wallet, 1) for wallet in part]) for part in parts]
    gas += _settled(world, treasury, [(token, data) for data in delivered])
    return holders / (time.perf_counter() - began), gas // holders


def _settled(world: World, signer: Signer, calls: Sequence[tuple[bytes, bytes]]) -> int:
    """Sign, send and see final so many calls, three at a time as one block holds; return their gas."""
    chain, used = world.application.chain, 0
    chain_id, nonce = chain.chain_id(), chain.nonce(signer.address)
    with Rpc(world.node_url) as rpc:
        for start in range(0, len(calls), 3):
            fees = chain.fees()
            raws = [
                signer.sign(Transaction(chain_id, place, to, data, MAX_TRANSACTION_GAS, fees)).raw
                for place, (to, data) in enumerate(calls[start : start + 3], nonce + start)
            ]
            chain.send(raws)
            used += _final(rpc, chain, [keccak(raw) for raw in raws])
    return used


def _final(rpc: Rpc, chain: Chain, hashes: Sequence[bytes]) -> int:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        final = chain.block_numbers().finalized
        receipts = [
            receipt for receipt in chain.receipts(hashes) if receipt and receipt.block_number <= final
        ]
        if len(receipts) == len(hashes):
            if not all(receipt.status for receipt in receipts):
                raise BenchFailed("the node refused a bare call")
            return sum(receipt.gas_used for receipt in receipts)
        rpc.call("evm_mine")
    raise BenchFailed("a bare call did not become final")
