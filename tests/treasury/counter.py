"""The sandbox bank as a child process, and what is done at its counter."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx

from bookrunner.core.errors import ConfigurationError
from bookrunner.sandbox.bank.server import ADDRESS

_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Counter:
    """A running bank: its process, its address, and what is done at its counter."""

    process: subprocess.Popen[bytes]
    url: str

    def deposit(self, told: Mapping[str, object]) -> None:
        """Bring money: id, offering, payment, amount_minor, reference, name, account, rail."""
        self._ask("POST", "deposits", told)

    def move_to(self, day: date) -> None:
        """Let the days pass."""
        self._ask("POST", "days", {"day": day.isoformat()})

    def tell(self) -> dict[str, int]:
        """Send the notices that wait; return how many were taken and how many were not."""
        said: dict[str, int] = self._ask("POST", "notices").json()
        return said

    def statement(self, day: date) -> bytes:
        """Return the statement of a day."""
        return self._ask("GET", f"statements/{day.isoformat()}").content

    def paid(self) -> dict[str, list[int]]:
        """Return the amounts that the orders carry, by payment."""
        said: dict[str, list[int]] = self._ask("GET", "paid").json()
        return said

    def _ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        with httpx.Client(timeout=_START_SECONDS, trust_env=False) as client:
            answer = client.request(method, f"{self.url}/{path}", json=body)
        answer.raise_for_status()
        return answer


@contextmanager
def running(folder: Path) -> Iterator[Counter]:
    """Start the bank of a configured folder, lend its counter, and end its process.

    Raises ConfigurationError when it does not answer in time.
    """
    known = folder / ADDRESS
    known.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "bookrunner.sandbox.bank.server", str(folder)], stdin=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not known.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ConfigurationError("the sandbox bank does not start")
            time.sleep(0.01)
        yield Counter(process, known.read_text(encoding="ascii"))
    finally:
        process.kill()
        process.wait()
