"""Durable workflows: a frozen closing enqueues its process in the very transaction that froze it."""

from __future__ import annotations

from collections.abc import Callable

from dbos import DBOS, DBOSConfig, WorkflowHandle

from bookrunner import __version__
from bookrunner.db import Endpoint

RunClosing = Callable[[str, str], int]

POLL_SECONDS = 0.05


class Workflows:
    """Runs enqueued closings, one at a time; an unfinished one goes on after a restart.

    Every step of a closing can be repeated, so a workflow that is recovered runs its one step again.
    """

    def __init__(self, endpoint: Endpoint, run_closing: RunClosing, *, executor: str = "local") -> None:
        config: DBOSConfig = {
            "name": "bookrunner",
            "system_database_url": endpoint.url("workflow"),
            "dbos_system_schema": "dbos",
            "application_version": __version__,
            "executor_id": executor,
            "run_migrations": False,
            "use_listen_notify": False,
            "enable_otlp": False,
            "log_level": "ERROR",
            "console_log_level": "ERROR",
        }
        self._dbos = DBOS(config=config)

        @DBOS.step(name="carry_closing", retries_allowed=True, max_attempts=5)
        def _carry(offering: str, closing: str) -> int:
            return run_closing(offering, closing)

        @DBOS.workflow(name="run_closing")
        def _run(offering: str, closing: str) -> int:
            return _carry(offering, closing)

    def start(self) -> None:
        """Take up what waits and what an earlier process left unfinished."""
        DBOS.launch()
        DBOS.register_queue("closings", worker_concurrency=1, polling_interval_sec=POLL_SECONDS)

    def wait(self, closing: str) -> int:
        """Wait for the workflow of a closing and return how many investments it issued."""
        handle: WorkflowHandle[int] = DBOS.retrieve_workflow(f"close-{closing}")
        return handle.get_result()

    def stop(self) -> None:
        """Stop taking up work; what is unfinished waits in the database."""
        DBOS.destroy(destroy_registry=True)
