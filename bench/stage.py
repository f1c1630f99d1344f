"""A server in a temporary folder, with the programs that bring pgbench along."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError, run

from psycopg.conninfo import conninfo_to_dict

from bookrunner.core.errors import BookrunnerError
from bookrunner.db import Keeper, Server, install, set_passwords, start_embedded

ESCROW = "900100200"
_ENVIRONMENT = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
}
_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_LATENCY = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)


class BenchFailed(BookrunnerError):
    """A measurement did not come to its end."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What one run of pgbench reports: transactions per second and the mean latency in milliseconds."""

    per_second: float
    latency_ms: float


def open_escrow(treasury: Keeper, offering: str) -> None:
    """Let two people put the account in force at which an offer receives its money."""
    terms = {
        "agent": "Bench Trust",
        "beneficiary": "Bench Trust",
        "bank": "Bench Bank",
        "bank_code": "021000021",
        "account": ESCROW,
        "agreement_sha256": "00" * 32,
        "agreed_on": "2026-03-01",
        "because": "it is measured",
    }
    treasury.propose_escrow(actor="fund", offering=offering, escrow="esc_bench", terms=terms)
    treasury.decide_escrow(actor="second", offering=offering, escrow="esc_bench", is_agreed=True, seen=1)


@contextmanager
def scratch() -> Iterator[Path]:
    """Lend a short folder that the server's own account may pass through; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="bkb-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def served() -> Iterator[Server]:
    """Lend a running server with the whole schema installed; stopped and removed at the end."""
    with scratch() as folder:
        server = start_embedded(folder / "state", "wheel", account=_account())
        try:
            install(server.endpoint.admin_dsn())
            set_passwords(server.endpoint)
            yield server
        finally:
            server.stop()


def pgbench(server: Server, dsn: str, *arguments: str) -> Rate | None:
    """Run pgbench with ``arguments`` against ``dsn``; the password travels in the environment.

    Returns None when the run measures nothing, such as an initialization. Raises BenchFailed with what it
    wrote when any of its clients stopped early.
    """
    parts = conninfo_to_dict(dsn)
    variables = {name: str(parts[key]) for key, name in _ENVIRONMENT.items() if parts.get(key)}
    program = server.cluster.binaries.program("pgbench")
    try:
        done = run(
            [program, *arguments], env={**os.environ, **variables}, capture_output=True, text=True, check=True
        )
    except (OSError, CalledProcessError) as fault:
        said = fault.stderr if isinstance(fault, CalledProcessError) else str(fault)
        raise BenchFailed(f"pgbench {' '.join(arguments)}: {said.strip()[-500:]}") from None
    rate, latency = _RATE.search(done.stdout), _LATENCY.search(done.stdout)
    if rate is None or latency is None:
        return None
    return Rate(float(rate.group(1)), float(latency.group(1)))


def _account() -> str:
    """Return the account for servers started by root: the dedicated one, else one that every system has."""
    try:
        return pwd.getpwnam("bookrunner").pw_name
    except KeyError:
        return "nobody"
