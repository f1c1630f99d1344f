"""Durable workflows: a frozen closing enqueues its process in the very transaction that froze it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable

from dbos import DBOS, DBOSConfig, PortableWorkflowError, SetWorkflowID, WorkflowHandle

from bookrunner import __version__
from bookrunner.adapters.chain import ChainError
from bookrunner.core.errors import BookrunnerError
from bookrunner.core.ids import new_id
from bookrunner.db import Closed, Contention, DatabaseUnavailable, Endpoint
from bookrunner.engine.issuance import ChainStalled

RunClosing = Callable[[str, str], int]

POLL_SECONDS = 0.05
RETRY_SECONDS = 0.5
REFUSED_SECONDS = 20

# What may be over by itself, or with this process; a refusal waits until something was put right.
_PASSING = (ChainError, ChainStalled, Closed, Contention, DatabaseUnavailable)
_UNLIMITED = 2**31
_QUEUE = "closings"
_GOES_ON = {"ENQUEUED", "PENDING", "DELAYED"}

OpenClosings = Callable[[], Iterable[tuple[str, str]]]


class ClosingStopped(BookrunnerError):
    """A closing's workflow ended with an error; it is given another after a while, or by the next start."""


class Workflows:
    """Runs enqueued closings, one at a time; an unfinished one goes on after a restart.

    Every step of a closing can be repeated, so what a dead process left is run again from its start. Each
    process is an executor of its own, whatever its pid and host; `start` takes over from those before it.
    """

    def __init__(self, endpoint: Endpoint, run_closing: RunClosing) -> None:
        self.executor = new_id("exe")
        config: DBOSConfig = {
            "name": "bookrunner",
            "system_database_url": endpoint.url("workflow"),
            "dbos_system_schema": "dbos",
            "application_version": __version__,
            "executor_id": self.executor,
            "run_migrations": False,
            "use_listen_notify": False,
            "enable_otlp": False,
            "log_level": "ERROR",
            "console_log_level": "ERROR",
        }
        self._dbos = DBOS(config=config)

        @DBOS.step(
            name="carry_closing",
            retries_allowed=True,
            max_attempts=_UNLIMITED,
            interval_seconds=RETRY_SECONDS,
            backoff_rate=1.0,
            should_retry=lambda fault: isinstance(fault, _PASSING),
        )
        def _carry(offering: str, closing: str) -> int:
            return run_closing(offering, closing)

        @DBOS.workflow(name="run_closing")
        def _run(offering: str, closing: str) -> int:
            return _carry(offering, closing)

        self._run = _run
        # The newest attempt that was seen of each closing; another process may have begun a later one.
        self._seen: dict[str, int] = {}
        self._stopped = threading.Event()
        self._hastened = threading.Event()

    def start(self, open_closings: Iterable[tuple[str, str]] = ()) -> None:
        """Take up what waits, and what an earlier process left of these (offering, closing) pairs.

        Whoever ran one before, under whatever executor id, on whatever machine, is taken to be dead. If it is
        not, both run it, which does no harm.
        """
        DBOS.launch()
        DBOS.register_queue(_QUEUE, worker_concurrency=1, polling_interval_sec=POLL_SECONDS)
        for offering, closing in open_closings:
            self._take_up(offering, closing)

    def keep_trying(self, open_closings: OpenClosings, seconds: int = REFUSED_SECONDS) -> None:
        """From now on, look every so many seconds for open closings that a rule refused, and run them again.

        What refused them, a list that was too old or a key that was stopped, may have been put right. The
        looks have a thread of their own, for the workflow library waits for a database as long as it takes.
        """
        threading.Thread(target=self._try_again, args=(open_closings, seconds), daemon=True).start()

    def try_now(self) -> None:
        """Let the next look of `keep_trying` come at once: what had refused a closing may be put right."""
        self._hastened.set()

    def _try_again(self, open_closings: OpenClosings, seconds: int) -> None:
        while True:
            self._hastened.wait(seconds)
            self._hastened.clear()
            if self._stopped.is_set():
                return
            with contextlib.suppress(Closed, Contention, DatabaseUnavailable):
                for offering, closing in open_closings():
                    _, status = self._newest(closing)
                    if status is not None and status not in _GOES_ON and not self._stopped.is_set():
                        self._take_up(offering, closing)

    def wait(self, closing: str) -> int:
        """Wait for the workflow of a closing and return how many investments it issued.

        Raises ClosingStopped when a rule refused to go on; the closing stays open.
        """
        self._newest(closing)
        handle: WorkflowHandle[int] = DBOS.retrieve_workflow(_name(closing, self._seen[closing]))
        try:
            return handle.get_result()
        except PortableWorkflowError as fault:
            raise ClosingStopped(f"{closing}: {fault}") from None

    def stop(self) -> None:
        """Stop taking up work; what is unfinished waits in the database."""
        self._stopped.set()
        self._hastened.set()
        DBOS.destroy(destroy_registry=True)

    def _newest(self, closing: str) -> tuple[int, str | None]:
        """Return the number of the newest attempt at a closing and its status, or none before the first."""
        attempt = self._seen.get(closing, 1)
        known = DBOS.get_workflow_status(_name(closing, attempt))
        status = None if known is None else known.status
        while (later := DBOS.get_workflow_status(_name(closing, attempt + 1))) is not None:
            attempt, status = attempt + 1, later.status
        self._seen[closing] = attempt
        return attempt, status

    def _take_up(self, offering: str, closing: str) -> None:
        """Leave an attempt that waits in the queue; begin the next one when the newest has begun."""
        attempt, status = self._newest(closing)
        if status == "ENQUEUED":
            return
        if status == "PENDING":
            # Resumed, it would repeat an error that its step had recorded before the process died.
            DBOS.cancel_workflow(_name(closing, attempt))
        self._seen[closing] = attempt if status is None else attempt + 1
        # Of two processes that begin one attempt, one enqueues it and the other finds it there.
        with SetWorkflowID(_name(closing, self._seen[closing])):
            DBOS.enqueue_workflow(_QUEUE, self._run, offering, closing)


def _name(closing: str, attempt: int) -> str:
    return f"close-{closing}" if attempt == 1 else f"close-{closing}-{attempt}"
