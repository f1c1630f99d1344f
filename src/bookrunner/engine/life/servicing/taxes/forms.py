"""The boxes of tax forms as data files: one row per form, amounts as decimals of the year's currency."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence

from bookrunner.core.money import Money, currency
from bookrunner.db import Row

_HEAD = ("year", "form", "form_id", "offer", "recipient", "currency", "gross", "withheld", "net")


def boxes_of(row: Row) -> dict[str, str]:
    """Return the boxes of a form by their numbers, in the order of the form."""
    unit = currency(row["currency"])
    filled = {name: Money(int(minor), unit).format() for name, minor in row["amounts"].items()}
    return dict(sorted({**filled, **{name: text for name, text in row["codes"].items() if text}}.items()))


def as_json(rows: Sequence[Row]) -> str:
    """Return forms as JSON, each with its boxes."""
    return json.dumps([{**_head(row), "boxes": boxes_of(row)} for row in rows], indent=1) + "\n"


def as_csv(rows: Sequence[Row]) -> str:
    """Return forms as CSV, a line for each box, so that every form has the same columns."""
    text = io.StringIO()
    lines = csv.DictWriter(text, (*_HEAD, "box", "value"), lineterminator="\n")
    lines.writeheader()
    lines.writerows(_lines(rows))
    return text.getvalue()


def _lines(rows: Sequence[Row]) -> Iterator[Mapping[str, str]]:
    for row in rows:
        head = _head(row)
        yield from ({**head, "box": box, "value": value} for box, value in boxes_of(row).items())


def _head(row: Row) -> dict[str, str]:
    unit = currency(row["currency"])
    sums = {part: Money(int(row[f"{part}_minor"]), unit).format() for part in ("gross", "withheld", "net")}
    named = {"form": row["form"], "form_id": row["form_id"], "offer": row["offering_id"]}
    return {"year": str(row["year"]), **named, "recipient": row["investor_id"], "currency": unit.code, **sums}
