"""The running postmaster as the operating system shows it: its pid file, its process, its death."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, run

_STATUS_LINE = 7
_SOCKET_LINE = 4


@dataclass(frozen=True, slots=True)
class PidFile:
    """What ``postmaster.pid`` says; ``ready`` only once the server accepts connections."""

    pid: int
    socket_directory: str
    ready: bool


def read_pid_file(data: Path) -> PidFile | None:
    """Return the pid file of the data directory, or None when there is none or it is half written."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    if len(lines) <= _SOCKET_LINE or not lines[0].strip().isdigit():
        return None
    ready = len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"
    return PidFile(int(lines[0]), lines[_SOCKET_LINE].strip(), ready)


def running(data: Path) -> PidFile | None:
    """Return the pid file when its process lives and is the postmaster of this very directory."""
    found = read_pid_file(data)
    return found if found is not None and is_postmaster(found.pid, data) else None


def is_postmaster(pid: int, data: Path) -> bool:
    """Tell whether ``pid`` is a ``postgres`` that was started on ``data``."""
    command = _command_line(pid)
    return bool(command) and Path(command[0]).name == "postgres" and str(data) in command


def _command_line(pid: int) -> list[str]:
    proc = Path("/proc")
    if (proc / "self" / "cmdline").exists():
        try:
            raw = (proc / str(pid) / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return []
        return [part.decode(errors="replace") for part in raw.split(b"\0")]
    answer = run(
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
        stdout=PIPE,
        stderr=DEVNULL,
        text=True,
        check=False,
    )
    return answer.stdout.split()


def fast_stop(pid: int, data: Path, patience_seconds: float) -> bool:
    """End the postmaster with SIGINT, the fast stop; SIGTERM would wait for every client to leave.

    Returns False when it still runs after ``patience_seconds``. After a quarter of them it is told to stop at
    once: PostgreSQL 15 never ends a fast stop that comes while it recovers from the death of a backend.
    """
    if is_postmaster(pid, data):
        os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + patience_seconds
    insist = deadline - patience_seconds * 3 / 4
    while is_postmaster(pid, data):
        _reap(pid)
        if time.monotonic() > insist and is_postmaster(pid, data):
            os.kill(pid, signal.SIGQUIT)
            insist = deadline
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def end_orphans(data: Path) -> int:
    """Tell what a dead postmaster of ``data`` left behind to leave, and return how many processes that were.

    An orphaned backend goes on to the end of its statement, and holds the shared memory that a new postmaster
    needs. The caller holds the state's lock. Without ``/proc`` none is found, and the start waits for them.
    """
    working = list(_working_in(data))
    if any(is_postmaster(pid, data) for pid in working):
        return 0
    found = [pid for pid in working if "".join(_command_line(pid)).startswith("postgres:")]
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    return len(found)


def _working_in(data: Path) -> Iterator[int]:
    for entry in Path("/proc").glob("[0-9]*"):
        # Processes end while we look, and those of other accounts do not show their directory.
        with suppress(OSError):
            if (entry / "cwd").readlink() == data:
                yield int(entry.name)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
