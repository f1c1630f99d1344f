"""Answers that nodes really give: out of order, item by item refused, cut, or no JSON at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bookrunner.adapters.chain import ChainAnswerInvalid, ChainUnreachable, NodeRefused, SendOutcome
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.rpc import MAX_BODY_BYTES, Rpc, octets, quantity

Answer = Callable[[bytes], tuple[int, bytes]]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = answer(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/key-4711"
        finally:
            server.shutdown()
            thread.join()


def _fixed(status: int, body: bytes) -> Answer:
    return lambda _: (status, body)


def _echo_backwards(body: bytes) -> tuple[int, bytes]:
    asked = json.loads(body)
    return 200, json.dumps([{"id": c["id"], "result": c["params"][0]} for c in reversed(asked)]).encode()


def test_a_batch_is_matched_by_id() -> None:
    with serving(_echo_backwards) as url, Rpc(url, batch_size=7) as rpc:
        assert rpc.batch([("echo", (number,)) for number in range(20)]) == list(range(20))


def test_a_batch_stays_under_its_bytes_and_its_count() -> None:
    sizes: list[tuple[int, int]] = []

    def answer(body: bytes) -> tuple[int, bytes]:
        sizes.append((len(body), len(json.loads(body))))
        return _echo_backwards(body)

    calls = [("echo", ("f" * 300_000,)) for _ in range(7)] + [("echo", ("f",))] * 120
    with serving(answer) as url, Rpc(url, batch_size=100) as rpc:
        assert len(rpc.batch(calls)) == len(calls)
    assert max(size for size, _ in sizes) <= MAX_BODY_BYTES
    assert max(count for _, count in sizes) <= 100
    assert sum(count for _, count in sizes) == len(calls)


def test_one_refused_call_does_not_hide_the_others() -> None:
    def answer(body: bytes) -> tuple[int, bytes]:
        first, second = json.loads(body)
        refusal = {"code": 3, "message": "execution reverted", "data": "0x08c379a0"}
        return 200, json.dumps(
            [{"id": second["id"], "error": refusal}, {"id": first["id"], "result": 1}]
        ).encode()

    with serving(answer) as url, Rpc(url) as rpc:
        good, bad = rpc.batch([("a", ()), ("b", ())])
    assert good == 1
    assert isinstance(bad, NodeRefused)
    assert (bad.code, bad.data) == (3, bytes.fromhex("08c379a0"))


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"<html>", ChainAnswerInvalid),
        (502, b"<html>", ChainUnreachable),
        (429, b'{"error": {}}', ChainUnreachable),
        (200, b'{"id": 0}', ChainAnswerInvalid),
        (200, b"[]", ChainAnswerInvalid),
        (200, b'{"id": 0, "error": {"code": -32000, "message": "no"}}', NodeRefused),
        (400, b'{"id": 0, "error": {"code": -32000, "message": "no"}}', NodeRefused),
        (200, b'{"id": 0, "result": "12"}', ChainAnswerInvalid),
    ],
)
def test_every_bad_answer_becomes_one_of_our_errors(
    status: int, body: bytes, expected: type[Exception]
) -> None:
    with serving(_fixed(status, body)) as url, EvmChain(url) as chain, pytest.raises(expected) as error:
        chain.chain_id()
    assert "4711" not in str(error.value)


def test_a_batch_answered_with_one_object_is_invalid() -> None:
    body = b'{"error": {"code": -32600, "message": "Invalid request"}}'
    with serving(_fixed(200, body)) as url, Rpc(url) as rpc, pytest.raises(ChainAnswerInvalid):
        rpc.batch([("a", ())])


def test_silence_after_a_send_is_a_hint_and_not_an_error() -> None:
    with EvmChain("http://127.0.0.1:1") as chain:
        assert [hint.outcome for hint in chain.send([b"\1", b"\2"])] == [SendOutcome.UNANSWERED] * 2
        with pytest.raises(ChainUnreachable):
            chain.chain_id()


@pytest.mark.parametrize("value", [None, 5, "5", "0x", "0xzz", [], "0x0g"])
def test_what_is_no_quantity_is_refused(value: object) -> None:
    with pytest.raises(ChainAnswerInvalid):
        quantity(value)


@pytest.mark.parametrize("value", [None, 5, "05", "0x0", "0xzz"])
def test_what_is_no_data_is_refused(value: object) -> None:
    with pytest.raises(ChainAnswerInvalid):
        octets(value)
