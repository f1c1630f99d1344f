"""The five comparisons over a book of closed positions, beside reading the same rows once and no more."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg

from bench.stage import BenchFailed, served
from bookrunner.db import load
from bookrunner.db.catalog import session

SMALL, LARGE = 50_000, 1_000_000
EVERY = 1_000
ROUNDS = 3
# Each spoilt agreement differs in its units. Each spoilt holding is not its postings and not its lots; with
# any of them the register differs from control book, postings and lots as a whole.
KINDS_A_SPOILT, KINDS_OF_ALL = 3, 3


def run(full: bool) -> dict[str, object]:
    """Compare 50,000 positions, in full 1,000,000; seconds are scaled to a million.

    Each position has a row in fifteen tables. ``ratio_scan`` is how many times as long as one sequential scan
    of all of them it takes, ``backend_mib`` the most memory of its session,
    shared buffers included and the processes that help it left out. Raises BenchFailed unless clean
    books have no break and every spoilt row has its breaks.
    """
    count = LARGE if full else SMALL
    queries = load("bench")
    scans, runs = [], []
    with served() as server, session(server.endpoint.admin_dsn()) as admin:
        fill(admin, count)
        shown = queries.shown_by_the_chain(admin)
        with session(server.endpoint.dsn("reconciliation")) as connection:

            def compare(name: str) -> tuple[int, float]:
                began = time.monotonic()
                differing = queries.compare_five(connection, run=name, chain=shown)
                return differing, time.monotonic() - began

            for turn in range(ROUNDS):
                began = time.monotonic()
                queries.read_compared(admin)
                scans.append(time.monotonic() - began)
                found, took = compare(f"run_clean{turn}")
                runs.append(took)
                print(f"{count} positions: scan {scans[-1]:.2f} s, five comparisons {took:.2f} s", flush=True)
                if found:
                    raise BenchFailed(f"{found} rows of clean books differ")
            with admin.transaction():
                queries.spoil_compared(admin, every=EVERY)
            queries.vacuum(admin)
            found, took_spoilt = compare("run_spoilt")
            peak = _peak_mib(connection.info.backend_pid)
    expected = count // EVERY * KINDS_A_SPOILT + KINDS_OF_ALL
    if found != expected:
        raise BenchFailed(f"{found} of {expected} differences were found")
    scale = 1_000_000 / count
    return {
        "name": "reconciliation",
        "seconds_per_1m": round(sorted(runs)[ROUNDS // 2] * scale, 2),
        "seconds_per_1m_with_breaks": round(took_spoilt * scale, 2),
        "ratio_scan": round(sorted(runs)[ROUNDS // 2] / sorted(scans)[ROUNDS // 2], 1),
        "backend_mib": peak,
        "positions": count,
    }


def fill(admin: psycopg.Connection, count: int) -> None:
    """Fill the five books with closed positions."""
    queries = load("bench")
    began = time.monotonic()
    with admin.transaction():
        queries.open_books(admin)
        queries.add_offer(admin)
        queries.add_investments(admin, count=count)
        queries.add_positions(admin, count=count)
        queries.add_people(admin, count=count)
        queries.add_papers(admin, count=count)
        queries.add_holders(admin, count=count)
        queries.close_compared(admin)
    queries.vacuum(admin)
    queries.checkpoint(admin)
    print(f"{count} positions are ready after {time.monotonic() - began:.0f} s", flush=True)


def _peak_mib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) // 1024
