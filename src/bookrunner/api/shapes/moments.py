"""Moments: RFC 3339 with a zone, read into UTC and written in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

_TEXT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def instant(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _is_text(said: object) -> object:
    """Let a text with its zone through; a number could be read as seconds of some epoch."""
    if not isinstance(said, str) or _TEXT.fullmatch(said) is None:
        raise ValueError("a moment is an RFC 3339 text with its zone")
    return said


def _in_utc(moment: datetime) -> datetime:
    """Leave the zone behind: PostgreSQL knows fewer of them than RFC 3339 has."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a moment lies in the years 1 to 9999 of UTC") from None


Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_is_text), AfterValidator(_in_utc)]
