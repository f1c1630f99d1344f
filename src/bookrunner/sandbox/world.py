"""The embedded world: PostgreSQL, an EVM node rebuilt from our own signed bytes, and the application on both."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app import Application, open_keys
from bookrunner.db import Database, Endpoint, Keeper, Server, migrate, start_embedded
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node

CHAIN_ID = 31337
_FUNDS_WEI = 10**24


class World:
    """A running sandbox: ``application`` on an embedded server and an embedded chain."""

    def __init__(self, state: Path, server: Server, node: Node, tools: toolchain.Tools) -> None:
        self.state = state
        self.server = server
        self.node = node
        self.tools = tools
        self.chain = EvmChain(node.url)
        self._last_pulse = 0.0
        keys = open_keys(state / "keys", CHAIN_ID, embedded=True)
        for key in (keys.agent, keys.treasury):
            node.fund(key.address, _FUNDS_WEI)
        self._replay(server.endpoint)
        self.application = Application(server.endpoint, self.chain, keys, pause=self.pause)

    def pause(self) -> None:
        """Let the embedded chain make a block, since nothing becomes final by itself."""
        self.node.pulse()
        time.sleep(0.01)

    def _replay(self, endpoint: Endpoint) -> None:
        database = Database(endpoint, max_size=1)
        rows = Keeper(database, "registry", "bookrunner.books.registry").all_signed(chain_id=CHAIN_ID)
        database.close()
        if rows:
            self.node.replay([(bytes(row["sender"]), bytes(row["raw"])) for row in rows])

    @classmethod
    @contextmanager
    def open(cls, state: Path) -> Iterator[World]:
        """Start server and chain under ``state``, rebuild the chain, and stop both at the end."""
        state.mkdir(parents=True, exist_ok=True)
        tools = toolchain.ensure()
        server = start_embedded(state / "database")
        try:
            migrate(server.endpoint)
            with Node.start(tools, chain_id=CHAIN_ID) as node:
                world = cls(state, server, node, tools)
                try:
                    yield world
                finally:
                    world.application.close()
                    world.chain.close()
        finally:
            server.stop()
