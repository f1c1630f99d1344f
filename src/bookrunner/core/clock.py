"""The only place that reads the wall clock."""

from __future__ import annotations

from datetime import UTC, date, datetime


def now() -> datetime:
    """Return this moment in UTC, with its zone."""
    return datetime.now(UTC)


def today() -> date:
    """Return this day in UTC."""
    return now().date()
