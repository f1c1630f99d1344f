"""The sandbox's own chain: a real EVM node as a supervised child process on loopback."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from bookrunner.adapters.chain import ChainError, ChainUnreachable, abi
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.rpc import Rpc, quantity
from bookrunner.core.errors import ConfigurationError
from bookrunner.sandbox.toolchain import Tools

BLOCK_GAS = 60_000_000
PULSE_SECONDS = 0.05

_READY_SECONDS = 15.0
_STOP_SECONDS = 5.0
_REPLAY_SECONDS = 120.0
_STARTS = 3
_FOLDER = "bookrunner-node-"
_LIMIT_SPREAD = 1_000_000
_MEMORY_BYTES = 6 * 1024**3
_FUNDS_WEI = 10**24
_SENDS_AT_ONCE = 50

# Runs in the child before it becomes the node: the node dies with us and cannot eat the machine.
_LAUNCHER = """\
import os, resource, signal, sys
parent, memory = int(sys.argv[1]), int(sys.argv[2])
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
if os.getppid() != parent:
    sys.exit(1)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Node:
    """One running node; its chain lives in memory and ends with it.

    Nothing is kept on disk: after a start, `replay` sends the stored transactions again.
    """

    def __init__(self, url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
        """Take over a started process; use `start` instead."""
        self.url = url
        self.process = process
        self._folder = folder
        self._rpc = Rpc(url)

    @classmethod
    def start(cls, tools: Tools, *, chain_id: int, port: int = 0, epoch: int = 1) -> Self:
        """Start a node and wait until it answers; port 0 takes a free one.

        A block is final when two epochs of so many blocks stand on it. Raises `ConfigurationError` when the
        node does not come up.
        """
        for _ in range(_STARTS):
            node = cls._launch(tools.anvil, chain_id, port or _free_port(), epoch)
            if node.answers(chain_id):
                return node
            node.stop()
        raise ConfigurationError(
            "the sandbox's node did not start; it needs glibc 2.35 or newer and a free port"
        )

    @classmethod
    def _launch(cls, anvil: Path, chain_id: int, port: int, epoch: int) -> Self:
        _sweep()
        folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER]
        limits = [str(os.getpid()), str(_MEMORY_BYTES)]
        command = [*launcher, *limits, str(anvil), *_flags(chain_id, port, epoch, folder / "cache")]
        process = _spawn(command, folder)
        return cls(f"http://127.0.0.1:{port}", process, folder)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the node."""
        self.stop()

    def fund(self, address: bytes, wei: int) -> None:
        """Set an address's coin; no transaction is needed, so a replay keeps its hashes."""
        self._rpc.call("anvil_setBalance", "0x" + address.hex(), hex(wei))

    def pulse(self) -> None:
        """Mine one block, with whatever waits in the pool."""
        self._rpc.call("evm_mine")

    @contextmanager
    def pulsing(self, wanted: Callable[[], bool] = lambda: True) -> Iterator[None]:
        """Mine a block every 50 ms in a thread while ``wanted()`` says that something waits.

        Each block costs memory, so ``wanted`` should be false when every attempt is final.
        """
        over = threading.Event()
        failures: list[ChainError] = []

        def pulse() -> None:
            while not over.wait(PULSE_SECONDS):
                try:
                    if wanted():
                        self.pulse()
                except ChainError as error:
                    failures.append(error)
                    return

        thread = threading.Thread(target=pulse, name="bookrunner-pulse", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        if failures:
            raise failures[0]

    def replay(self, transactions: Sequence[tuple[bytes, bytes]]) -> None:
        """Bring stored (sender, raw transaction) pairs back, in the order they were first mined.

        Senders are funded first. Consecutive transactions of one sender travel together; the next
        sender's wait for them, because a block orders by fee and not by arrival. Raises
        `ChainError` when one finds no place within two minutes; the caller compares balances.
        """
        for sender in dict.fromkeys(sender for sender, _ in transactions):
            self.fund(sender, _FUNDS_WEI)
        with EvmChain(self.url) as chain:
            for wave in _waves(transactions):
                self._replay_wave(chain, wave)
            # What was final before is final again: reconciliation reads at the finalized block.
            newest = chain.block_numbers().latest
            while chain.block_numbers().finalized < newest:
                self.pulse()

    def stop(self) -> None:
        """End the node and wipe its folder; stopping twice is harmless."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._rpc.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def answers(self, chain_id: int) -> bool:
        """Wait until our process, and no other, answers for this chain; false when it ended."""
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                answer = quantity(self._rpc.call("eth_chainId"))
            except ChainUnreachable:
                time.sleep(0.01)
                continue
            # A stranger's node on this port would answer while ours has already ended.
            time.sleep(0.01)
            return answer == chain_id and self.process.poll() is None
        return False

    def _replay_wave(self, chain: EvmChain, raws: list[bytes]) -> None:
        waiting = {abi.keccak(raw): raw for raw in raws}
        deadline = time.monotonic() + _REPLAY_SECONDS
        while waiting:
            # Sending the same bytes again is harmless, and cures what the pool has dropped.
            chain.send(list(waiting.values()))
            self.pulse()
            hashes = list(waiting)
            for each, receipt in zip(hashes, chain.receipts(hashes), strict=True):
                if receipt is not None:
                    del waiting[each]
            if waiting and time.monotonic() > deadline:
                raise ChainError(f"{len(waiting)} stored transactions found no place in a block")


def _waves(transactions: Sequence[tuple[bytes, bytes]]) -> Iterator[list[bytes]]:
    wave: list[bytes] = []
    last = b""
    for sender, raw in transactions:
        if wave and (sender != last or len(wave) == _SENDS_AT_ONCE):
            yield wave
            wave = []
        wave.append(raw)
        last = sender
    if wave:
        yield wave


def _flags(chain_id: int, port: int, epoch: int, cache: Path) -> list[str]:
    settings = {
        "--host": "127.0.0.1",
        "--port": port,
        "--chain-id": chain_id,
        # Un-pruned state took tens of gigabytes; without a number recent reads failed.
        "--prune-history": 64,
        "--cache-path": cache,
        # Block 0 tells incarnations apart, but its clock counts whole seconds; this limit is in its hash too.
        "--gas-limit": BLOCK_GAS + secrets.randbelow(_LIMIT_SPREAD),
        # A replay packs blocks otherwise, so no base fee may strand a stored transaction.
        "--block-base-fee-per-gas": 0,
        "--slots-in-an-epoch": epoch,
        "--accounts": 1,
        # No publicly known key may hold funds.
        "--mnemonic-random": 12,
    }
    pairs = [text for flag, value in settings.items() for text in (flag, str(value))]
    return [*pairs, "--enable-tx-gas-limit", "--quiet"]


def _spawn(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Fork from a thread that lives as long as the child.

    The death signal follows the forking thread, so a short-lived caller would end the node.
    """
    started = threading.Event()
    found: list[subprocess.Popen[bytes]] = []
    environment = {"HOME": str(folder), "PATH": os.defpath}

    def keep() -> None:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            found.append(process)
        finally:
            started.set()
        process.wait()

    threading.Thread(target=keep, name="bookrunner-node", daemon=True).start()
    started.wait()
    if not found:
        raise ConfigurationError("the sandbox's node could not be launched")
    return found[0]


def _sweep() -> None:
    """Wipe the folders of nodes whose parent was killed before it could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*-*"):
        parent = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if parent.isdecimal() and not _is_alive(int(parent)):
            # Somebody else's folder is not ours to remove, and the system then says no.
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
