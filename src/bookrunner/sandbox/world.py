"""The world of an installation: a database, a chain rebuilt from our bytes, the application on both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.rpc import ChainError, Rpc
from bookrunner.app import Application, Settings, open_keys
from bookrunner.core.errors import ConfigurationError
from bookrunner.db import Database, Endpoint, Keeper, from_url, migrate, start_embedded
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node

SANDBOX_CHAIN = 31337
_FUNDS_WEI = 10**24
_NODE_FILE = "node.url"
_BLOCK_PAUSE_SECONDS = 0.01


@dataclass(frozen=True)
class World:
    """An installation that runs: its application, and the node tools of the sandbox."""

    application: Application
    endpoint: Endpoint
    tools: toolchain.Tools
    node_url: str


@contextmanager
def opened(settings: Settings) -> Iterator[World]:
    """Start what the settings do not point to, rebuild the embedded chain, and stop what was started.

    A second process on the same state directory uses the server and the node of the first. Raises
    ConfigurationError when a server, node or tool cannot be had.
    """
    state = settings.state_dir.resolve()
    state.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        endpoint = _endpoint(settings, state, stack)
        tools = toolchain.ensure()
        url, pulse = _node(settings, endpoint, tools, stack)
        chain = stack.enter_context(EvmChain(url))
        if chain.chain_id() != settings.chain_id:
            raise ConfigurationError(f"the node is not on chain {settings.chain_id}")
        keys = open_keys(state / "keys", settings.chain_id, embedded=settings.chain_id == SANDBOX_CHAIN)
        application = Application(endpoint, chain, keys, pause=pulse)
        stack.callback(application.close)
        yield World(application, endpoint, tools, url)


@contextmanager
def database_of(settings: Settings) -> Iterator[Endpoint]:
    """Lend the migrated database alone, without a chain; an embedded server that this started is stopped."""
    state = settings.state_dir.resolve()
    state.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        yield _endpoint(settings, state, stack)


def _endpoint(settings: Settings, state: Path, stack: ExitStack) -> Endpoint:
    if settings.database_url is not None:
        endpoint = from_url(settings.database_url.get_secret_value(), state)
    else:
        server = start_embedded(state / "database")
        stack.callback(server.stop)
        endpoint = server.endpoint
    migrate(endpoint)
    return endpoint


def _node(
    settings: Settings, endpoint: Endpoint, tools: toolchain.Tools, stack: ExitStack
) -> tuple[str, Callable[[], None]]:
    if settings.rpc_url is not None:
        return settings.rpc_url.get_secret_value(), lambda: time.sleep(0.5)
    state = settings.state_dir.resolve()
    known = state / _NODE_FILE
    running = known.read_text(encoding="utf-8") if known.exists() else ""
    if running and _answers(running, settings.chain_id):
        return running, _pulser(running, stack)
    node = stack.enter_context(Node.start(tools, chain_id=settings.chain_id))
    keys = open_keys(state / "keys", settings.chain_id, embedded=True)
    for key in (keys.agent, keys.treasury):
        node.fund(key.address, _FUNDS_WEI)
    _replay(endpoint, node, settings.chain_id)
    known.write_text(node.url, encoding="utf-8")
    stack.callback(known.unlink, missing_ok=True)
    return node.url, _pulser(node.url, stack)


def _answers(url: str, chain_id: int) -> bool:
    try:
        with EvmChain(url, timeout=1.0) as chain:
            return chain.chain_id() == chain_id
    except ChainError:
        return False


def _pulser(url: str, stack: ExitStack) -> Callable[[], None]:
    """Return a pause that lets the embedded chain make a block, since nothing becomes final by itself."""
    rpc = Rpc(url)
    stack.callback(rpc.close)

    def pulse() -> None:
        rpc.call("evm_mine")
        time.sleep(_BLOCK_PAUSE_SECONDS)

    return pulse


def _replay(endpoint: Endpoint, node: Node, chain_id: int) -> None:
    database = Database(endpoint, max_size=1)
    try:
        registry = Keeper(database, "registry", "bookrunner.books.registry")
        rows = registry.all_signed(chain_id=chain_id)
    finally:
        database.close()
    if rows:
        node.replay([(bytes(row["sender"]), bytes(row["raw"])) for row in rows])
