"""Workers in processes of their own, to be killed while they end a failed offer or carry a closing."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bookrunner.db import Database, Endpoint
from bookrunner.db.endpoint import Secrets
from bookrunner.engine import Desk, Process
from bookrunner.engine.process.workflow import Workflows


class MortalDatabase(Database):
    """Kills its process at a given step: before a transaction commits, or right after one has."""

    def __init__(self, endpoint: Endpoint, steps: int) -> None:
        super().__init__(endpoint, max_size=2)
        self._left = steps

    @contextmanager
    def transaction(self, login: str) -> Iterator[psycopg.Connection]:
        """Lend a transaction."""
        with super().transaction(login) as transaction:
            yield transaction
            self._step()
        self._step()

    @contextmanager
    def statement(self, login: str) -> Iterator[psycopg.Connection]:
        """Lend a connection for one statement."""
        with super().statement(login) as connection:
            yield connection
        self._step()

    def _step(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


def end_until_killed(dsn: str, secrets: str, steps: int) -> None:
    """Answer whatever waits; a process that survives has nothing left to do."""
    database = MortalDatabase(Endpoint(dsn, Secrets(Path(secrets))), steps)
    Process(Desk(database)).drain()
    database.close()


def hold_closing(dsn: str, secrets: str, offering: str, closing: str) -> None:
    """Take up a closing, say so, and hold it until told to go on."""

    def hold(_: str, __: str) -> int:
        tell("began")
        sys.stdin.readline()
        return 0

    workflows = Workflows(Endpoint(dsn, Secrets(Path(secrets))), hold)
    workflows.start([(offering, closing)])
    workflows.wait(closing)
    tell("done")
    workflows.stop()


def tell(word: str) -> None:
    """Say something to who started this process."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    """Say when the work begins, and when nothing is left."""
    dsn, secrets, *closing = sys.argv[1:]
    if closing:
        hold_closing(dsn, secrets, *closing)
        return
    database = Database(Endpoint(dsn, Secrets(Path(secrets))), max_size=2)
    process = Process(Desk(database))
    tell("begun")
    process.expire()
    tell("done")
    database.close()


if __name__ == "__main__":
    main()
