"""Journals on one hot escrow account against pgbench's simple update, in alternating rounds on one server.

Each journal debits the same escrow account and credits the same liability: every posting waits for the row of
the one before, as on the day when the wires of an offer come in. The simple update (``pgbench -N``) has no
such row. Both commit durably.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median

from bench.stage import BenchFailed, Rate, pgbench, served
from bench.transitions import SCALE, simple_update
from bookrunner.db import Server, load
from bookrunner.db.catalog import ensure_database, session

SCRIPT = Path(__file__).with_name("post.pgbench")
CLIENTS = 8
CALLS = 8_000
ROUNDS = 5


def run(full: bool) -> dict[str, object]:
    """Measure 8 connections; returns the median rates and the median ratio of the rounds.

    Raises BenchFailed unless the ledger holds exactly the journals that passed and stands at zero.
    """
    rounds = ROUNDS if full else 3
    with served() as server:
        ensure_database(server.endpoint.of("postgres").admin_dsn(), "pgbench")
        pgbench(server, server.endpoint.of("pgbench").admin_dsn(), "-i", "-q", "-s", str(SCALE))
        queries = load("bench")
        with session(server.endpoint.admin_dsn()) as connection:
            queries.open_hot_accounts(connection)
        updates, journals = [], []
        for turn in range(rounds):
            updates.append(simple_update(server, CLIENTS))
            journals.append(_post(server, turn))
            print(
                f"round {turn + 1}: simple update {updates[-1].per_second:7.0f}/s,"
                f" journals {journals[-1].per_second:7.0f}/s {journals[-1].latency_ms:6.2f} ms",
                flush=True,
            )
        with session(server.endpoint.admin_dsn()) as connection:
            found = queries.ledger_stands(connection)
    if (found["journals"], found["uneven"]) != (rounds * CALLS, 0):
        raise BenchFailed(f"{rounds * CALLS} journals left {dict(found)}")
    ratios = [j.per_second / u.per_second for u, j in zip(updates, journals, strict=True)]
    return {
        "name": "ledger",
        "ratio_simple_update": round(median(ratios), 3),
        "simple_update_tps": round(median(u.per_second for u in updates)),
        "journals_per_s": round(median(j.per_second for j in journals)),
    }


def _post(server: Server, turn: int) -> Rate:
    sizes = ("-c", str(CLIENTS), "-j", "2", "-t", str(CALLS // CLIENTS))
    names = ("-D", f"round={turn}", "-D", "taken=0")
    dsn = server.endpoint.owner_dsn()
    rate = pgbench(server, dsn, "-n", "-M", "prepared", *sizes, *names, "-f", str(SCRIPT))
    if rate is None:
        raise BenchFailed("pgbench reported no rate")
    return rate
