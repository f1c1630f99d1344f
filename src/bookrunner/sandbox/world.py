"""The world of an installation: a database, a chain rebuilt from our bytes, the application on both."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.rpc import ChainError, Rpc
from bookrunner.app import Application, open_keys, remote_keys
from bookrunner.app.anchors import open_anchor_key
from bookrunner.app.settings import SANDBOX_CHAIN, Outside, Settings, refuse_other_chain
from bookrunner.core.errors import ConfigurationError
from bookrunner.db import Database, Endpoint, Keeper, embedded_runs, from_url, migrate, start_embedded
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node

_FUNDS_WEI = 10**24
_NODE_FILE = "node.url"
_NODE_LOCK = "node.lock"
_WORKER_LOCK = "worker.lock"
_OURS = {"database", "keys", _NODE_FILE, _NODE_LOCK, _WORKER_LOCK}
_BLOCK_PAUSE_SECONDS = 0.01


@dataclass(frozen=True)
class World:
    """An installation that runs: its application, and the node tools of the sandbox."""

    application: Application
    endpoint: Endpoint
    tools: toolchain.Tools
    node_url: str
    pause: Callable[[], None]


@contextmanager
def opened(settings: Settings) -> Iterator[World]:
    """Start what the settings do not point to, rebuild the embedded chain, and stop what was started.

    A second process on the same state directory uses the server and the node of the first. Raises
    ConfigurationError when a server, node or tool cannot be had.
    """
    state = _made(settings)
    with ExitStack() as stack:
        endpoint = _endpoint(settings, state, stack)
        tools = toolchain.ensure()
        urls, pulse = _nodes(settings, endpoint, tools, stack)
        chain = stack.enter_context(EvmChain(*urls))
        refuse_other_chain(chain, settings.chain_id)
        embedded = settings.chain_id == SANDBOX_CHAIN
        if settings.signers:
            keys = remote_keys(settings.signers, settings.chain_id)
        else:
            keys = open_keys(state / "keys", settings.chain_id, embedded=embedded)
        application = Application(
            endpoint,
            chain,
            keys,
            pause=pulse,
            lines=settings.delivery_lines,
            outside=Outside.of(settings, state / "keys", embedded=embedded),
        )
        stack.callback(application.close)
        yield World(application, endpoint, tools, urls[0], pulse)


def wipe(settings: Settings) -> bool:
    """Remove an installation's state; return False when there is none.

    Raises ConfigurationError for a directory that holds anything else, and while its database runs.
    """
    state = settings.state_dir.resolve()
    if not state.exists():
        return False
    other = sorted(entry.name for entry in state.iterdir() if entry.name not in _OURS)
    if other:
        raise ConfigurationError(f"{state} is not removed: {other[0]} is not of an installation")
    if embedded_runs(state / "database"):
        raise ConfigurationError(f"{state} is not removed: its database is running; stop it first")
    try:
        shutil.rmtree(state)
    except OSError as fault:
        raise ConfigurationError(f"{state} is not removed: {fault.strerror}") from None
    return True


@contextmanager
def database_of(settings: Settings) -> Iterator[Endpoint]:
    """Lend the migrated database alone, without a chain; an embedded server that this started is stopped."""
    state = _made(settings)
    with ExitStack() as stack:
        yield _endpoint(settings, state, stack)


def _made(settings: Settings) -> Path:
    state = settings.state_dir.resolve()
    try:
        if not state.exists():
            state.mkdir(parents=True)
            # Whatever the umask, the database's account passes through here.
            state.chmod(0o711)
    except OSError as fault:
        raise ConfigurationError(f"{state} cannot be made: {fault.strerror}") from None
    return state


def _endpoint(settings: Settings, state: Path, stack: ExitStack) -> Endpoint:
    if settings.database_url is not None:
        endpoint = from_url(settings.database_url.get_secret_value(), state)
    else:
        server = start_embedded(state / "database")
        stack.callback(server.stop)
        endpoint = server.endpoint
    migrate(endpoint)
    return endpoint


def _nodes(
    settings: Settings, endpoint: Endpoint, tools: toolchain.Tools, stack: ExitStack
) -> tuple[list[str], Callable[[], None]]:
    if settings.rpc_urls:
        return settings.rpc_urls, lambda: time.sleep(0.5)
    state = settings.state_dir.resolve()
    known = state / _NODE_FILE
    with _alone(state / _NODE_LOCK):
        running = _running_node(known)
        if running is not None:
            return [running], _pulser(running, stack)
        return _started_node(settings, endpoint, tools, stack)


def _started_node(
    settings: Settings, endpoint: Endpoint, tools: toolchain.Tools, stack: ExitStack
) -> tuple[list[str], Callable[[], None]]:
    state = settings.state_dir.resolve()
    known = state / _NODE_FILE
    node = stack.enter_context(Node.start(tools, chain_id=settings.chain_id))
    keys = open_keys(state / "keys", settings.chain_id, embedded=True)
    anchor = open_anchor_key(state / "keys", settings.chain_id, embedded=True)
    for key in (keys.agent, keys.treasury, anchor):
        node.fund(key.address, _FUNDS_WEI)
    _replay(endpoint, node, settings.chain_id)
    with EvmChain(node.url) as chain:
        known.write_text(f"{node.url} {chain.genesis().hex()}", encoding="utf-8")
    stack.callback(known.unlink, missing_ok=True)
    return [node.url], _pulser(node.url, stack)


@contextmanager
def worker_seat(state: Path) -> Iterator[bool]:
    """Take the seat of the one process that works off a state's closings, and say whether it is ours.

    The seat is free as soon as its process is dead.
    """
    handle = os.open(state / _WORKER_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        yield False
        return
    try:
        yield True
    finally:
        os.close(handle)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process at a time look for the node and start it: two nodes would be two chains."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _running_node(known: Path) -> str | None:
    """Return the URL that another process noted, if that very chain answers there.

    After a crash the port may have gone to a stranger's node of the same chain id.
    """
    url, _, genesis = (known.read_text(encoding="utf-8") if known.exists() else "").partition(" ")
    if not genesis:
        return None
    try:
        with EvmChain(url, timeout=1.0) as chain:
            return url if chain.genesis().hex() == genesis else None
    except (ChainError, ConfigurationError):
        return None


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
        audit = Keeper(database, "audit", "bookrunner.audit.record")
        rows = [*registry.all_signed(chain_id=chain_id), *audit.all_anchors(chain_id=chain_id)]
    finally:
        database.close()
    if rows:
        node.replay([(bytes(row["sender"]), bytes(row["raw"])) for row in rows])
