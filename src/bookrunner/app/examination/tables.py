"""Tables of a bundle, twice each: CSV in which no text is a formula, JSON as it was kept."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

Line = Mapping[str, Any]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_HEAD: Final = frozenset(
    {
        "machine",
        "record",
        "scope",
        "first_recorded_at",
        "record_version",
        "last_recorded_at",
        "last_actor",
    }
)
_NAMES: Final = ("scope", "subject", "version", "kind", "keeper", "actor", "request_id", "caused_by")
_TOLD: Final = (*_NAMES, "occurred_at", "recorded_at", "payload")
_NUMBER: Final = frozenset("0123456789-.")


class CsvTable:
    """Writes a head of names and then line after line as CSV, in which no text is a formula."""

    def __init__(self, to: TextIO, names: Sequence[str]) -> None:
        # With both signs in the end of a line, a text that has either is quoted and begins no line.
        self._table = csv.writer(to, lineterminator="\r\n")
        self._names = names
        self._table.writerow(names)

    def add(self, line: Line) -> None:
        """Write one line; what it does not name stays empty."""
        self._table.writerow([_cell(line.get(name)) for name in self._names])


def as_csv(lines: Sequence[Line]) -> bytes:
    """Return lines as CSV with a head of every name in them.

    A text that a spreadsheet would run begins with an apostrophe; a plain number stays one.
    """
    written = io.StringIO(newline="")
    table = CsvTable(written, list(dict.fromkeys(name for line in lines for name in line)))
    for line in lines:
        table.add(line)
    return written.getvalue().encode()


def as_json(lines: Sequence[Line]) -> bytes:
    """Return lines as a JSON array, one line each."""
    told = (json.dumps(_plain(line), ensure_ascii=False, sort_keys=True) for line in lines)
    return ("[\n" + ",\n".join(told) + "\n]\n").encode()


class Past:
    """The records of an exported history as they stood at the end of a period, and the changes in it.

    ``damaged`` names the events whose text is none any more, as RECORD@VERSION: what they told is missing.
    """

    def __init__(self, history: Path, since: datetime, until: datetime) -> None:
        """Read every event of the file that was recorded before the end."""
        self.records: dict[str, list[Line]] = defaultdict(list)
        self.changes: dict[str, list[Line]] = defaultdict(list)
        self.damaged: list[str] = []
        self.head: Line = {}
        stands: dict[tuple[str, str], dict[str, Any]] = {}
        with history.open(encoding="utf-8") as lines:
            for line in lines:
                told = json.loads(line)
                if told["type"] == "seal":
                    self.head = told
                if told["type"] != "event":
                    continue
                event = _readable(told["canonical"])
                if event is None:
                    self.damaged.append(f"{told['subject']}@{told['version']}")
                    continue
                moment = datetime.fromisoformat(event["recorded_at"])
                if moment < until:
                    self._lay(stands, event, is_change=moment >= since)
        for record in stands.values():
            self.records[record.pop("machine")].append(record)

    def _lay(self, stands: dict[tuple[str, str], dict[str, Any]], event: Line, *, is_change: bool) -> None:
        machine = str(event["kind"]).partition(".")[0]
        found = stands.setdefault(
            (event["scope"], event["subject"]),
            {
                "machine": machine,
                "record": event["subject"],
                "scope": event["scope"],
                "first_recorded_at": event["recorded_at"],
            },
        )
        found |= {
            "record_version": event["version"],
            "last_recorded_at": event["recorded_at"],
            "last_actor": event["actor"],
        }
        # What a record says never takes the place of what the history says of it.
        found |= {f"said_{name}" if name in _HEAD else name: said for name, said in event["payload"].items()}
        if is_change:
            self.changes[machine].append({name: event[name] for name in _TOLD})


def _readable(canonical: str) -> Line | None:
    """Return what an event tells, or None where its text is damaged."""
    try:
        event = json.loads(canonical)
        datetime.fromisoformat(event["recorded_at"])
    except (ValueError, TypeError, KeyError):
        return None
    found: Line = event
    return found if all(name in found for name in _TOLD) and isinstance(found["payload"], dict) else None


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a field says
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | bool | None) else str(value)


def _cell(value: object) -> str:
    plain = _plain(value)
    if plain is None:
        return ""
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, sort_keys=True)
    return f"'{text}" if text.startswith(_FORMULA) and not set(text) <= _NUMBER else text
