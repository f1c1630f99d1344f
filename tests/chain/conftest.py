"""A real node, a real token suite, and keys that live for one test session."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bookrunner.adapters.chain import Fees, Receipt, Transaction, abi, trex
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.db import Database
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node
from tests.attack.world import Connect

if TYPE_CHECKING:
    from tests.chain.sides import Sides

CHAIN_ID = 880_330
FEES = Fees(10**9, 10**9)
SUPPLY = 1_000_000
LINES = 250


@dataclass
class World:
    """One node with what was sent to it, as a caller with a database would keep it."""

    node: Node
    chain: EvmChain
    stored: list[tuple[bytes, bytes]] = field(default_factory=list)

    def sign(self, key: LocalKey, to: bytes | None, data: bytes, gas: int) -> bytes:
        """Sign with the key's next nonce and store the bytes; nothing is sent."""
        nonce = sum(sender == key.address for sender, _ in self.stored)
        signed = key.sign(Transaction(CHAIN_ID, nonce, to, data, gas, FEES))
        self.stored.append((key.address, signed.raw))
        return signed.raw

    def settle(self, raws: Sequence[bytes]) -> list[Receipt]:
        """Send stored bytes and wait until every one is final."""
        hashes = [abi.keccak(raw) for raw in raws]
        deadline = time.monotonic() + 30
        with self.node.pulsing():
            self.chain.send(raws)
            while time.monotonic() < deadline:
                receipts = [each for each in self.chain.receipts(hashes) if each is not None]
                final = self.chain.block_numbers().finalized
                if len(receipts) == len(raws) and all(r.block_number <= final for r in receipts):
                    return receipts
                time.sleep(0.01)
        pytest.fail("the transactions did not become final")

    def act(self, key: LocalKey, to: bytes, data: bytes, gas: int = 16_000_000) -> Receipt:
        """Sign, store, send and wait for one transaction."""
        (receipt,) = self.settle([self.sign(key, to, data, gas)])
        return receipt


@dataclass(frozen=True)
class Suite:
    """A deployed token with a minted treasury and verified investors."""

    world: World
    deployer: LocalKey
    treasury: LocalKey
    token: bytes
    registry: bytes
    factory: bytes
    investors: tuple[bytes, ...]
    deployment: tuple[Receipt, ...]


@pytest.fixture(scope="session")
def tools() -> toolchain.Tools:
    """Return the node's executable and the artifacts."""
    return toolchain.ensure()


@pytest.fixture(scope="session")
def world(tools: toolchain.Tools) -> Iterator[World]:
    """Run one node for all tests that may share it."""
    with (
        Node.start(tools, chain_id=CHAIN_ID) as node,
        EvmChain(node.url) as chain,
    ):
        yield World(node, chain)


@pytest.fixture(scope="session")
def suite(world: World, tools: toolchain.Tools, tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Return the token that the tests of this folder share; a replay brings all of it back."""
    return _deployed(world, tools, tmp_path_factory.mktemp("keys"))


def _deployed(world: World, tools: toolchain.Tools, folder: Path) -> Suite:
    """Deploy from stored bytes, register 20 investors, mint to the treasury and unpause."""
    deployer, treasury = (open_key(folder, name) for name in ("deployer", "treasury"))
    for key in (deployer, treasury):
        world.node.fund(key.address, 10**24)
    agents = (deployer.address,)
    plan = trex.SuitePlan("ofr_test", deployer.address, "Fund I", "FUND1", agents, agents)
    steps = trex.deployment(tools.artifacts, deployer.address, 0, plan)
    raws = [world.sign(deployer, step.to, step.data, step.gas) for step in steps]
    receipts = world.settle(raws)
    factory = next(step.creates for step in steps if step.name == "factory")
    assert factory is not None
    (token,) = world.chain.read([trex.token_of(factory, "ofr_test")])
    (registry,) = world.chain.read([trex.identity_registry(token)])
    investors = tuple(secrets.token_bytes(20) for _ in range(20))
    entries = [(wallet, wallet, 840) for wallet in (treasury.address, *investors)]
    world.act(deployer, registry, trex.register_batch(entries))
    world.act(deployer, token, trex.mint(treasury.address, SUPPLY), gas=500_000)
    world.act(deployer, token, trex.unpause(), gas=100_000)
    return Suite(world, deployer, treasury, token, registry, factory, investors, tuple(receipts))


@pytest.fixture(scope="session")
def unstored(tools: toolchain.Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """Return a suite on a node of its own: whose agents act through a database, no replay can know."""
    with (
        Node.start(tools, chain_id=CHAIN_ID) as node,
        EvmChain(node.url) as chain,
    ):
        yield _deployed(World(node, chain), tools, tmp_path_factory.mktemp("keys"))


@pytest.fixture
def sides(
    unstored: Suite, tools: toolchain.Tools, connect: Connect, database: Database
) -> Callable[[str], Sides]:
    """Return what puts a fresh token beside a register of the same label."""
    from tests.chain.sides import Sides

    return lambda label: Sides(unstored, tools.artifacts, (connect, database), label)


def open_key(folder: Path, name: str) -> LocalKey:
    """Open a key for the test chain."""
    return LocalKey.open(folder, name, chain_id=CHAIN_ID, embedded=True)
