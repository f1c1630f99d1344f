"""What is wrong with an embedded server, in plain words."""

from __future__ import annotations

import shutil
from pathlib import Path

from bookrunner.core.errors import BookrunnerError
from bookrunner.db import catalog
from bookrunner.db.embedded.account import DEFAULT_ACCOUNT, Account, check_reach, find_account
from bookrunner.db.embedded.binaries import Binaries, recorded, version_of
from bookrunner.db.embedded.cluster import ADMIN, PORT
from bookrunner.db.embedded.process import read_pid_file, running
from bookrunner.db.endpoint import DATABASE, Secrets, conninfo

LEAST_FREE_BYTES = 2 * 1024**3


def diagnose(state: Path, *, account: str = DEFAULT_ACCOUNT) -> list[str]:
    """Return a sentence for each thing that is wrong with the server of ``state``; empty when all is well.

    Nothing is started, stopped or repaired.
    """
    state = state.resolve()
    if not state.exists():
        return [f"{state} does not exist: the server was never started"]
    findings = [*_account_findings(state, account), *_disk_findings(state)]
    chosen = recorded(state)
    if chosen is None:
        return [*findings, "no PostgreSQL has been chosen yet: the server was never started"]
    return [*findings, *_server_findings(state, chosen)]


def _account_findings(state: Path, name: str) -> list[str]:
    try:
        found: Account = find_account(name)
        check_reach(found, state)
    except BookrunnerError as fault:
        return [str(fault)]
    return []


def embedded_runs(state: Path) -> bool:
    """Tell whether a server of this state directory is alive, whoever started it."""
    return any(running(data) is not None for data in (state / "pg").glob("*/"))


def _disk_findings(state: Path) -> list[str]:
    free = shutil.disk_usage(state).free
    if free >= LEAST_FREE_BYTES:
        return []
    return [f"only {free // 1024**2} MiB are free under {state}; keep at least {LEAST_FREE_BYTES // 1024**2}"]


def _server_findings(state: Path, chosen: Binaries) -> list[str]:
    data = state / "pg" / str(chosen.major)
    if not (chosen.directory / "postgres").exists():
        return [f"the programs of PostgreSQL {chosen.version} in {chosen.directory} are gone"]
    alive = running(data)
    if alive is None:
        stale = read_pid_file(data)
        findings = ["the server is not running"]
        if stale is not None:
            findings.append(
                f"postmaster.pid names process {stale.pid}, which is gone; the next start removes it"
            )
        return findings
    password = Secrets(state / "secrets").peek(ADMIN)
    if password is None:
        return [f"the password of {ADMIN} is missing from {state / 'secrets'}"]
    parts = {"host": alive.socket_directory, "port": str(PORT), "user": ADMIN, "password": password}
    return _answers(conninfo(parts, dbname=DATABASE), chosen)


def _answers(admin_dsn: str, chosen: Binaries) -> list[str]:
    try:
        findings = catalog.unsafe_settings(admin_dsn)
        served = catalog.server_version(admin_dsn)
    except BookrunnerError as fault:
        return [f"the server runs but does not answer: {fault}"]
    installed = version_of(chosen.directory)
    if served != installed:
        findings.append(f"the server runs PostgreSQL {served}, the programs are {installed}: restart it")
    return findings
