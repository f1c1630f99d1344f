"""One gated transition through HTTP against pgbench's simple update, on the same server and machine.

Each request confirms another investment with an API key, an Idempotency-Key and If-Match. The key is checked,
the request claimed, the version compared, the gate computed, event and answer written in one transaction.
The server is one process; load, server and PostgreSQL share the machine. Rounds alternate.
"""

from __future__ import annotations

import multiprocessing
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

import uvicorn

from bench import transitions
from bench.load import Load, measure
from bench.stage import BenchFailed, served
from bookrunner.api import api, issue
from bookrunner.db import Database, Endpoint, Server, load
from bookrunner.db.catalog import session

CONNECTIONS = 16
REQUESTS = 2_500
TRIVIAL = 4_000
ROUNDS = {False: 3, True: 5}
WARM = 400


def run(full: bool) -> dict[str, object]:
    """Measure 16 connections, in full also 8 and 32; returns the figures for 16 connections.

    Raises BenchFailed when an answer is not 200, and unless each request left one event and one answer.
    """
    rounds = ROUNDS[full]
    sizes = (8, CONNECTIONS, 32) if full else (CONNECTIONS,)
    calls = WARM + len(sizes) * rounds * REQUESTS
    updates: list[float] = []
    gated: dict[int, list[Load]] = {size: [] for size in sizes}
    trivial: list[Load] = []
    with served() as server:
        transitions.prepare(server, calls)
        key = issue(server.endpoint, "bench", "engine", actor="bench")
        with serving(server.endpoint) as serve:
            measure(serve.port, confirmations(key, 0, WARM), CONNECTIONS)
            first = WARM
            for turn in range(rounds):
                updates.append(transitions.simple_update(server, transitions.COMPARED).per_second)
                for size in sizes:
                    gated[size].append(measure(serve.port, confirmations(key, first, REQUESTS), size))
                    first += REQUESTS
                trivial.append(measure(serve.port, [plain("GET", "/livez")] * TRIVIAL, CONNECTIONS))
                _tell(turn, updates[-1], {size: found[-1] for size, found in gated.items()}, trivial[-1])
        _refuse_lost_answers(server, calls)
    rate = median(one.per_second for one in gated[CONNECTIONS])
    result: dict[str, object] = {
        "name": "http",
        "ratio_simple_update": round(rate / median(updates), 3),
        "requests_per_s": round(rate),
        "median_ms": round(median(one.median_ms for one in gated[CONNECTIONS]), 2),
        "p99_ms": round(median(one.p99_ms for one in gated[CONNECTIONS]), 2),
        "trivial_per_s": round(median(one.per_second for one in trivial)),
        "simple_update_tps": round(median(updates)),
    }
    if full:
        result["requests_per_s_by_connections"] = {
            str(size): round(median(one.per_second for one in found)) for size, found in gated.items()
        }
    return result


def plain(method: str, path: str, *headers: str) -> bytes:
    """Return the bytes of a request without a body."""
    lines = (f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")
    return "\r\n".join(lines).encode()


def confirmations(key: str, first: int, count: int) -> Sequence[bytes]:
    """Return requests that confirm ``count`` investments after the first ones, each once."""
    return [
        plain(
            "POST",
            f"/v1/investments/inv_{number}/confirm",
            f"Authorization: Bearer {key}",
            f"Idempotency-Key: bench-{number}",
            'If-Match: "1.1"',
            "Content-Length: 0",
        )
        for number in range(first + 1, first + count + 1)
    ]


@dataclass(frozen=True, slots=True)
class Serving:
    """A server in a process of its own."""

    port: int
    pid: int


def _serve(endpoint: Endpoint, port: int) -> None:
    app = api(Database(endpoint))
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )


@contextmanager
def serving(endpoint: Endpoint, serve: Callable[[Endpoint, int], None] = _serve) -> Iterator[Serving]:
    """Serve the API, or what ``serve`` serves at a port, in a process of its own."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(endpoint, port))
    process.start()
    try:
        _wait_for(port)
        yield Serving(port, process.pid or 0)
    finally:
        process.terminate()
        process.join(10)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise BenchFailed("the server did not start")


def _tell(turn: int, update: float, gated: dict[int, Load], trivial: Load) -> None:
    told = ", ".join(
        f"{size} connections {one.per_second:6.0f}/s {one.median_ms:5.2f} ms p99 {one.p99_ms:5.2f} ms"
        for size, one in gated.items()
    )
    print(
        f"round {turn + 1}: simple update {update:7.0f}/s; confirm over HTTP {told};"
        f" livez {trivial.per_second:6.0f}/s",
        flush=True,
    )


def _refuse_lost_answers(server: Server, calls: int) -> None:
    with session(server.endpoint.admin_dsn()) as connection:
        found = load("bench").confirmed(connection), load("bench").answered(connection)
    if found != (calls, calls):
        raise BenchFailed(f"{calls} requests left {found[0]} events and {found[1]} answers")
