"""One gated transition against pgbench's simple update, on the same server with every write made durable.

The transition ``engine.confirm`` locks the position, computes its gate, moves the investment and writes
the event with its hash and the line of the outbox. The simple update (``pgbench -N``) changes one account and
writes one line of history. Rounds of both alternate, so that whatever else the machine does meets both.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.stage import BenchFailed, Rate, pgbench, served
from bookrunner.db import Server, load
from bookrunner.db.catalog import ensure_database, session

SCRIPT = Path(__file__).with_name("confirm.pgbench")
ROUNDS = 5
SCALE = 30
COMPARED = 8
# A pool keeps its sessions. Here each round opens new ones, whose first calls plan for some 10 ms: a round is
# long enough for that not to count.
CALLS = {1: 3_000, 8: 24_000, 32: 24_000}


@dataclass(frozen=True, slots=True)
class Medians:
    """The medians of all rounds at one number of connections: transactions per second, and their ratio.

    The ratio is taken in each round, because what else the machine does changes from round to round.
    """

    simple_update: float
    gated: float
    ratio: float


def run(full: bool) -> dict[str, object]:
    """Measure 8 connections, in full also 1 and 32; returns the figures for 8 connections.

    Raises BenchFailed when the events in the database are not exactly as many as the calls that passed.
    """
    clients = sorted(CALLS) if full else [COMPARED]
    calls = ROUNDS * sum(CALLS[count] for count in clients)
    found: dict[int, Medians] = {}
    with served() as server:
        prepare(server, calls)
        first = 0
        for count in clients:
            found[count] = _alternate(server, count, first)
            first += ROUNDS * CALLS[count]
        _refuse_lost_events(server, calls)
    main = found[COMPARED]
    result: dict[str, object] = {
        "name": "transitions",
        "ratio_simple_update": round(main.ratio, 3),
        "simple_update_tps": round(main.simple_update),
        "gated_tps": round(main.gated),
        # Each transition appends exactly one event, as _refuse_lost_events has counted.
        "events_per_s": round(main.gated),
    }
    if full:
        result["ratio_by_connections"] = {str(count): round(found[count].ratio, 3) for count in clients}
    return result


def prepare(server: Server, investments: int) -> None:
    """Fill both databases; only the guards of this filling are suspended, never those of a measured call."""
    ensure_database(server.endpoint.of("postgres").admin_dsn(), "pgbench")
    pgbench(server, _pgbench_dsn(server), "-i", "-q", "-s", str(SCALE))
    queries = load("bench")
    with session(server.endpoint.admin_dsn()) as connection:
        with connection.transaction():
            queries.suspend_guards(connection)
            queries.add_offer(connection)
            queries.add_investments(connection, count=investments)
            queries.add_positions(connection, count=investments)
            queries.restore_guards(connection)
        for step in (queries.vacuum, queries.checkpoint):
            step(connection)
    print(f"{investments} investments are ready; pgbench at scale {SCALE}", flush=True)


def _alternate(server: Server, clients: int, first: int) -> Medians:
    updates, transitions = [], []
    for turn in range(ROUNDS):
        updates.append(simple_update(server, clients))
        transitions.append(_gated(server, clients, first + turn * CALLS[clients]))
        print(
            f"{clients:>3} connections, round {turn + 1}:"
            f" simple update {updates[-1].per_second:7.0f}/s {updates[-1].latency_ms:6.2f} ms,"
            f" gated transition {transitions[-1].per_second:7.0f}/s {transitions[-1].latency_ms:6.2f} ms",
            flush=True,
        )
    found = Medians(
        median(r.per_second for r in updates),
        median(r.per_second for r in transitions),
        median(t.per_second / u.per_second for u, t in zip(updates, transitions, strict=True)),
    )
    print(
        f"{clients:>3} connections, median:  simple update {found.simple_update:7.0f}/s,"
        f" gated transition {found.gated:7.0f}/s, ratio {found.ratio:.2f}",
        flush=True,
    )
    return found


def simple_update(server: Server, clients: int) -> Rate:
    """Run pgbench's simple update over so many connections."""
    return _measured(server, _pgbench_dsn(server), clients, "-N")


def _gated(server: Server, clients: int, first: int) -> Rate:
    each = CALLS[clients] // clients
    names = {"first": first, "each": each, "taken": 0}
    given = [part for name, value in names.items() for part in ("-D", f"{name}={value}")]
    return _measured(server, server.endpoint.dsn("engine"), clients, "-f", str(SCRIPT), *given)


def _measured(server: Server, dsn: str, clients: int, *script: str) -> Rate:
    each = CALLS[clients] // clients
    sizes = ("-c", str(clients), "-j", str(min(clients, 2)), "-t", str(each))
    rate = pgbench(server, dsn, "-n", "-M", "prepared", *sizes, *script)
    if rate is None:
        raise BenchFailed("pgbench reported no rate")
    return rate


def _refuse_lost_events(server: Server, calls: int) -> None:
    with session(server.endpoint.admin_dsn()) as connection:
        events = load("bench").confirmed(connection)
    if events != calls:
        raise BenchFailed(f"{calls} transitions left {events} events")


def _pgbench_dsn(server: Server) -> str:
    return server.endpoint.of("pgbench").admin_dsn()
