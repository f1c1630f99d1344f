"""The pack of a filing as a person, a spreadsheet and a program read it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bookrunner.core.errors import UnknownRecord
from bookrunner.core.money import Money, currency, grouped
from bookrunner.db import Keeper, Row

_COUNTS: Final = frozenset({"", "units", "investors", "holders"})
_COLUMNS: Final = (
    *("code", "sentence", "is_mandatory", "is_filled", "value", "unit", "source", "citation"),
    *("differs", "value_now"),
)
# A spreadsheet runs a cell that begins with one of these.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Pack:
    """One filing with the items of its form in their order."""

    filing: Row
    items: Sequence[Row]

    @property
    def differs(self) -> list[str]:
        """The codes of items whose value was kept and is another one today."""
        return [row["code"] for row in self.items if row["differs"]]

    @property
    def unfilled(self) -> list[str]:
        """The codes of mandatory items that nothing fills."""
        return [row["code"] for row in self.items if row["is_mandatory"] and row["value"] is None]


def pack_of(keeper: Keeper, offering: str | None, filing: str) -> Pack:
    """Return the pack of a filing, of one offer or of any; refuses ``filing_exists``."""
    found = list(keeper.filings(offering=offering, filing=filing))
    if not found:
        raise UnknownRecord("filing_exists", f"there is no filing {filing}")
    return Pack(found[0], list(keeper.filing_pack(offering=found[0]["offering_id"], filing=filing)))


def shown_value(row: Row, *, now: bool = False) -> str:
    """Return a value, or today's, as people read it: money in its currency, empty while it is unfilled."""
    value, unit = (row["value_now"], row["unit_now"]) if now else (row["value"], row["unit"])
    if value is None:
        return ""
    if unit in _COUNTS:
        return f"{value} {unit}".rstrip()
    return grouped(int(value), unit)


def told_value(value: str | None, unit: str) -> str | None:
    """Return a value as a program reads it: money as a decimal text, counts and words as they are."""
    if value is None or unit in _COUNTS:
        return value
    return Money(int(value), currency(unit)).format()


def as_json(pack: Pack) -> str:
    """Return the pack as one JSON document; money as a decimal text with its currency.

    Of a prepared or filed filing the values are those that were kept, and ``value_now`` today's where it
    differs.
    """
    head = pack.filing
    told = {
        "filing": head["filing_id"],
        "offer": head["offering_id"],
        "form": head["form"],
        "clock": head["clock"],
        "state": head["place"] or None,
        "status": head["status"],
        "fact_on": _day(head["fact_on"]),
        "fact_source": head["fact_source"],
        "due_on": _day(head["due_on"]),
        "rule": head["rule_id"],
        "rule_version": head["rule_version"],
        "citation": head["citation"],
        "missed": head["is_missed"],
        "filed_on": _day(head["filed_on"]),
        "reference": head["reference"],
        "proof_sha256": head["proof"],
        "unfilled": pack.unfilled,
        "differs": pack.differs,
        "items": [_told(row) for row in pack.items],
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def as_csv(pack: Pack) -> str:
    """Return the items as CSV (RFC 4180), one a line; values as in `as_json`."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(("form", "due_on", *_COLUMNS))
    head = pack.filing
    for row in pack.items:
        told = _told(row)
        cells = [str(told[name] if told[name] is not None else "") for name in _COLUMNS]
        writer.writerow((head["form"], _day(head["due_on"]) or "", *map(_plain, cells)))
    return written.getvalue()


def _told(row: Row) -> dict[str, object]:
    return {
        "code": row["code"],
        "sentence": row["sentence"],
        "is_mandatory": row["is_mandatory"],
        "is_filled": row["value"] is not None,
        "value": told_value(row["value"], row["unit"]),
        "unit": row["unit"],
        "source": row["source"],
        "citation": row["citation"],
        "differs": row["differs"],
        "value_now": told_value(row["value_now"], row["unit_now"]) if row["differs"] else None,
    }


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _day(day: object) -> str | None:
    return None if day is None else str(day)
