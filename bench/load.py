"""A load generator that costs little: one process, keep-alive, one request at a time on each connection."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import quantiles

import uvloop

from bench.stage import BenchFailed

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
_TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Load:
    """What one run measured: requests per second, and latencies in milliseconds."""

    per_second: float
    median_ms: float
    p99_ms: float


class _Line(asyncio.Protocol):
    """One connection: the next request goes out when the answer to the one before is whole."""

    def __init__(
        self, requests: Iterator[bytes], took: list[float], ended: asyncio.Future[None], status: bytes
    ) -> None:
        self._requests = requests
        self._status = status
        self._took = took
        self._ended = ended
        self._held = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._send()

    def data_received(self, data: bytes) -> None:
        self._held += data
        head = self._held.find(_END)
        if head < 0:
            return
        said = self._held[:head].lower()
        place = said.find(_LENGTH) + len(_LENGTH)
        whole = (
            head + len(_END) + int(said[place : said.find(b"\r", place) if b"\r" in said[place:] else head])
        )
        if len(self._held) < whole:
            return
        if self._held[9:12] != self._status:
            self._ended.set_exception(BenchFailed(self._held[:400].decode("latin-1")))
            return
        self._took.append(time.perf_counter() - self._sent_at)
        self._held = b""
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_exception(exc or BenchFailed("the server hung up"))

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._ended.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


def measure(port: int, requests: Sequence[bytes], connections: int, *, status: int = 200) -> Load:
    """Send every request once over so many connections, from a process of its own.

    Raises BenchFailed with the first answer of another status.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    expected = {"connections": connections, "status": status}
    process = context.Process(target=_run, args=(theirs, port, requests), kwargs=expected)
    process.start()
    theirs.close()
    try:
        if not ours.poll(_TIMEOUT_SECONDS):
            raise BenchFailed("the load did not come to its end")
        seconds, took, fault = ours.recv()
    finally:
        process.join(5)
    if fault:
        raise BenchFailed(fault)
    cuts = quantiles(took, n=100)
    return Load(len(took) / seconds, cuts[49] * 1000, cuts[98] * 1000)


def _run(answer: Connection, port: int, requests: Sequence[bytes], *, connections: int, status: int) -> None:
    took: list[float] = []

    async def all_of_them() -> float:
        loop = asyncio.get_running_loop()
        waiting = iter(requests)
        ends: list[asyncio.Future[None]] = []
        began = time.perf_counter()
        for _ in range(connections):
            ended = loop.create_future()
            ends.append(ended)
            await loop.create_connection(
                lambda e=ended: _Line(waiting, took, e, str(status).encode()), "127.0.0.1", port
            )
        await asyncio.gather(*ends)
        return time.perf_counter() - began

    try:
        answer.send((uvloop.run(all_of_them()), took, ""))
    except BenchFailed as fault:
        answer.send((0.0, took, str(fault)))
