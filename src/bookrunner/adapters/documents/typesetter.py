"""Typesetting in a process of its own, with limits of time and memory."""

from __future__ import annotations

import json
import os
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any, Final, Self

from bookrunner.core.errors import Refused

_WORKER: Final = Path(__file__).with_name("worker.py")
_NO_GLYPH: Final = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
_ADDRESS_SPACE: Final = 4 << 30


@dataclass(frozen=True, slots=True)
class Sheet:
    """One document for the press: a layout inside its folder, the data, a fixed time, labels to look up."""

    folder: Path
    layout: str
    packet: Mapping[str, object]
    timestamp: datetime
    labels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Printed:
    """The PDF/A-2b bytes, and for each label the values that the layout recorded under it."""

    content: bytes
    labels: Mapping[str, list[Any]]


class Typesetter:
    """Sets documents with Typst, one after another; safe to share between threads.

    ``seconds`` bounds one document; a worker that does not answer is ended and the next document gets a new
    one. Use it as a context manager or call ``close``.
    """

    def __init__(self, *, seconds: float = 30.0, address_space: int = _ADDRESS_SPACE) -> None:
        self._seconds = seconds
        self._address_space = address_space
        self._worker: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker; the next document would start another."""
        with self._lock:
            self._end()

    def typeset(self, sheet: Sheet) -> Printed:
        """Return the document.

        Refuses ``every_letter_has_a_glyph`` with the code points that no font shows, ``template_compiles``
        with what the engine said, and ``typesetting_keeps_its_limits``.
        """
        request = {
            "root": str(sheet.folder),
            "main": str(sheet.folder / sheet.layout),
            "packet": sheet.packet,
            "timestamp": int(sheet.timestamp.timestamp()),
            "labels": list(sheet.labels),
        }
        with self._lock:
            head, content = self._exchange(json.dumps(request).encode() + b"\n")
        if "fault" in head:
            raise _refusal(head["fault"])
        return Printed(content, head["labels"])

    def _exchange(self, request: bytes) -> tuple[dict[str, Any], bytes]:
        worker = self._running()
        if worker.stdin is None or worker.stdout is None:
            raise AssertionError("the worker was started with pipes")
        deadline = time.monotonic() + self._seconds
        try:
            worker.stdin.write(request)
            worker.stdin.flush()
            line, rest = _until_newline(worker.stdout.fileno(), deadline)
            head = json.loads(line)
            return head, _exactly(worker.stdout.fileno(), rest, size=head["size"], deadline=deadline)
        except (TimeoutError, EOFError, BrokenPipeError) as fault:
            self._end()
            reason = "time" if isinstance(fault, TimeoutError) else "memory"
            raise Refused("typesetting_keeps_its_limits", f"the worker ran out of {reason}") from None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._worker is None or self._worker.poll() is not None:
            self._end()
            self._worker = subprocess.Popen(
                [sys.executable, "-I", str(_WORKER), str(self._address_space)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"RAYON_NUM_THREADS": "1"},
            )
        return self._worker

    def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.kill()
        worker.wait()
        for pipe in (worker.stdin, worker.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue


def engine_version() -> str:
    """Return the version of the installed engine, which also fixes the fonts inside it."""
    return version("typst")


def _refusal(said: str) -> Refused:
    missing = _NO_GLYPH.search(said)
    if missing is None:
        return Refused("template_compiles", said.splitlines()[0][:200])
    points = " ".join(f"U+{ord(letter):04X}" for letter in missing[1])
    return Refused("every_letter_has_a_glyph", points)


def _chunk(descriptor: int, deadline: float) -> bytes:
    with selectors.DefaultSelector() as waiting:
        waiting.register(descriptor, selectors.EVENT_READ)
        if not waiting.select(max(0.0, deadline - time.monotonic())):
            raise TimeoutError
    chunk = os.read(descriptor, 1 << 16)
    if not chunk:
        raise EOFError
    return chunk


def _until_newline(descriptor: int, deadline: float) -> tuple[bytes, bytes]:
    gathered = b""
    while b"\n" not in gathered:
        gathered += _chunk(descriptor, deadline)
    line, _, rest = gathered.partition(b"\n")
    return line, rest


def _exactly(descriptor: int, begun: bytes, *, size: int, deadline: float) -> bytes:
    parts, have = [begun], len(begun)
    while have < size:
        parts.append(_chunk(descriptor, deadline))
        have += len(parts[-1])
    return b"".join(parts)
