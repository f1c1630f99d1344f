"""The supervisor of the embedded database server: one lock, one postmaster, one way to stop."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from typing import TypeVar

from bookrunner.core.errors import ConfigurationError
from bookrunner.db import catalog
from bookrunner.db.embedded import binaries, cluster
from bookrunner.db.embedded.account import DEFAULT_ACCOUNT, check_reach, find_account, private_directory
from bookrunner.db.embedded.cluster import ADMIN, PORT, Cluster, ServerFailed
from bookrunner.db.embedded.process import PidFile, fast_stop, running
from bookrunner.db.endpoint import DATABASE, Endpoint, Secrets, conninfo

T = TypeVar("T")

STOP_SECONDS = 40.0
GUEST_SECONDS = 60.0


@dataclass(slots=True)
class Server:
    """A running embedded server; ``supervises`` is True in the one process that holds the state's lock."""

    endpoint: Endpoint
    cluster: Cluster
    pid: int
    supervises: bool
    _lock: int | None = field(default=None, repr=False)
    _child: Popen[bytes] | None = field(default=None, repr=False)

    def stop(self) -> None:
        """Stop the server at once, rolling back open transactions; a guest only lets go of it.

        Raises ServerFailed when it still runs after a minute.
        """
        if not self.supervises:
            return
        stopped = fast_stop(self.pid, self.cluster.data, STOP_SECONDS)
        self._forget_child()
        self.supervises = False
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if not stopped:
            raise ServerFailed(f"process {self.pid} still serves {self.cluster.data} after a fast stop")

    def _forget_child(self) -> None:
        if self._child is None:
            return
        try:
            self._child.wait(timeout=1)
        except TimeoutExpired:
            return
        self._child = None


def start_embedded(
    state: Path, prefer: binaries.Kind | None = None, *, account: str = DEFAULT_ACCOUNT
) -> Server:
    """Start the database server of ``state``, or attach to it when it already runs.

    The first process holds the state's lock and supervises; a later one attaches as a guest. A server that
    outlived its supervisor is adopted, not restarted. ``prefer`` decides only the very first start.
    Refused (ConfigurationError): root without the system account, a parent directory that the account may not
    enter, a state of another account, recorded programs that are gone, a setting that gives up durability.
    """
    state = state.resolve()
    runner = find_account(account)
    _prepare(state)
    check_reach(runner, state)
    secrets = Secrets(state / "secrets")
    lock = _lock(state / "lock")
    if lock is None:
        return _attach_as_guest(state, account, secrets)
    try:
        mine = Cluster(state, binaries.choose(state, prefer), runner)
        found, child = _adopt_or_start(mine, secrets)
    except BaseException:
        os.close(lock)
        raise
    endpoint = _endpoint(found.socket_directory, secrets)
    server = Server(endpoint, mine, found.pid, supervises=True, _lock=lock, _child=child)
    try:
        _make_ready(endpoint)
    except BaseException:
        server.stop()
        raise
    return server


def _prepare(state: Path) -> None:
    """Make the state's folders: passable for the server's account, closed around the secrets."""
    for folder in (state, state / "pg", state / "pgbin"):
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o711)


def _adopt_or_start(mine: Cluster, secrets: Secrets) -> tuple[PidFile, Popen[bytes] | None]:
    found = running(mine.data)
    if found is not None:
        alive = cluster.wait_until_ready(mine)
        if alive is not None:
            return alive, None
        # It hangs, nobody supervises it, and the lock is ours.
        fast_stop(found.pid, mine.data, STOP_SECONDS)
    cluster.create(mine, secrets.obtain(ADMIN))
    private_directory(mine.account, mine.data)
    return cluster.start(mine)


def _attach_as_guest(state: Path, account: str, secrets: Secrets) -> Server:
    """Wait for the server of the process that holds the lock, and use it without owning it."""
    chosen = _awaited(lambda: binaries.recorded(state), state)
    theirs = Cluster(state, chosen, find_account(account))
    found = _awaited(lambda: _ready(theirs), state)
    endpoint = _endpoint(found.socket_directory, secrets)
    maintenance = endpoint.of("postgres").admin_dsn()
    _refuse_unsafe(maintenance)
    _awaited(lambda: catalog.has_database(maintenance, DATABASE) or None, state)
    return Server(endpoint, theirs, found.pid, supervises=False)


def _ready(theirs: Cluster) -> PidFile | None:
    found = running(theirs.data)
    return found if found is not None and found.ready else None


def _awaited(look: Callable[[], T | None], state: Path) -> T:
    """Return what ``look`` finds as soon as it finds it; the other process may still be starting."""
    deadline = time.monotonic() + GUEST_SECONDS
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise ServerFailed(f"another process holds the lock of {state}, but its server does not answer")
        time.sleep(0.05)
    return found


def _endpoint(socket_directory: str, secrets: Secrets) -> Endpoint:
    password = secrets.obtain(ADMIN)
    parts = {"host": socket_directory, "port": str(PORT), "user": ADMIN, "password": password}
    parts |= {"options": cluster.QUIET}
    return Endpoint(conninfo(parts, dbname=DATABASE), secrets, embedded=True)


def _make_ready(endpoint: Endpoint) -> None:
    """Refuse a server that could lose or leak a fact, then make our database if it is missing."""
    maintenance = endpoint.of("postgres").admin_dsn()
    _refuse_unsafe(maintenance)
    catalog.close_side_doors(maintenance)
    catalog.ensure_database(maintenance, DATABASE)


def _refuse_unsafe(dsn: str) -> None:
    findings = catalog.unsafe_settings(dsn)
    if findings:
        raise ConfigurationError("the embedded server is not safe to write to: " + "; ".join(findings))


def _lock(path: Path) -> int | None:
    """Take the state's lock, or return None when another process holds it; it ends with the process."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        raise ConfigurationError(
            f"{path.parent} belongs to another account; choose another state directory"
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
