"""The submitter as a process that can be killed: it deploys a token or carries a closing."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import TYPE_CHECKING

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app import Application, open_keys
from bookrunner.core.errors import BookrunnerError
from bookrunner.db import Endpoint
from bookrunner.engine import ClosingRun
from bookrunner.sandbox import toolchain

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.engine.submitting"])
PATIENCE_SECONDS = 0.5


@dataclass(frozen=True)
class Work:
    """What a submitter is started with; without a closing it deploys the token of so many units."""

    endpoint: Endpoint
    urls: tuple[str, ...]
    keys: Path
    offering: str
    closing: str = ""
    lines: int = 0
    units: int = 0


class Run:
    """One submitter process; ``steps`` counts its reports, ``said`` holds what it stopped at."""

    def __init__(self, work: Work) -> None:
        self.steps: Synchronized[int] = _PROCESSES.Value("i", 0)
        self._said = work.keys / "said"
        self._said.write_text("", encoding="utf-8")
        self.process: ForkServerProcess = _PROCESSES.Process(
            target=_carry, args=(work, self.steps, self._said), daemon=True
        )
        self.process.start()

    @property
    def said(self) -> str:
        """What stopped the submitter."""
        return self._said.read_text(encoding="utf-8")

    def reaches(self, steps: int) -> bool:
        """Say whether the submitter has come so far, or has ended."""
        return self.steps.value >= steps or not self.process.is_alive()

    def kill(self) -> bool:
        """Kill it at once; false when it had ended."""
        was_alive = self.process.is_alive()
        self.process.kill()
        self.process.join()
        return was_alive

    def wait(self, seconds: float = 120.0) -> int | None:
        """Wait for its end and return its code."""
        self.process.join(seconds)
        return self.process.exitcode


def _carry(work: Work, steps: Synchronized[int], said: Path) -> None:
    with EvmChain(*work.urls, timeout=5.0) as chain:
        keys = open_keys(work.keys, chain.chain_id(), embedded=True)
        app = Application(work.endpoint, chain, keys, pause=_pause)

        def report(*_: object) -> None:
            steps.value += 1

        code = 0
        try:
            if work.closing:
                _closing_run(app, work).run(work.offering, work.closing, report)
            else:
                app.deploy_token(toolchain.ensure().artifacts, work.offering, work.units)
        except BookrunnerError as fault:
            said.write_text(f"{type(fault).__name__} {fault}", encoding="utf-8")
            code = 1
        finally:
            app.close()
    raise SystemExit(code)


def _closing_run(app: Application, work: Work) -> ClosingRun:
    return ClosingRun(
        app.desk,
        app.chain,
        app.keys,
        pause=_pause,
        screen=app.screening.for_issuance,
        lines=work.lines,
        patience_seconds=PATIENCE_SECONDS,
    )


def _pause() -> None:
    time.sleep(0.02)
