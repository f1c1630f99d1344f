"""Lists as files: what a filter shows, as CSV and XLSX, with a manifest that names both by their digest."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from bookrunner.app.examination.tables import as_csv
from bookrunner.app.lists.sheets import as_xlsx
from bookrunner.core import clock
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.log import tell
from bookrunner.db import Database, load

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
    gaps: Sequence[str] = ()


def listed(database: Database, name: str, by: Filter, most: int | None = None) -> Listed:
    """Read the rows of a list under a filter, the first ``most`` or all.

    Raises UnknownRecord ``list_is_known``; refuses ``timeline_is_of_a_person``.
    """
    if name not in LISTS:
        raise UnknownRecord("list_is_known", f"there is no list {name}; known: {', '.join(LISTS)}")
    if name == "timeline" and by.person is None:
        raise Refused("timeline_is_of_a_person", "name the investor")
    with database.transaction(_LOGIN) as transaction:
        queries = load(__package__)
        rows = [dict(row) for row in getattr(queries, name)(transaction, **asdict(by), most=most)]
        gaps = queries.gaps(transaction, person=by.person) if name == "timeline" else ()
        return Listed(name, by, rows, [f"{row['subject']}: {row['lacks']}" for row in gaps])


def packed(found: Listed, *, actor: str) -> bytes:
    """Return a zip of the list as CSV and XLSX, in which no text is a formula, and of its manifest."""
    made_at = clock.now()
    files = {f"{found.name}.csv": as_csv(found.rows), f"{found.name}.xlsx": as_xlsx(found.rows, made_at)}
    manifest = {
        "format": FORMAT,
        "list": found.name,
        "filter": {name: _said(value) for name, value in asdict(found.by).items() if value is not None},
        "made_at": _said(made_at),
        "taken_by": actor,
        "rows": len(found.rows),
        "gaps": found.gaps,
        "files": [
            {"path": path, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in files.items()
        ],
    }
    raw = json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path, content in {**files, "manifest.json": raw.encode()}.items():
            zipped.writestr(path, content)
    tell("a list is exported", kind=found.name, rows=len(found.rows))
    return room.getvalue()


def _said(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
