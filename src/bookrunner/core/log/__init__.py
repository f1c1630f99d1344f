"""The log of an installation: a closed vocabulary, so that personal data has no field to stand in."""

from __future__ import annotations

import logging
import re
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bookrunner.core import clock

FIELDS = frozenset(
    {
        "act",
        "break_count",
        "closing",
        "consumer",
        "event",
        "file",
        "investments",
        "issued",
        "key_id",
        "kind",
        "level",
        "list_version",
        "message_id",
        "missing",
        "offering",
        "recorded_at",
        "rows",
        "rule",
        "sha256",
        "source",
        "subject",
        "subjects",
    }
)
"""What a line may say: ids, counts, kinds and rules. A name, an address or an amount is none of them."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:@+-]{1,120}")


def _recorded(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    line["recorded_at"] = clock.now().isoformat(timespec="milliseconds")
    return line


def keep_vocabulary(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Drop fields outside the vocabulary and hide text that is no identifier."""
    return {name: _shown(name, value) for name, value in line.items() if name in FIELDS}


def _shown(name: str, value: object) -> object:
    if name in {"event", "recorded_at"} or isinstance(value, int):
        return value
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


def tell(event: str, **fields: str | int) -> None:
    """Write what happened: a sentence and fields of the vocabulary; another field raises KeyError."""
    _write("info", event, fields)


def warn(event: str, **fields: str | int) -> None:
    """Write what a person should look at; takes and refuses what ``tell`` does."""
    _write("warning", event, fields)


def _write(level: str, event: str, fields: dict[str, str | int]) -> None:
    if unknown := fields.keys() - FIELDS:
        raise KeyError(f"the log has no field {', '.join(sorted(unknown))}")
    # As a library it is silent: only a program that has configured the log has one.
    if structlog.is_configured():
        getattr(structlog.get_logger(), level)(event, **fields)
