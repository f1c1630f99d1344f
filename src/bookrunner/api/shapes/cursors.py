"""Cursors of lists: the last id of a page, written so that nobody takes it apart."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query

from bookrunner.core.errors import Malformed

Cursor = Annotated[str | None, Query(max_length=200)]


def cursor_of(rows: Sequence[Mapping[str, Any]], place: str, limit: int) -> str | None:
    """Return the cursor behind a full page, by the column of its order; null at the end."""
    if len(rows) < limit:
        return None
    return base64.urlsafe_b64encode(str(rows[-1][place]).encode("ascii")).decode("ascii")


def place_of(cursor: str | None) -> str | None:
    """Return the id that a cursor stands for; refuses ``cursor_is_one_of_ours``."""
    if cursor is None:
        return None
    try:
        place = base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise Malformed("cursor_is_one_of_ours", "send next as it came") from None
    if "\0" in place:
        raise Malformed("cursor_is_one_of_ours", "send next as it came")
    return place
