"""An installation whose parts run as processes of their own, to be killed one by one or all at once."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bookrunner.app.settings import Settings
from bookrunner.db.embedded.process import running
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import opened

VICTIMS = ("worker", "postmaster", "backend", "node", "all")
PATIENCE_SECONDS = 60.0
_STEP = re.compile(r"^(cls_\w+) (\w+) (\d+)/(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Kill:
    """One SIGKILL: who died, in which phase of the closing, and how the run before it had gone."""

    victim: str
    phase: str
    delivered: int
    of: int


@dataclass
class Installation:
    """One state directory with a frozen closing, and the worker that is started on it again and again."""

    state: Path
    investors: int
    seed: int
    offering: str = ""
    closing: str = ""
    kills: list[Kill] = field(default_factory=list)
    commands: list[subprocess.Popen[bytes]] = field(default_factory=list)
    starts_seconds: list[float] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)

    def freeze(self) -> None:
        """Play the raise and freeze the closing of those who are ready, then stop every server."""
        with opened(Settings(state_dir=self.state)) as world:
            app = world.application
            story = Story(app, investors=self.investors, seed=self.seed)
            story.play(lambda: app.deploy_token(world.tools.artifacts, story.offering, story.units))
            self.offering = story.offering
            self.closing = app.close_offer(story.offering, actor="operator.otto", ready=True)

    def work(self, chance: random.Random, kills: int, victims: tuple[str, ...] = VICTIMS) -> None:
        """Run the worker until the closing is done, killing something at random moments ``kills`` times."""
        while self._run(chance, kills, victims) != 0:
            assert len(self.codes) < 20 * (kills + 1), "the worker does not get to the end"

    def command(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one command of the installation in a process group of its own."""
        environment = os.environ | {
            "BOOKRUNNER_STATE_DIR": str(self.state),
            "BOOKRUNNER_DELIVERY_LINES": "1",
            "COLUMNS": "200",
        }
        with (self.state / "output").open("ab") as output:
            command = subprocess.Popen(
                [sys.executable, "-m", "bookrunner.cli", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.commands.append(command)
        return command

    def end(self) -> None:
        """Kill what a failed test has left running; nothing of it shall outlive the test."""
        if self.commands:
            self.kill("all", self.commands[-1])
            self.commands[-1].wait(PATIENCE_SECONDS)

    def said(self) -> str:
        """Return everything that the commands have said; it was written outside the database."""
        path = self.state / "output"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def kill(self, victim: str, parent: subprocess.Popen[bytes]) -> bool:
        """Kill one part, or all at once; false when it is not there to be killed."""
        pids = list(self._pids(victim, parent))
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(pids)

    def has_its_node(self, command: subprocess.Popen[bytes]) -> bool:
        """Wait until a command has started its node, which is shortly before it acts; false when it ended."""
        while command.poll() is None:
            if list(self._pids("node", command)):
                return True
            time.sleep(0.002)
        return False

    def _run(self, chance: random.Random, kills: int, victims: tuple[str, ...]) -> int:
        heard, begun = len(self.said()), time.monotonic()
        worker = self.command("work", "--once")
        if self._reaches(worker, heard, 1):
            self.starts_seconds.append(round(time.monotonic() - begun, 2))
        while len(self.kills) < kills:
            steps = len(_STEP.findall(self.said()[heard:])) + chance.randint(0, 6)
            if not self._reaches(worker, heard, steps):
                break
            time.sleep(chance.uniform(0, 0.05))
            victim = victims[len(self.kills) % len(victims)]
            last = _STEP.findall(self.said()[heard:])[-1]
            if worker.poll() is not None or not self.kill(victim, worker):
                break
            self.kills.append(Kill(victim, last[1], int(last[2]), int(last[3])))
            if victim != "backend":
                break
        code = worker.wait(PATIENCE_SECONDS)
        self.codes.append(code)
        self._check_nothing_acknowledged_is_lost()
        return code

    def _reaches(self, worker: subprocess.Popen[bytes], heard: int, steps: int) -> bool:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(_STEP.findall(self.said()[heard:])) < steps:
            if worker.poll() is not None:
                return False
            assert time.monotonic() < deadline, self.said()[heard:]
            time.sleep(0.002)
        return True

    def _check_nothing_acknowledged_is_lost(self) -> None:
        """Check that each run finds no more to deliver than the last acknowledgement before it left."""
        left = None
        for phase, done, of in ((p, int(d), int(o)) for _, p, d, o in _STEP.findall(self.said())):
            if phase == "deliver":
                assert left is None or of - done <= left, self.said()
                left = of - done

    def _pids(self, victim: str, parent: subprocess.Popen[bytes]) -> Iterator[int]:
        found = running(next((self.state / "database" / "pg").glob("[0-9]*")))
        postmaster = found.pid if found else 0
        if victim in {"worker", "all"}:
            yield parent.pid
        if victim in {"node", "all"}:
            yield from (pid for pid in _children(parent.pid) if "anvil" in _command(pid))
        if victim in {"postmaster", "all"} and postmaster:
            yield postmaster
        backends = [
            p for p in _children(postmaster) if " bookrunner_" in _command(p) or "engine" in _command(p)
        ]
        if victim == "all" and postmaster:
            yield from _children(postmaster)
        elif victim == "backend":
            yield from backends[:1]


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            stat = (entry / "stat").read_text()
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
    return found


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return (
            (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    return ""
