"""The worker: finishes open closings, answers events, seals; after a stop or a crash it goes on."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bookrunner.adapters.chain import ChainError
from bookrunner.adapters.webhooks import Sender
from bookrunner.app.settings import hooks_on_loopback, read_settings
from bookrunner.app.tending import PUT_RIGHT
from bookrunner.app.tracing import tracing
from bookrunner.cli.programs import machine
from bookrunner.cli.screen import app, console, marked
from bookrunner.core.errors import BookrunnerError, ConfigurationError
from bookrunner.db import Contention, DatabaseUnavailable
from bookrunner.engine.issuance import check_chain
from bookrunner.sandbox.world import opened, worker_seat

if TYPE_CHECKING:
    from bookrunner.app import Application

ROUND_SECONDS = 0.2
DATABASE_SECONDS = 10.0
CHAIN_SECONDS = 2.0


@app.command()
def work(
    *,
    once: Annotated[bool, typer.Option("--once", help="Stop when no closing is open any more.")] = False,
) -> None:
    """Finish open closings, answer events and seal, until stopped; ends with 1 when a server is gone."""
    from bookrunner.api.hooks.courier import at_work

    settings = read_settings()
    stopped: BookrunnerError | None = None
    try:
        with (
            tracing(settings),
            opened(settings) as world,
            worker_seat(settings.state_dir) as mine,
        ):
            if not mine:
                raise ConfigurationError(f"another worker runs on {settings.state_dir}")
            sender = Sender(loopback=hooks_on_loopback(settings))
            with (
                nullcontext()
                if once
                else at_work(world.application.database, sender, keep_days=settings.webhooks.keep_days)
            ):
                _work(world.application, once=once)
    except BookrunnerError as fault:
        stopped = fault
    _leave(stopped)


def _leave(stopped: BookrunnerError | None) -> NoReturn:
    """Say how it ended and end the process, with 1 where something stopped it.

    Threads that wait for a server that is gone cannot be told to stop; what they did is in the database.
    """
    told = console.told
    if told is None and stopped is not None:
        marked("stopped", str(stopped))
    elif told is not None and stopped is not None:
        machine.write_problem(machine.problem_of(stopped), told)
    elif told is not None:
        machine.write_result(0, told)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if stopped is None else 1)


def _work(application: Application, *, once: bool) -> None:
    from bookrunner.engine.process.workflow import Workflows

    def carry(offering: str, closing: str) -> int:
        def report(phase: str, done: int, total: int) -> None:
            console.print(f"{closing} {phase} {done}/{total}")

        try:
            issued = application.run_closing(offering, closing, report)
        except BookrunnerError as fault:
            console.print(f"{closing} waits: {type(fault).__name__} {fault}")
            raise
        console.print(f"{closing} issued {issued}")
        return issued

    check_chain(application.desk.registry, application.chain, application.chain.chain_id())
    workflows = Workflows(application.endpoint, carry)
    workflows.start(application.open_closings())
    workflows.keep_trying(application.open_closings)
    application.after("closings", PUT_RIGHT, workflows.try_now)
    console.print("working")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    _rounds(application, stopped, once=once)
    workflows.stop()


def _rounds(application: Application, stopped: threading.Event, *, once: bool) -> None:
    """Answer and seal until stopped, or until database or node have been silent for too long."""
    heard = time.monotonic()
    while not stopped.is_set():
        try:
            _round(application)
            heard = time.monotonic()
            if once and not application.open_closings():
                return
        except (DatabaseUnavailable, Contention, ChainError) as fault:
            # A server that lost one backend recovers by itself; a node that is gone does not come back.
            patience = CHAIN_SECONDS if isinstance(fault, ChainError) else DATABASE_SECONDS
            if time.monotonic() - heard > patience:
                raise
        stopped.wait(ROUND_SECONDS)


def _round(application: Application) -> None:
    if not application.database.answers():
        raise DatabaseUnavailable("the server takes no connection")
    application.chain.block_numbers()
    application.tend()
