"""The log of an installation: a closed vocabulary, so that personal data has no field to stand in."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bookrunner.core import clock

FIELDS = frozenset(
    {
        "account",
        "act",
        "break_count",
        "closing",
        "consumer",
        "credential",
        "event",
        "file",
        "frames",
        "investments",
        "issued",
        "keeper",
        "key_id",
        "kind",
        "level",
        "list_version",
        "means",
        "message_id",
        "missing",
        "network",
        "offering",
        "operation",
        "place",
        "recorded_at",
        "request",
        "rows",
        "rule",
        "session",
        "sha256",
        "source",
        "status",
        "subject",
        "subjects",
    }
)
"""What a line may say: ids, counts, kinds and rules. A name, an address or an amount is none of them."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:@+-]{1,120}")
_MARK_DIGITS = 16
_FRAMES = 20
_SERVERS = ("uvicorn", "asyncio")
_PACKAGE = Path(__file__).resolve().parents[2]


def _recorded(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    line["recorded_at"] = clock.now().isoformat(timespec="milliseconds")
    return line


def keep_vocabulary(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Drop fields outside the vocabulary and hide text that is no identifier."""
    return {name: _shown(name, value) for name, value in line.items() if name in FIELDS}


def _shown(name: str, value: object) -> object:
    if name == "event":
        return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(value))
    if name == "recorded_at" or isinstance(value, int):
        return value
    if isinstance(value, list):
        return [_shown("", each) for each in value]
    text = str(value)
    return text if _IDENTIFIER.fullmatch(text) else "(hidden)"


def configure(*, as_json: bool) -> None:
    """Write to standard error: every line as JSON for machines, or only the warnings, in words for people."""
    last: Processor = (
        structlog.processors.JSONRenderer(sort_keys=True)
        if as_json
        else structlog.processors.KeyValueRenderer(key_order=["recorded_at", "level", "event"])
    )
    structlog.configure(
        processors=[structlog.processors.add_log_level, _recorded, keep_vocabulary, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO if as_json else logging.WARNING),
        # Standard error as it is when a line is written, not as it was here.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    for name in _SERVERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [_Elsewhere(logging.WARNING)], False


class _Elsewhere(logging.Handler):
    """Writes what a server says as a line of ours.

    It has the sentence without what would fill it, and of a fault the kind and the places that it went
    through. The text of a fault may repeat what somebody sent, and is left out (ASVS 5.0, V16.2.5, V16.4.1).
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        said = record.msg.strip().splitlines() if isinstance(record.msg, str) else []
        fields: dict[str, str | int | list[str]] = {"source": record.name}
        fault = record.exc_info[1] if record.exc_info else None
        if fault is not None:
            fields["kind"] = type(fault).__name__
            frames = traceback.extract_tb(fault.__traceback__)[-_FRAMES:]
            fields["frames"] = [f"{_module(frame.filename)}:{frame.lineno}" for frame in frames]
        _write(
            "warning" if record.levelno < logging.ERROR else "error", said[0] if said else "a fault", fields
        )


def _module(file: str) -> str:
    """Return the last folders and the name of a file, as a module is written."""
    return ".".join(file.removesuffix(".py").split("/")[-4:])


def mark(digest: bytes) -> str:
    """Return how a line names a key or a session: the first 64 bits of the digest that is kept of it."""
    return digest.hex()[:_MARK_DIGITS]


def place_of(fault: BaseException) -> str:
    """Return module and line of the innermost frame of ours that a fault went through, and no word of it."""
    frames = reversed(traceback.extract_tb(fault.__traceback__))
    for frame in frames:
        file = Path(frame.filename)
        if file.is_relative_to(_PACKAGE):
            return f"{'.'.join(file.relative_to(_PACKAGE.parent).with_suffix('').parts)}:{frame.lineno}"
    return "elsewhere"


def tell(event: str, **fields: str | int) -> None:
    """Write what happened: a sentence and fields of the vocabulary; another field raises KeyError."""
    _write("info", event, fields)


def warn(event: str, **fields: str | int) -> None:
    """Write what a person should look at; takes and refuses what ``tell`` does."""
    _write("warning", event, fields)


def _write(level: str, event: str, fields: Mapping[str, str | int | list[str]]) -> None:
    if unknown := fields.keys() - FIELDS:
        raise KeyError(f"the log has no field {', '.join(sorted(unknown))}")
    # As a library it is silent: only a program that has configured the log has one.
    if structlog.is_configured():
        getattr(structlog.get_logger(), level)(event, **fields)
