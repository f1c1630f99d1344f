"""The operating-system account that PostgreSQL runs under, because it refuses to run as root."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import BinaryIO

from bookrunner.core.errors import ConfigurationError

DEFAULT_ACCOUNT = "bookrunner"
SYSTEM_STATE = Path("/var/lib/bookrunner")

_LOCAL_STATE = Path(".state")

_MAKE_IT = "useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin"


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the server's processes run as; ``drop`` tells whether this process must change to it."""

    name: str
    uid: int
    gid: int
    drop: bool


def find_account(name: str = DEFAULT_ACCOUNT) -> Account:
    """Return the present user, or for root the system account ``name``.

    Raises ConfigurationError when root has no such account: it is never made silently.
    """
    if os.geteuid() != 0:
        return Account(str(os.geteuid()), os.geteuid(), os.getegid(), drop=False)
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise ConfigurationError(
            f"PostgreSQL does not run as root and the system account {name} does not exist;"
            f" make it with: {_MAKE_IT} {name}"
        ) from None
    if entry.pw_uid == 0:
        raise ConfigurationError(f"the account {name} is root, which PostgreSQL refuses")
    return Account(name, entry.pw_uid, entry.pw_gid, drop=True)


def check_reach(account: Account, directory: Path) -> None:
    """Raise ConfigurationError naming the first parent of ``directory`` that the account may not enter."""
    closed = _closed_to(account, directory)
    if closed is not None:
        raise ConfigurationError(
            f"the account {account.name} may not enter {closed}, a parent of the state directory;"
            f" choose a state directory elsewhere, such as {SYSTEM_STATE}"
        )


def default_state(name: str = DEFAULT_ACCOUNT) -> Path:
    """Return ``.state``, or for root in a folder that the account ``name`` may not enter `SYSTEM_STATE`."""
    try:
        account = find_account(name)
    except ConfigurationError:
        # The embedded server refuses this by itself, and another server does not need the account.
        return _LOCAL_STATE
    return SYSTEM_STATE if _closed_to(account, Path.cwd()) else _LOCAL_STATE


def _closed_to(account: Account, directory: Path) -> Path | None:
    """Return the first folder on the way to ``directory`` that the account may not enter."""
    if not account.drop:
        return None
    way = reversed([directory, *directory.parents])
    return next((folder for folder in way if not _may_enter(account, folder.stat())), None)


def _may_enter(account: Account, found: os.stat_result) -> bool:
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def private_directory(account: Account, path: Path) -> None:
    """Make ``path`` a directory of the account alone (0700); refuse one that belongs to another."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {account.uid, os.geteuid()}:
        raise ConfigurationError(f"{path} exists and belongs to another account")
    os.chown(path, account.uid, account.gid)
    path.chmod(0o700)


def spawn(
    account: Account, command: Sequence[str], log: BinaryIO, pass_fds: Sequence[int] = ()
) -> Popen[bytes]:
    """Start ``command`` as the account, in a session of its own, its output appended to ``log``.

    Its own session keeps a Ctrl-C on the terminal from reaching the server before us.
    """
    identity: dict[str, object] = {}
    if account.drop:
        identity = {"user": account.uid, "group": account.gid, "extra_groups": []}
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    return Popen(  # type: ignore[call-overload,no-any-return]
        list(command),
        stdin=DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        env=environment,
        pass_fds=tuple(pass_fds),
        start_new_session=True,
        **identity,
    )
