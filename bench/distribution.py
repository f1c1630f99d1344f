"""A distribution to many holders: snapshot, entitlements, screening of every payee, files; a kill between.

``python -m bench.distribution DSN SECRETS FOLDER`` is the worker that writes the orders.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from bench import screening_names as clean
from bench.rescreen import SEED, whole_list
from bench.rescreen import take as take_list
from bench.stage import BenchFailed, scratch, served
from bookrunner.adapters.bank.payouts import Account
from bookrunner.adapters.payments.dispatch import carrier_to
from bookrunner.adapters.payments.orders import write_refunds
from bookrunner.books import treasury
from bookrunner.core import clock
from bookrunner.db import Database, Endpoint, Server, load
from bookrunner.db.catalog import session
from bookrunner.db.endpoint import Secrets
from bookrunner.engine import Desk
from bookrunner.engine.intake import Screening
from bookrunner.engine.life.servicing.distributions import Distributions, Terms

SMALL, LARGE = 4_000, 100_000
OFFERING = "ofr_bench"
POOL_PER_HOLDER = 12_345
BANK = "021000021"
PAY_ON = date(2026, 4, 1)
LOOK_SECONDS = 0.02
_NAMED = re.compile(rb"<EndToEndId>([^<]+)</EndToEndId>")


def run(full: bool) -> dict[str, object]:
    """Pay 4,000 holders, in full 100,000; seconds are scaled to 100,000.

    Holders have a profile, a holding and an account, and no clearance that a screening would move. The worker
    that writes the orders is killed after the first ones and started again. ``ratio_written`` is how many
    times as long judging, ordering and storing the lines takes as writing the same files and no more. Raises
    BenchFailed unless every line that no match holds is in one file, once, and the ledger stands at zero.
    """
    count = LARGE if full else SMALL
    took: dict[str, float] = {}
    with served() as server, scratch() as folder:
        database = Database(server.endpoint, max_size=4)
        try:
            _fill(server, database, count)
            _prepare(Desk(database), server, count, took)
        finally:
            database.close()
        began = time.monotonic()
        _kill_and_finish(server, folder)
        took["orders"] = time.monotonic() - began
        with session(server.endpoint.admin_dsn()) as admin:
            found = load("bench").lines_paid(admin)
        _check(folder, count, found)
        took["written"] = _write_alone(count)
    total = sum(took.values()) - took["written"]
    scale = LARGE / count
    for name, seconds in took.items():
        print(f"{count} holders: {name} {seconds:.2f} s", flush=True)
    return {
        "name": "distribution",
        "seconds_per_100k": round(total * scale, 1),
        **{f"{name}_s_per_100k": round(seconds * scale, 1) for name, seconds in took.items()},
        "ratio_written": round(took["orders"] / took["written"], 1),
        "holders": count,
        "held": found["held"],
    }


def _fill(server: Server, database: Database, count: int) -> None:
    from bench.reconciliation import fill

    queries = load("bench")
    names = [subject.names[0] for subject in clean.subjects(count, SEED)]
    with session(server.endpoint.admin_dsn()) as admin:
        fill(admin, count)
        with admin.transaction():
            queries.suspend_payee_guards(admin)
            queries.add_payees(admin, names=names)
            queries.end_clearances(admin)
            queries.restore_paid_guards(admin)
        queries.vacuum(admin)
    take_list(Desk(database), whole_list())
    with session(server.endpoint.admin_dsn()) as admin:
        load("bench").note_compared(admin)


def _prepare(desk: Desk, server: Server, count: int, took: dict[str, float]) -> None:
    """Draft, screen, approve, fund and start; note how long each took."""
    runs = Distributions(desk)
    day = clock.today() - timedelta(days=1)
    pool = POOL_PER_HOLDER * count + 7
    began = time.monotonic()
    distribution = runs.draft(OFFERING, Terms(record_on=day, pay_on=day, available_minor=pool), actor="bench")
    took["snapshot_and_entitlements"] = time.monotonic() - began
    began = time.monotonic()
    Screening(desk).drain()
    took["screening"] = time.monotonic() - began
    began = time.monotonic()
    seen = runs.standing(OFFERING, distribution)["version"]
    runs.terms.approve_distribution(actor="second", offering=OFFERING, distribution=distribution, seen=seen)
    took["approval"] = time.monotonic() - began
    with session(server.endpoint.admin_dsn()) as admin, admin.transaction():
        [*load("bench").enter(admin)]
        load("bench").suspend_receipt_guards(admin)
        load("bench").issuer_pays(admin, amount=pool)
        load("bench").restore_paid_guards(admin)
    runs.payments.fund_distribution(
        actor="bench", offering=OFFERING, distribution=distribution, receipt="rcp_issuer", seen=1
    )
    began = time.monotonic()
    if runs.start(OFFERING, distribution, actor="bench") != count:
        raise BenchFailed("not everybody is owed")
    took["declaration"] = time.monotonic() - began


def _kill_and_finish(server: Server, folder: Path) -> None:
    """Kill the worker when its first order is stored, then let another one finish."""
    arguments = [sys.executable, "-m", "bench.distribution", server.endpoint.admin_dsn()]
    arguments += [str(server.endpoint.secrets.folder), str(folder / "orders")]
    with session(server.endpoint.admin_dsn()) as admin:
        with subprocess.Popen(arguments) as worker:
            while worker.poll() is None and not load("bench").orders_stored(admin):
                time.sleep(LOOK_SECONDS)
            worker.kill()
        stored = load("bench").orders_stored(admin)
    print(f"killed with {stored} orders stored", flush=True)
    subprocess.run(arguments, check=True)


def _check(folder: Path, count: int, found: Mapping[str, Any]) -> None:
    paid = Counter(
        name for path in (folder / "orders").iterdir() for name in _NAMED.findall(path.read_bytes())
    )
    clear = count - found["held"]
    if (len(paid), max(paid.values())) != (clear, 1) or tuple(found.values()) != (clear, count - clear, 0, 0):
        raise BenchFailed(
            f"{len(paid)} lines are in files, at most {max(paid.values())} times; {dict(found)}"
        )


def _holder(fingerprint: bytes) -> Account:
    return Account("Example Person", f"ACC{fingerprint.hex()[:20].upper()}", BANK)


def _write_alone(count: int) -> float:
    """Write the same files from memory, and nothing else."""
    write = write_refunds(Account("Escrow", "ESCROW1", BANK), _holder, PAY_ON)
    most = treasury.LINES
    began = time.monotonic()
    for first in range(0, count, most):
        lines = [
            {
                "refund": f"dln_{n}",
                "amount": POOL_PER_HOLDER,
                "currency": "USD",
                "fingerprint": f"{n:064x}",
                "try": 1,
            }
            for n in range(first, min(first + most, count))
        ]
        write(f"pyo_{first}", lines)
    return time.monotonic() - began


def _work(dsn: str, secrets: str, folder: str) -> None:
    """Order every owed line and hand the files over."""
    database = Database(Endpoint(dsn, Secrets(Path(secrets))), max_size=2)
    write = write_refunds(Account("Escrow", "ESCROW1", BANK), _holder, PAY_ON)
    with carrier_to(folder) as courier:
        treasury.hand_over_waiting(treasury.keeper(database), OFFERING, courier)
        treasury.store_orders(database, OFFERING, write)
        treasury.hand_over_waiting(treasury.keeper(database), OFFERING, courier)
    database.close()


if __name__ == "__main__":
    _work(*sys.argv[1:])
