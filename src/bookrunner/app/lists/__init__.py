"""Lists as files: what a filter shows, as CSV and XLSX, with a manifest that names both by their digest."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from bookrunner.app.examination.tables import CsvTable
from bookrunner.app.lists.sheets import Sheet
from bookrunner.core import clock
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.core.log import tell
from bookrunner.db import Database, Keeper, Within, load, stepped

FORMAT: Final = "bookrunner/list/1"
LISTS: Final[Mapping[str, str]] = {
    "accesses": "Who viewed whose data, and when; the access log says why.",
    "breaks": "Differences between the books, with who answered; their pages say what.",
    "events": "The history, event by event in the order of the feed.",
    "holdings": "The master securityholder file now.",
    "investments": "Investments with their stages.",
    "receipts": "What the bank says has arrived.",
    "refunds": "Money on its way back.",
    "timeline": "The records that name one person, or an investment, receipt, transfer or trade of theirs;"
    " it needs a person.",
}
_LOGIN: Final = "audit"


@dataclass(frozen=True, slots=True)
class Filter:
    """What of a list is wanted; what is None filters nothing, and the time ends before ``until``."""

    offering: str | None = None
    person: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows of a list under a filter; ``gaps`` are what the person's records lack, filter or not."""

    name: str
    by: Filter
    rows: Sequence[Mapping[str, Any]]
    gaps: Sequence[str]


@dataclass(frozen=True, slots=True)
class Exported:
    """What was taken: the id under which it is on record, its rows, and what the person's records lack."""

    export: str
    rows: int
    gaps: Sequence[str]


def listed(database: Database, name: str, by: Filter, most: int | None = None) -> Listed:
    """Read the rows of a list under a filter, the first ``most`` or all.

    Raises UnknownRecord ``list_is_known``; refuses ``timeline_is_of_a_person``.
    """
    _refuse_unknown(name, by)
    with Keeper(database, _LOGIN, __package__).together() as of:
        return Listed(name, by, getattr(of, name)(**asdict(by), most=most), _gaps(of, name, by))


def export(database: Database, name: str, by: Filter, to: IO[bytes], *, actor: str) -> Exported:
    """Write a zip of a list as CSV and XLSX, in which no text is a formula, and of its manifest.

    That the actor takes it is on record before a row is read. Rows are read and written one after the other.
    Raises as `listed`, and refuses ``list_fits_a_sheet``.
    """
    _refuse_unknown(name, by)
    keeper, taken = Keeper(database, _LOGIN, __package__), new_id("lst")
    keeper.take_list(actor=actor, export=taken, listing=name, **asdict(by))
    made_at = clock.now()
    with tempfile.TemporaryDirectory(prefix=".bkr-list-") as room:
        paths = [Path(room) / f"{name}.csv", Path(room) / f"{name}.xlsx"]
        with keeper.together() as of:
            rows = _written(of, (name, by), paths, made_at)
            gaps = _gaps(of, name, by)
        manifest = {
            "format": FORMAT,
            "export": taken,
            "list": name,
            "filter": {key: _said(value) for key, value in asdict(by).items() if value is not None},
            "made_at": _said(made_at),
            "taken_by": actor,
            "rows": rows,
            "gaps": gaps,
            "files": [_digest(path) for path in paths],
        }
        raw = json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path in paths:
                zipped.write(path, path.name)
            zipped.writestr("manifest.json", raw)
    tell("a list is exported", kind=name, rows=rows)
    return Exported(taken, rows, gaps)


def _written(of: Within, asked: tuple[str, Filter], to: Sequence[Path], made_at: datetime) -> int:
    """Write the rows to a CSV and an XLSX file as the server hands them over; return how many there were."""
    name, by = asked
    query, count = getattr(load(__package__), name), 0
    with (
        to[0].open("w", encoding="utf-8", newline="") as file,
        stepped(of.transaction, query, **asdict(by), most=None) as (names, rows),
    ):
        table, sheet = CsvTable(file, names), Sheet(to[1], names, made_at)
        try:
            for row in rows:
                table.add(row)
                sheet.add(row)
                count += 1
        finally:
            sheet.close()
    return count


def _gaps(of: Within, name: str, by: Filter) -> Sequence[str]:
    if name != "timeline":
        return ()
    return [f"{row['subject']}: {row['lacks']}" for row in of.gaps(person=by.person)]


def _refuse_unknown(name: str, by: Filter) -> None:
    if name not in LISTS:
        raise UnknownRecord("list_is_known", f"there is no list {name}; known: {', '.join(LISTS)}")
    if name == "timeline" and by.person is None:
        raise Refused("timeline_is_of_a_person", "name the investor")


def _digest(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": path.name, "bytes": path.stat().st_size, "sha256": digest}


def _said(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
