"""A read, a gated transition and a closed gate against a trivial endpoint of the same server, in one run.

The trivial endpoint is ``GET /livez``, which answers without a key and without the database. Load, server and
PostgreSQL share the machine; the server is one process, and the rounds alternate.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import transitions
from bench.http import CONNECTIONS, Serving, confirmations, plain, serving
from bench.load import Load, measure
from bench.stage import BenchFailed, served
from bookrunner.api import issue

ROUNDS = {False: 3, True: 5}
TRIVIAL, READS, CONFIRMED, REFUSED = 4_000, 2_000, 2_000, 1_000
WARM = 300
OK, CONFLICT = 200, 409
STREAMS = 200


def run(full: bool) -> dict[str, object]:
    """Measure 16 connections; returns rates, latencies in ms, and each rate as a ratio of the trivial one.

    ``streams_mb`` is what 200 idle streams of events add to the resident memory of the server, in MB. Raises
    BenchFailed when an answer has another status than 200, or than 409 where the gate is closed.
    """
    rounds = ROUNDS[full]
    found: dict[str, list[Load]] = {"trivial": [], "read": [], "transition": [], "closed_gate": []}
    with served() as server:
        transitions.prepare(server, WARM + rounds * CONFIRMED)
        key = issue(server.endpoint, "bench", "engine", actor="bench")
        with serving(server.endpoint) as serve:
            measure(serve.port, confirmations(key, 0, WARM), CONNECTIONS)
            for turn in range(rounds):
                asked = {
                    "trivial": [plain("GET", "/livez")] * TRIVIAL,
                    "read": _reads(key, READS),
                    "transition": confirmations(key, WARM + turn * CONFIRMED, CONFIRMED),
                    "closed_gate": _refused(key, turn, REFUSED),
                }
                for name, requests in asked.items():
                    status = CONFLICT if name == "closed_gate" else OK
                    found[name].append(measure(serve.port, requests, CONNECTIONS, status=status))
                told = ", ".join(
                    f"{name} {loads[-1].per_second:.0f}/s p99 {loads[-1].p99_ms:.1f} ms"
                    for name, loads in found.items()
                )
                print(f"round {turn + 1}: {told}", flush=True)
            streams = _streams(serve, key)
    return {"name": "api"} | _figures(found) | {"streams_mb": round(streams, 1)}


def _streams(serve: Serving, key: str) -> float:
    """Open idle streams of events and return what they add to the memory of the server, in MB."""
    before = _resident_mb(serve.pid)
    asked = plain("GET", "/v1/events/stream", f"Authorization: Bearer {key}")
    with ExitStack() as open_ones:
        for _ in range(STREAMS):
            line = open_ones.enter_context(socket.create_connection(("127.0.0.1", serve.port), timeout=30))
            line.sendall(asked)
            said = b""
            while b"retry:" not in said:
                part = line.recv(4096)
                if not part:
                    raise BenchFailed(said.decode("latin-1"))
                said += part
        return _resident_mb(serve.pid) - before


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1024 / 1e6


def _figures(found: dict[str, list[Load]]) -> dict[str, object]:
    figures: dict[str, object] = {}
    for name, loads in found.items():
        if name != "trivial":
            ratios = [
                one.per_second / base.per_second for one, base in zip(loads, found["trivial"], strict=True)
            ]
            figures[f"ratio_{name}"] = round(median(ratios), 3)
        figures[f"{name}_per_s"] = round(median(one.per_second for one in loads))
        figures[f"{name}_p50_ms"] = round(median(one.median_ms for one in loads), 2)
        figures[f"{name}_p99_ms"] = round(median(one.p99_ms for one in loads), 2)
    return figures


def _reads(key: str, count: int) -> Sequence[bytes]:
    """Return requests that read as many investments, with stages and what is missing."""
    return [
        plain("GET", f"/v1/investments/inv_{number}", f"Authorization: Bearer {key}")
        for number in range(1, count + 1)
    ]


def _refused(key: str, turn: int, count: int) -> Sequence[bytes]:
    """Return requests for a legal confirmation that waits for more than a confirmation does."""
    return [
        plain(
            "POST",
            f"/v1/investments/inv_{number}/confirm_legally",
            f"Authorization: Bearer {key}",
            f"Idempotency-Key: refused-{turn}-{number}",
            'If-Match: "2.1"',
            "Content-Length: 0",
        )
        for number in range(1, count + 1)
    ]
