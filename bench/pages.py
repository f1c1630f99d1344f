"""The pages under fifty readers at once: latencies as ratios of a trivial page, and the largest page's size.

The trivial page is the one for signing in, which asks the database nothing. Load, server and PostgreSQL share
the machine; the server is one process, and the rounds alternate.
"""

from __future__ import annotations

import gzip
import tempfile
import urllib.request
from pathlib import Path
from statistics import median

import uvicorn

from bench import transitions
from bench.http import plain, serving
from bench.load import Load, measure
from bench.stage import BenchFailed, served
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app import Application, open_keys
from bookrunner.db import Endpoint
from bookrunner.pages import web

OFFERING = "ofr_bench"
READERS = 50
ROUNDS = {False: 3, True: 5}
LOOKS = {False: 300, True: 1_000}
INVESTMENTS = 2_000
MOST_BYTES = 60_000
PAGES = {
    "trivial": "/sign-in",
    "tracker": "/investments/inv_7",
    "queue": f"/offers/{OFFERING}",
    "pictures": f"/offers/{OFFERING}/pictures",
}
MEASURED = ("trivial", "tracker", "queue")


def run(full: bool) -> dict[str, object]:
    """Measure 50 connections; return p99 in ms, each as a ratio of the trivial page, and bytes compressed.

    Raises BenchFailed when a page is not answered with 200, or is larger than 60 kB compressed.
    """
    found: dict[str, list[Load]] = {name: [] for name in MEASURED}
    with served() as server:
        transitions.prepare(server, INVESTMENTS)
        with serving(server.endpoint, _serve) as serve:
            sizes = {name: _compressed(serve.port, path) for name, path in PAGES.items()}
            for turn in range(ROUNDS[full]):
                for name in MEASURED:
                    looks = [plain("GET", PAGES[name])] * LOOKS[full]
                    found[name].append(measure(serve.port, looks, READERS))
                told = ", ".join(f"{name} p99 {loads[-1].p99_ms:.1f} ms" for name, loads in found.items())
                print(f"round {turn + 1}: {told}", flush=True)
    largest = max(sizes, key=lambda name: sizes[name])
    if sizes[largest] > MOST_BYTES:
        raise BenchFailed(f"the page {largest} has {sizes[largest]} bytes compressed")
    p99 = {name: median(load.p99_ms for load in loads) for name, loads in found.items()}
    return {
        "name": "pages",
        **{f"{name}_p99_ms": round(took, 1) for name, took in p99.items()},
        **{f"ratio_{name}": round(p99[name] / p99["trivial"], 2) for name in MEASURED[1:]},
        "largest_page": largest,
        "largest_bytes": sizes[largest],
    }


def _compressed(port: int, path: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return len(gzip.compress(answer.read()))


def _serve(endpoint: Endpoint, port: int) -> None:
    with EvmChain("http://127.0.0.1:1") as chain, tempfile.TemporaryDirectory() as folder:
        keys = open_keys(Path(folder) / "keys", 31337, embedded=True)
        application = Application(endpoint, chain, keys, pause=lambda: None)
        uvicorn.run(
            web(application, operator="operator:bench"),
            host="127.0.0.1",
            port=port,
            loop="uvloop",
            http="httptools",
            log_level="warning",
            access_log=False,
        )
