"""The ordered changes of the database; each runs SQL files that are never edited after a release."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import psycopg

from bookrunner.core.errors import BookrunnerError
from bookrunner.db.layout import Source


class MigrationFailed(BookrunnerError):
    """A SQL file could not be applied; the message names the file, the line and the server's reason."""


def frozen(revision: str) -> list[Source]:
    """Return the SQL files of a migration in their order."""
    folder = files(__name__) / "sql" / revision
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return [Source(name, (folder / name).read_text(encoding="utf-8")) for name in names]


def apply(connection: psycopg.Connection[Any], sources: Iterable[Source]) -> None:
    """Run each file inside the transaction that the connection is in."""
    for source in sources:
        try:
            connection.execute(source.text.encode())
        except psycopg.Error as fault:
            raise MigrationFailed(f"{source.name}{_line(source, fault)}: {_reason(fault)}") from None


def _line(source: Source, fault: psycopg.Error) -> str:
    position = fault.diag.statement_position
    if position is None:
        return ""
    return f" line {source.text.count(chr(10), 0, int(position) - 1) + 1}"


def _reason(fault: psycopg.Error) -> str:
    parts = (fault.diag.message_primary, fault.diag.message_hint, fault.diag.context)
    return "; ".join(part for part in parts if part) or type(fault).__name__
