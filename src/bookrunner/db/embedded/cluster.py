"""The data directory: made once by ``initdb``, then served by a postmaster with fixed settings."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from bookrunner.core.errors import BookrunnerError
from bookrunner.db.embedded.account import Account, private_directory, spawn
from bookrunner.db.embedded.binaries import Binaries
from bookrunner.db.embedded.process import PidFile, end_orphans, is_postmaster, read_pid_file, running

ADMIN = "bookrunner_admin"
PORT = 5432

_BUILTIN_LOCALE_SINCE = 17
_SOCKET_PATH_BYTES = 107
_START_SECONDS = 60
_POLL_SECONDS = 0.02

_MIB = 1024**2
_LEAST_SHARED, _MOST_SHARED = 128 * _MIB, 2048 * _MIB

# On the command line nothing in the data directory, ALTER SYSTEM included, can override these.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "max_wal_size": "4GB",
    # Reads go to memory or to solid state; statements are short.
    "random_page_cost": "1.1",
    "jit": "off",
    # A raise fills its tables within a minute: their statistics must not wait for the next one.
    "autovacuum_naptime": "5s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
    "log_lock_waits": "on",
    # One readable format (ASVS 5.0, V16.2.4). In it an error quotes the row, which may hold personal data: so
    # errors of logins and of the administrator are told by our own log, and here those of the server alone.
    "log_destination": "jsonlog",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}


class ServerFailed(BookrunnerError):
    """The embedded database server did not start or did not stop."""


# How the administrator enters: the log hears of no error of its statements. Logins have it by their role.
QUIET = "-c log_min_messages=log"


@dataclass(frozen=True, slots=True)
class Cluster:
    """One data directory with the programs and the account that serve it."""

    state: Path
    binaries: Binaries
    account: Account

    @property
    def data(self) -> Path:
        """The data directory, named after the major version that alone can open it."""
        return self.state / "pg" / str(self.binaries.major)

    @property
    def log(self) -> Path:
        """Where the programs write before the server's own log opens."""
        return self.state / "pg" / "start.log"

    def socket_directory(self) -> Path:
        """Return the private socket directory: in the state, or a short one when that path is too long."""
        wanted = self.state / "run"
        if len(os.fsencode(wanted / f".s.PGSQL.{PORT}")) < _SOCKET_PATH_BYTES:
            return wanted
        mark = hashlib.sha256(os.fsencode(self.state)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"bookrunner-{mark}"


def create(cluster: Cluster, password: str) -> None:
    """Make the data directory when there is none; an interrupted attempt leaves nothing that looks whole."""
    if cluster.data.exists():
        return
    draft = cluster.data.with_name(f"{cluster.data.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    private_directory(cluster.account, draft)
    reader = _password_pipe(cluster.account, password)
    try:
        with cluster.log.open("ab") as log:
            code = spawn(cluster.account, _initdb(cluster, draft, reader), log, [reader]).wait()
    finally:
        os.close(reader)
    if code != 0:
        raise ServerFailed(f"initdb ended with {code}; see {cluster.log}")
    draft.rename(cluster.data)


def _initdb(cluster: Cluster, draft: Path, reader: int) -> list[str]:
    locale = ["--locale=C.UTF-8"]
    if cluster.binaries.major >= _BUILTIN_LOCALE_SINCE:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return [
        cluster.binaries.program("initdb"),
        f"--pgdata={draft}",
        f"--username={ADMIN}",
        f"--pwfile=/dev/fd/{reader}",
        "--auth-local=scram-sha-256",
        "--auth-host=scram-sha-256",
        "--data-checksums",
        "--encoding=UTF8",
        *locale,
    ]


def _password_pipe(account: Account, password: str) -> int:
    """Return the read end of a pipe that holds the password, never in a file or an argument."""
    reader, writer = os.pipe()
    os.write(writer, password.encode() + b"\n")
    os.close(writer)
    if account.drop:
        os.fchown(reader, account.uid, account.gid)
    return reader


def start(cluster: Cluster) -> tuple[PidFile, Popen[bytes]]:
    """Start the postmaster and wait until it accepts connections.

    After a crash the old backends are told to leave; they may hold shared memory for a moment, so the start
    is repeated until the time is over. Raises ServerFailed with the place of the log.
    """
    unclean = _forget_stale_pid(cluster)
    private_directory(cluster.account, cluster.socket_directory())
    deadline = time.monotonic() + _START_SECONDS
    while True:
        if unclean:
            end_orphans(cluster.data)
        with cluster.log.open("ab") as log:
            child = spawn(cluster.account, _postgres(cluster), log)
        found = _wait_ready(cluster, child, deadline)
        if found is not None:
            return found, child
        if not unclean or time.monotonic() > deadline:
            raise ServerFailed(f"the database server did not start; see {cluster.log} and {cluster.data}/log")
        time.sleep(0.3)


def wait_until_ready(cluster: Cluster) -> PidFile | None:
    """Return the pid file of a server that another process started, as soon as it accepts connections."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        found = running(cluster.data)
        if found is not None and found.ready:
            return found
        time.sleep(_POLL_SECONDS)
    return None


def _postgres(cluster: Cluster) -> list[str]:
    settings = {
        **SETTINGS,
        "shared_buffers": f"{share(memory_limits()) // _MIB}MB",
        "unix_socket_directories": str(cluster.socket_directory()),
    }
    arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [cluster.binaries.program("postgres"), "-D", str(cluster.data), *arguments]


def _wait_ready(cluster: Cluster, child: Popen[bytes], deadline: float) -> PidFile | None:
    while time.monotonic() < deadline and child.poll() is None:
        found = running(cluster.data)
        if found is not None and found.ready and found.pid == child.pid:
            return found
        time.sleep(_POLL_SECONDS)
    if child.poll() is None:
        child.terminate()
        child.wait()
    return None


def _forget_stale_pid(cluster: Cluster) -> bool:
    """Remove the lock files of a server that is gone; the caller holds the state's lock.

    PostgreSQL itself ignores a dead pid, but refuses to start when the pid was given to another process of
    the same account. Returns whether there was such a file.
    """
    stale = read_pid_file(cluster.data)
    path = cluster.data / "postmaster.pid"
    if stale is None or is_postmaster(stale.pid, cluster.data):
        return path.exists()
    path.unlink()
    (cluster.socket_directory() / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
    return True


def memory_limits(cgroup: Path = Path("/sys/fs/cgroup/memory.max")) -> list[int]:
    """Return the bytes that the machine has and, inside a container with a limit, those that it may use."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    with suppress(OSError, ValueError):
        limits.append(int(cgroup.read_text(encoding="ascii")))
    return limits


def share(limits: Sequence[int]) -> int:
    """Return how many bytes the server shares: a quarter of the least limit, in whole mebibytes.

    Once a transaction has changed more pages than fit, each new page that it touches writes another one out.
    """
    return min(max(min(limits) // 4, _LEAST_SHARED), _MOST_SHARED) // _MIB * _MIB
