"""A chain that is battered from outside: two ways to one node, a held miner, lost blocks and pools."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from bookrunner.adapters.chain.rpc import Rpc
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node

BLOCK_SECONDS = 0.02
EPOCH = 3
LAG = 8


class Door:
    """A way to a node: open, shut, or lagging by some blocks as a node does that hears them late."""

    def __init__(self, url: str) -> None:
        door = self
        self.state = "open"
        self.lag = LAG

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = b"" if door.state == "shut" else door.answer(url, body)
                self.send_response(503 if door.state == "shut" else 200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Take it that who asked may be dead."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        """Stop answering for good."""
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    def answer(self, url: str, body: bytes) -> bytes:
        """Answer as the node does, or as it did some blocks ago."""
        if self.state != "lagging":
            return _forwarded(url, body)
        asked = json.loads(body)
        newest = int(json.loads(_forwarded(url, _NEWEST))["result"], 16) - self.lag
        calls = asked if isinstance(asked, list) else [asked]
        for call in calls:
            call["params"] = [_earlier(each, newest) for each in call.get("params", [])]
        answers = json.loads(_forwarded(url, json.dumps(calls).encode()))
        for answer in answers:
            result = answer.get("result")
            if isinstance(result, dict) and int(result.get("blockNumber", "0x0"), 16) > newest:
                answer["result"] = None
        return json.dumps(answers if isinstance(asked, list) else answers[0]).encode()


_NEWEST = b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'


def _earlier(value: object, newest: int) -> object:
    return {"latest": hex(newest), "finalized": hex(newest - 2 * EPOCH)}.get(str(value), value)


def _forwarded(url: str, body: bytes) -> bytes:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request("POST", "/", body, {"content-type": "application/json"})
        return connection.getresponse().read()
    finally:
        connection.close()


class Battered:
    """A node that mines every few milliseconds unless it is held, and what can happen to its chain."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.rpc = Rpc(node.url)
        self.doors = (Door(node.url), Door(node.url))
        self._turn = threading.Lock()
        self._over = threading.Event()
        self.rpc.batch([("evm_setAutomine", [False])])
        self._miner = Thread(target=self._mine)
        self._miner.start()

    def close(self) -> None:
        """End the miner and both ways in; the node is its owner's."""
        self._over.set()
        self._miner.join()
        for door in self.doors:
            door.close()
        self.rpc.close()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Mine nothing meanwhile."""
        with self._turn:
            yield

    def mine(self, blocks: int) -> None:
        """Mine so many blocks at once while the miner is held."""
        for _ in range(blocks):
            self.rpc.call("evm_mine")

    def waiting(self) -> int:
        """Return how many transactions wait for a block."""
        found = self.rpc.call("txpool_status")
        assert isinstance(found, dict)
        return int(found["pending"], 16) + int(found["queued"], 16)

    def lose_blocks(self) -> None:
        """Undo the newest three blocks, which are not final."""
        with self._turn:
            self.rpc.call("anvil_reorg", 3, [])

    def empty_pool(self) -> int:
        """Forget what waits for a block; return how many transactions that were."""
        waited = self.waiting()
        self.rpc.call("anvil_dropAllTransactions")
        return waited

    def _mine(self) -> None:
        while not self._over.wait(BLOCK_SECONDS):
            with self._turn:
                self.rpc.call("evm_mine")


@contextmanager
def battered(chain_id: int) -> Iterator[Battered]:
    """Lend a node whose blocks are final when six more stand on them."""
    with Node.start(toolchain.ensure(), chain_id=chain_id, epoch=EPOCH) as node:
        chain = Battered(node)
        try:
            yield chain
        finally:
            chain.close()


def until(is_so: object, seconds: float = 30.0) -> bool:
    """Wait until something is so; false when the time is up."""
    assert callable(is_so)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.002)
    return False
