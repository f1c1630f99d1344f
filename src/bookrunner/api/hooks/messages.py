"""What a message says: which event, of what, when; never what happened in it, so no personal data."""

from __future__ import annotations

import json
from typing import Final

from bookrunner.api.shapes.moments import instant
from bookrunner.db import Row

BODY_BYTES_MAX: Final = 20_000
THIN: Final = "application/json"
CLOUDEVENTS: Final = "application/cloudevents+json"
SOURCE: Final = "urn:bookrunner:feed"


def body_of(row: Row) -> tuple[str, bytes]:
    """Return content type and body of a message; every try of it has the same.

    ``form`` is ``thin`` (Standard Webhooks 1.0) or ``cloudevents`` (CloudEvents 1.0, structured; its sequence
    is a text of twenty digits, so that texts sort as numbers do).
    """
    data = {
        "scope": row["scope"],
        "subject": row["subject"],
        "sequence": row["seq"],
        "version": row["version"],
    }
    if row["form"] == "thin":
        return THIN, _written({"type": row["kind"], "timestamp": instant(row["occurred_at"]), "data": data})
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": row["delivery_id"],
        "source": SOURCE,
        "type": row["kind"],
        "subject": row["subject"],
        "time": instant(row["occurred_at"]),
        "datacontenttype": THIN,
        "data": data,
    }
    if row["seq"] is not None:
        event["sequence"] = f"{row['seq']:020}"
    return CLOUDEVENTS, _written(event)


def _written(said: dict[str, object]) -> bytes:
    return json.dumps(said, separators=(",", ":"), sort_keys=True).encode()
