"""A system that is not ours against our books: its export, a mapping of its columns, and what differs.

A mapping is TOML: ``book`` names one of `BOOKS`, and ``[columns]`` says which column of the export
is which of ours, an identifier first. So a portal, an administrator or an agent can be compared before
anything of it is replaced.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bookrunner.core.errors import Malformed
from bookrunner.core.money import parse

IDENTIFIERS: Final = ("investment_id", "investor_id", "reference", "address")
BOOKS: Final[Mapping[str, frozenset[str]]] = {
    "investments": frozenset({"investment_id", "investor_id", "units", "amount", "status"}),
    "payments": frozenset({"investment_id", "reference", "amount"}),
    "wallets": frozenset({"investor_id", "address"}),
    "holdings": frozenset({"investor_id", "address", "units"}),
}
# A comma groups thousands and nothing else: 1234,56 is no amount that is read a hundred times too large.
_GROUPED: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_MOST_ROWS, _LEAST_COLUMNS = 1_000_000, 2


@dataclass(frozen=True, slots=True)
class Mapped:
    """Which book an export is of, which of our columns names a record, and their column for each of ours."""

    book: str
    key: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outside:
    """What a comparison found: how many records are equal, the rest by id.

    ``different`` holds (id, column, ours, theirs); amounts are in minor units. ``repeated`` are ids that
    several of our records have, each of which is compared; ``without_id`` says of our records that have none
    what else they say.
    """

    equal: int
    only_ours: Sequence[str]
    only_theirs: Sequence[str]
    different: Sequence[tuple[str, str, str, str]]
    repeated: Sequence[str]
    without_id: Sequence[str]

    @property
    def agrees(self) -> bool:
        """Whether every record is on both sides and says the same."""
        return not any((self.only_ours, self.only_theirs, self.different, self.repeated, self.without_id))


def read_mapping(raw: bytes) -> Mapped:
    """Read a mapping; raises Malformed ``mapping_is_readable`` with what is wrong about it."""
    try:
        said = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise Malformed("mapping_is_readable", "the mapping is no TOML in UTF-8") from fault
    book, columns = said.get("book"), said.get("columns")
    if not isinstance(book, str) or book not in BOOKS:
        raise Malformed("mapping_is_readable", f"book is one of {', '.join(BOOKS)}")
    if not isinstance(columns, dict) or not all(isinstance(theirs, str) for theirs in columns.values()):
        raise Malformed("mapping_is_readable", "[columns] says ours = theirs")
    if unknown := sorted(set(columns) - BOOKS[book]):
        raise Malformed("mapping_is_readable", f"{book} has no column {unknown[0]}")
    key = next(iter(columns), "")
    if key not in IDENTIFIERS or len(columns) < _LEAST_COLUMNS:
        raise Malformed(
            "mapping_is_readable", "the first column names a record, and others say something of it"
        )
    return Mapped(book, key, columns)


def read_export(raw: bytes, mapped: Mapped, currency: str) -> dict[str, dict[str, str]]:
    """Read an export into our columns by id.

    Amounts are read in major units of the currency and kept in minor ones. Raises Malformed
    ``export_is_readable``, ``export_has_its_columns``, ``export_names_each_record_once`` and
    ``export_value_is_exact``.
    """
    try:
        rows = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        missing = [theirs for theirs in mapped.columns.values() if theirs not in (rows.fieldnames or ())]
        if missing:
            raise Malformed("export_has_its_columns", f"the export has no column {missing[0]}")
        return dict(_records(rows, mapped, currency))
    except (UnicodeDecodeError, csv.Error) as fault:
        raise Malformed("export_is_readable", "the export is no CSV in UTF-8") from fault


def _records(
    rows: csv.DictReader[str], mapped: Mapped, currency: str
) -> Iterator[tuple[str, dict[str, str]]]:
    seen: set[str] = set()
    for row in rows:
        said = {ours: _spelled(ours, row[theirs], currency) for ours, theirs in mapped.columns.items()}
        name = said[mapped.key]
        if not name or name in seen:
            raise Malformed("export_names_each_record_once", f"line {rows.line_num} names no new record")
        if len(seen) == _MOST_ROWS:
            raise Malformed("export_is_readable", f"the export has more than {_MOST_ROWS} records")
        seen.add(name)
        yield name, said


def _spelled(column: str, value: str | None, currency: str) -> str:
    text = (value or "").strip()
    if column in {"units", "amount"} and _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if column == "address":
        return text.lower().removeprefix("0x")
    if column == "units":
        if not text.isascii() or not text.isdigit():
            raise Malformed("export_value_is_exact", "units are whole numbers")
        return str(int(text))
    if column == "amount":
        return str(parse(text, currency).minor)
    return text


def compare(
    ours: Sequence[Mapping[str, object]], theirs: Mapping[str, Mapping[str, str]], mapped: Mapped
) -> Outside:
    """Compare our records with those of an export, by the key of the mapping."""
    here: dict[str, list[Mapping[str, object]]] = {}
    for row in ours:
        if row[mapped.key] is not None:
            here.setdefault(str(row[mapped.key]), []).append(row)
    different = [
        (name, column, str(row[column]), said[column])
        for name, said in theirs.items()
        for row in here.get(name, ())
        for column in mapped.columns
        if column != mapped.key and str(row[column]) != said[column]
    ]
    both, repeated = here.keys() & theirs.keys(), [name for name, rows in here.items() if len(rows) > 1]
    return Outside(
        equal=len(both - {name for name, *_ in different} - set(repeated)),
        only_ours=sorted(here.keys() - both),
        only_theirs=sorted(theirs.keys() - both),
        different=different,
        repeated=sorted(repeated),
        without_id=sorted(
            ", ".join(f"{column} {value}" for column, value in row.items() if value is not None)
            for row in ours
            if row[mapped.key] is None
        ),
    )
