"""Several nodes of one chain: one falls silent, one lags, all are gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from bookrunner.adapters.chain import ChainUnreachable, Fees, NodeRefused, SendOutcome, Transaction
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.rpc import Rpc
from bookrunner.core.errors import ConfigurationError
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node
from tests.chain.conftest import CHAIN_ID, open_key
from tests.chain.test_rpc import serving
from tests.patience import PATIENT

pytestmark = pytest.mark.chain

NOWHERE = "http://127.0.0.1:1"
RECEIVER = b"\x99" * 20


class Door:
    """A way to a node that can be shut, as a provider's second address is."""

    def __init__(self, url: str) -> None:
        door = self
        self.shut = False
        self.asked = 0

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                door.asked += 1
                answer = b"" if door.shut else _forwarded(url, body)
                self.send_response(503 if door.shut else 200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        """Stop answering for good."""
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


def _forwarded(url: str, body: bytes) -> bytes:
    headers = {"content-type": "application/json"}
    return httpx.post(url, content=body, headers=headers, trust_env=False, timeout=PATIENT).content


@pytest.fixture
def nodes() -> Iterator[tuple[Node, Node]]:
    with (
        Node.start(toolchain.ensure(), chain_id=CHAIN_ID) as first,
        Node.start(toolchain.ensure(), chain_id=CHAIN_ID) as second,
    ):
        yield first, second


@pytest.fixture
def doors(nodes: tuple[Node, Node]) -> Iterator[tuple[Door, Door]]:
    """Return two ways to the same node."""
    with ExitStack() as opened:
        pair = Door(nodes[0].url), Door(nodes[0].url)
        for door in pair:
            opened.callback(door.close)
        yield pair


def test_the_next_node_is_asked_when_one_falls_silent(doors: tuple[Door, Door]) -> None:
    first, second = doors
    with EvmChain(first.url, second.url) as chain:
        assert chain.chain_id() == CHAIN_ID
        assert second.asked == 0
        first.shut = True
        assert chain.chain_id() == CHAIN_ID
        asked = first.asked
        chain.genesis()
        assert first.asked == asked, "the node that answered last is asked first"
        first.shut, second.shut = False, True
        assert chain.chain_id() == CHAIN_ID


def test_a_transaction_goes_out_by_the_next_node(
    doors: tuple[Door, Door], nodes: tuple[Node, Node], tmp_path: Path
) -> None:
    first, second = doors
    key = open_key(tmp_path, "agent")
    nodes[0].fund(key.address, 10**20)
    signed = key.sign(Transaction(CHAIN_ID, 0, RECEIVER, b"", 50_000, Fees(3 * 10**9, 10**9)))
    first.shut = True
    with EvmChain(first.url, second.url) as chain:
        (hint,) = chain.send([signed.raw])
        assert hint.outcome is SendOutcome.ACCEPTED
        assert chain.nonce(key.address) == 1


def test_silence_of_all_nodes_is_unreachable() -> None:
    with EvmChain(NOWHERE, NOWHERE) as chain:
        with pytest.raises(ChainUnreachable):
            chain.chain_id()
        (hint,) = chain.send([b"\x02"])
        assert hint.outcome is SendOutcome.UNANSWERED


def test_a_refusal_is_an_answer_and_no_reason_to_ask_another(doors: tuple[Door, Door]) -> None:
    with EvmChain(*(door.url for door in doors)) as chain, pytest.raises(NodeRefused):
        chain.estimate_gas(None, b"\xfe", sender=RECEIVER)
    assert doors[1].asked == 0


def test_a_node_that_lags_is_left(nodes: tuple[Node, Node]) -> None:
    """The second node knows no block yet: what stands on the first would be missing there."""
    ahead, behind = nodes
    door = Door(ahead.url)
    try:
        with EvmChain(door.url, behind.url) as chain, Rpc(ahead.url) as rpc, Rpc(behind.url) as late:
            for _ in range(6):
                rpc.call("evm_mine")
            seen = chain.block_numbers().finalized
            assert seen > 0
            door.shut = True
            with pytest.raises(ChainUnreachable, match="in step"):
                chain.block_numbers()
            for _ in range(6):
                late.call("evm_mine")
            assert chain.block_numbers().finalized == seen
    finally:
        door.close()


def test_no_question_at_all_goes_to_a_node_that_lags(nodes: tuple[Node, Node]) -> None:
    ahead, behind = nodes
    door = Door(ahead.url)
    try:
        with EvmChain(door.url, behind.url) as chain, Rpc(ahead.url) as rpc:
            for _ in range(6):
                rpc.call("evm_mine")
            chain.block_numbers()
            door.shut = True
            with pytest.raises(ChainUnreachable, match="in step"):
                chain.receipts([b"\x11" * 32])
    finally:
        door.close()


def test_a_node_of_another_chain_is_not_asked(nodes: tuple[Node, Node]) -> None:
    door = Door(nodes[0].url)
    try:
        with (
            Node.start(toolchain.ensure(), chain_id=CHAIN_ID + 1) as foreign,
            EvmChain(door.url, foreign.url) as chain,
        ):
            assert chain.chain_id() == CHAIN_ID
            door.shut = True
            with pytest.raises(ChainUnreachable):
                chain.fees()
    finally:
        door.close()


def test_an_answer_of_another_shape_leads_to_the_next_node(nodes: tuple[Node, Node]) -> None:
    with serving(_oddly) as odd, EvmChain(odd, nodes[0].url) as chain:
        assert chain.receipts([b"\x11" * 32]) == [None]
        assert chain.nonce(RECEIVER) == 0


def _oddly(body: bytes) -> tuple[int, bytes]:
    asked = json.loads(body)
    answers = [
        {"jsonrpc": "2.0", "id": c["id"], "result": {}}
        for c in (asked if isinstance(asked, list) else [asked])
    ]
    return 200, json.dumps(answers if isinstance(asked, list) else answers[0]).encode()


def test_every_address_is_read_before_anything_is_sent() -> None:
    with pytest.raises(ConfigurationError):
        EvmChain(NOWHERE, "ftp://127.0.0.1")
