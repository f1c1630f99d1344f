"""Issuance of frozen closings, gate to register, against the bare rate of the node for the same calls."""

from __future__ import annotations

import gc
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

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

    Ratios are those of holders per second. ``ratio_node`` goes from the first computing of a gate in the run
    to the last posting in the register: gates, wallets registered, instructions and deliveries signed, final
    and posted. ``ratio_node_with_screening`` is the whole close, from its freeze to the closing marked
    issued, with the screening that is made for each issuance. The node's own run registers and delivers to
    as many new wallets from bytes of this process, on the same token. ``share_…`` says in percent where the
    time of the close went; ``peak_mib`` is the most that this process had during a close, ``grown_mib`` what
    it had more than before it.
    """
    measured: dict[str, object] = {"name": "issuance"}
    for holders in (SMALL, LARGE) if full else (SMALL,):
        with scratch() as state, opened(Settings(state_dir=state, database_url=None, rpc_url=None)) as world:
            measured |= _measured(world, holders)
    return measured


@dataclass(slots=True)
class _Course:
    """When each stage of a close began, and when the last line was posted."""

    began: float
    ended: float = 0.0
    first: dict[str, float] = field(default_factory=dict)
    posted: float = 0.0

    def note(self, phase: str, done: int, _: int) -> None:
        """Take what a closing says of its progress."""
        self.first.setdefault(phase, time.perf_counter())
        if phase == "deliver" and done:
            self.posted = time.perf_counter()

    def seconds(self) -> dict[str, float]:
        """Return the stages of the close, in their order; they sum to the whole."""
        marks = (self.began, self.first["recover"], self.first["instruct"], self.posted, self.ended)
        stages = ("freeze", "screening", "gate_to_register", "mark")
        return {stage: after - before for stage, before, after in zip(stages, marks, marks[1:], strict=False)}


def _measured(world: World, holders: int) -> dict[str, object]:
    app = world.application
    offering = _set_up(world, holders)
    before = _size("VmRSS")
    # Linux forgets the peak when it is told to, so that setting up a raise is not counted.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    course = _Course(time.perf_counter())
    closing = app.close_offer(offering, actor=ACTOR, ready=True)
    issued = app.run_closing(offering, closing, course.note)
    course.ended = time.perf_counter()
    peak = _size("VmHWM")
    if app.totals(offering)["holdings"] != issued:
        raise BenchFailed(f"{issued} were issued, {app.totals(offering)['holdings']} are registered")
    node, gas = _bare(world, bytes(app.desk.engine.offer(offering=offering)["token_address"]), issued)
    seconds, whole = course.seconds(), course.ended - course.began
    issuing = issued / seconds["gate_to_register"]
    print(
        f"{holders:>6} holders: {issuing:.0f}/s gate to register, {issued / whole:.0f}/s freeze to issued"
        f" with screening, {node:.0f}/s by the node alone, {gas} gas for each",
        flush=True,
    )
    return {
        f"ratio_node_{holders}": round(issuing / node, 3),
        f"ratio_node_with_screening_{holders}": round(issued / whole / node, 3),
        f"issued_per_s_{holders}": round(issuing),
        f"issued_per_s_with_screening_{holders}": round(issued / whole),
        f"node_per_s_{holders}": round(node),
        f"gas_per_holder_{holders}": gas,
        f"peak_mib_{holders}": peak,
        f"grown_mib_{holders}": peak - before,
    } | {f"share_{stage}_{holders}": round(100 * part / whole) for stage, part in seconds.items()}


def _set_up(world: World, holders: int) -> str:
    """Play a raise up to its closing day and keep nothing of the story but the name of its offer."""
    story = Story(world.application, investors=holders, seed=SEED)
    set_up(world, story)
    return story.offering


def _size(of: str) -> int:
    """Return a size of this process in MiB: ``VmRSS`` as it is, ``VmHWM`` at its highest."""
    gc.collect()
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(f"{of}:"))


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
