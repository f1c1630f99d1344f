"""Rules as dated rows in files beside the code."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib.resources import files
from io import StringIO
from typing import Protocol, TypeVar

from bookrunner.core.errors import Refused


class Dated(Protocol):
    """A row that is in force from a day."""

    @property
    def valid_from(self) -> date:
        """The first day on which the row is in force."""


Row = TypeVar("Row", bound=Dated)


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of one table, by column."""
    text = (files(__package__) / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(StringIO(text)))


def in_force(candidates: Iterable[Row], on: date) -> Row:
    """Return the youngest row in force on a day; refuses ``rule_is_in_force`` when there is none."""
    valid = [row for row in candidates if row.valid_from <= on]
    if not valid:
        raise Refused("rule_is_in_force", f"no row on {on.isoformat()}")
    return max(valid, key=lambda row: row.valid_from)
