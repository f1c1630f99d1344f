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
        self._names: dict[str, str] = {}
        self._stopped = threading.Event()

    def start(self, open_closings: Iterable[tuple[str, str]] = ()) -> None:
        """Take up what waits, and what an earlier process left of these (offering, closing) pairs.

        Whoever ran one before, under whatever executor id, on whatever machine, is taken to be dead. If it is
        not, both run it, which does no harm.
        """
        DBOS.launch()
        DBOS.register_queue(_QUEUE, worker_concurrency=1, polling_interval_sec=POLL_SECONDS)
        for offering, closing in open_closings:
            self._names[closing] = self._take_up(offering, closing)

    def keep_trying(self, open_closings: OpenClosings, seconds: int = REFUSED_SECONDS) -> None:
        """From now on, look every so many seconds for open closings that a rule refused, and run them again.

        What refused them, a list that was too old or a key that was stopped, may have been put right. The
        looks have a thread of their own, for the workflow library waits for a database as long as it takes.
        """
        threading.Thread(target=self._try_again, args=(open_closings, seconds), daemon=True).start()

    def _try_again(self, open_closings: OpenClosings, seconds: int) -> None:
        while not self._stopped.wait(seconds):
            with contextlib.suppress(Closed, Contention, DatabaseUnavailable):
                for offering, closing in open_closings():
                    known = DBOS.get_workflow_status(self._names.get(closing, f"close-{closing}"))
                    if known is not None and known.status not in _GOES_ON and not self._stopped.is_set():
                        self._names[closing] = self._take_up(offering, closing)

    def wait(self, closing: str) -> int:
        """Wait for the workflow of a closing and return how many investments it issued.

        Raises ClosingStopped when a rule refused to go on; the closing stays open.
        """
        handle: WorkflowHandle[int] = DBOS.retrieve_workflow(self._names.get(closing, f"close-{closing}"))
        try:
            return handle.get_result()
        except PortableWorkflowError as fault:
            raise ClosingStopped(f"{closing}: {fault}") from None

    def stop(self) -> None:
        """Stop taking up work; what is unfinished waits in the database."""
        self._stopped.set()
        DBOS.destroy(destroy_registry=True)

    def _take_up(self, offering: str, closing: str) -> str:
        """Name a workflow that will run an open closing: one that waits, or a new one when the last began."""
        attempt, name = 1, f"close-{closing}"
        while (known := DBOS.get_workflow_status(name)) is not None:
            if known.status == "ENQUEUED":
                return name
            if known.status == "PENDING":
                # Resumed, it would repeat an error that its step had recorded before the process died.
                DBOS.cancel_workflow(name)
            attempt += 1
            name = f"close-{closing}-{attempt}"
        with SetWorkflowID(name):
            DBOS.enqueue_workflow(_QUEUE, self._run, offering, closing)
        return name
