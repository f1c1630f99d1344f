"""Proves a history: an export without any database, or the live tables."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from bookrunner.audit.errors import FileUnusable, HistoryRule
from bookrunner.audit.export import FORMAT, Row, events, line, seals
from bookrunner.audit.merkle import Leaf
from bookrunner.audit.walk import Fault, Sealed, Told, Walk, event_name, is_nested_too_deep, shown
from bookrunner.core.errors import NotFound
from bookrunner.db import Database, load

LONGEST_LINE_BYTES = 16 * 1024 * 1024

_COLUMNS = ("kind", "scope", "subject", "version")
_LIVE_COLUMNS = (*_COLUMNS, "actor", "caused_by", "keeper", "occurred_at", "recorded_at", "request_id")
_LARGEST = 2**53 - 1
_HASH = re.compile(r"[0-9a-f]{64}")
# A name that a damaged line still shows: beside the text, or inside it.
_NAME = r'([^"\\\x00-\x1f\ufffd]+)'
_BESIDE = re.compile(rf'"subject":"{_NAME}","type":"event","version":([0-9]{{1,18}})\}}\n?$')
_INSIDE = re.compile(rf'\\"subject\\":\\"{_NAME}\\",\\"version\\":([0-9]{{1,18}})\}}"')
_KIND = re.compile(r'"kind\\?":\\?"([a-z_.]+)\\?"')


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found: the history is intact when ``ok``; counts are of what was read."""

    ok: bool
    events: int
    seals: int
    faults: tuple[Fault, ...]


def verify_export(path: Path, root: bytes | None = None) -> Verdict:
    """Check an export byte for byte with nothing but the file; see HistoryRule for what is checked.

    A file cannot show what was left out after its last seal; ``root`` (32 bytes), the newest that was
    published, on chain for example, shows that no seal is missing up to there. Raises NotFound when there is
    no file, FileUnusable when the system cannot read it.
    """
    reader = _Reader()
    try:
        if not path.is_file():
            raise NotFound(f"there is no file {path}")
        with path.open("rb") as file:
            reader.read(file)
    except OSError as fault:
        raise FileUnusable(f"{path} cannot be read: {fault.strerror}") from None
    if root is not None and root not in reader.walk.roots:
        reader.walk.fault(HistoryRule.ROOT_IS_PUBLISHED, "no seal has the root that was given")
    return _verdict(reader.walk)


def verify_history(database: Database) -> Verdict:
    """Check the live tables: all that an export shows, every column, and each record's head and chain.

    Events and seals are read as of one moment; each book's records are compared under its own login.
    """
    walk = Walk()
    queries = load(__package__)
    with database.transaction("audit") as transaction:
        queries.one_snapshot(transaction)
        queries.unhurried(transaction)
        for row in events(transaction):
            _check_live_event(walk, row)
        for seal, leaves in seals(transaction):
            walk.seal(_sealed(seal))
            for leaf in leaves:
                walk.leaf(leaf)
    heads = {
        "portal": queries.broken_heads_of_portal,
        "compliance": queries.broken_heads_of_compliance,
        "subscription": queries.broken_heads_of_subscription,
        "treasury": queries.broken_heads_of_treasury,
        "registry": queries.broken_heads_of_registry,
        "engine": queries.broken_heads_of_engine,
        "reconciliation": queries.broken_heads_of_reconciliation,
        "access": queries.broken_heads_of_api,
        "audit": queries.broken_heads_of_audit,
    }
    for login, broken_heads in heads.items():
        with database.transaction(login) as transaction:
            queries.unhurried(transaction)
            for row in broken_heads(transaction):
                detail = f"{row['machine']} in {shown(row['scope'])}"
                walk.fault(HistoryRule(row["rule"]), detail, event_name(row["subject"], row["version"]))
    return _verdict(walk)


def _verdict(walk: Walk) -> Verdict:
    faults = walk.end()
    return Verdict(not faults, walk.events, walk.seals, faults)


def _check_live_event(walk: Walk, row: Row) -> None:
    columns = {name: row[name] for name in _LIVE_COLUMNS}
    told = Told(str(row["canonical"]), cast("bytes", row["prev_hash"]), cast("bytes", row["hash"]), columns)
    walk.event(told)


def _sealed(row: Row) -> Sealed:
    return Sealed(
        seal_no=cast("int", row["seal_no"]),
        first_seq=cast("int", row["first_seq"]),
        last_seq=cast("int", row["last_seq"]),
        leaf_count=cast("int", row["leaf_count"]),
        sealed_at=str(row["sealed_at"]),
        prev_root=_bytes(row["prev_root"]),
        root=_bytes(row["root"]),
        merkle_root=_bytes(row["merkle_root"]) if "merkle_root" in row else None,
    )


class _Reader:
    """Reads an export line by line; the last line is held back, because the manifest covers all before it."""

    def __init__(self) -> None:
        self.walk = Walk()
        self._digest = hashlib.sha256()
        self._stage = ""
        self._number = 0

    def read(self, file: BinaryIO) -> None:
        """Check the whole file."""
        lines = iter(lambda: file.readline(LONGEST_LINE_BYTES), b"")
        held = next(lines, b"")
        for following in lines:
            self._take(held)
            self._digest.update(held)
            held = following
        self._manifest(held)

    def _take(self, raw: bytes) -> None:
        self._number += 1
        record = _record(raw)
        if self._number == 1:
            self._header(record)
            return
        if record is None:
            self._unreadable(raw)
            return
        kind = str(record["type"])
        if self._stage in _FOLLOWS.get(kind, ()):
            self._stage = kind
        else:
            self.walk.fault(HistoryRule.LINES_STAND_IN_ORDER, f"line {self._number}: {kind} is not due here")
        if kind == "event":
            columns = {name: record[name] for name in _COLUMNS}
            hashes = (_bytes(record["prev_hash"]), _bytes(record["hash"]))
            self.walk.event(Told(str(record["canonical"]), *hashes, columns))
        elif kind == "seal":
            self._check_seal(record)
        elif kind == "leaf":
            self._check_leaf(record)

    def _check_seal(self, record: Row) -> None:
        if ("merkle_root" in record) != (self.walk.scope is not None):
            self.walk.fault(HistoryRule.SEAL_COVERS_ITS_LEAVES, f"line {self._number}: not as the scope asks")
        self.walk.seal(_sealed(record))

    def _check_leaf(self, record: Row) -> None:
        place, head = (str(record["scope"]), str(record["subject"])), _bytes(record["head"])
        proof = [_bytes(step) for step in cast("list[str]", record.get("proof", []))]
        leaf = Leaf(*place, int(str(record["version"])), head)
        self.walk.leaf(leaf, int(str(record.get("position", 0))), proof)

    def _header(self, record: Row | None) -> None:
        if record is None or record["type"] != "header" or record["format"] != FORMAT:
            self.walk.fault(HistoryRule.HEADER_IS_KNOWN, f"the first line is no header of {FORMAT}")
            return
        scope = record["scope"]
        self.walk.scope = scope if isinstance(scope, str) else None

    def _manifest(self, raw: bytes) -> None:
        record = _record(raw)
        if record is None or record["type"] != "manifest" or not self._number:
            self._number += 1
            self._unreadable(raw)
            self.walk.fault(HistoryRule.LINES_STAND_IN_ORDER, "the last line is no manifest")
            return
        if (record["events"], record["seals"]) != (self.walk.events, self.walk.seals):
            found = f"{self.walk.events} events and {self.walk.seals} seals are here"
            self.walk.fault(HistoryRule.MANIFEST_COUNTS_ALL, found)
        if record["sha256"] != self._digest.hexdigest():
            self.walk.fault(HistoryRule.MANIFEST_COVERS_ALL, "the bytes before the manifest are others")

    def _unreadable(self, raw: bytes) -> None:
        self.walk.lose()
        for name, kind in _names(raw) or [("", "")]:
            detail = f"line {self._number}: {kind or 'a record'} cannot be read"
            self.walk.fault(HistoryRule.LINE_IS_WELL_FORMED, detail, name)


def _record(raw: bytes) -> dict[str, object] | None:
    """Return the record of a line, None unless the line is exactly how that record is written."""
    try:
        if is_nested_too_deep(raw.decode()):
            return None
        record = json.loads(raw)
        if not isinstance(record, dict) or line(record) != raw:
            return None
    except (ValueError, RecursionError):
        return None
    shape = next((s for s in _SHAPES.get(str(record.get("type")), ()) if s.keys() == record.keys()), None)
    if shape is None or not all(fits(record[name]) for name, fits in shape.items()):
        return None
    return record


def _names(raw: bytes) -> list[tuple[str, str]]:
    """Return the events that a damaged line still names, each with its kind when that can be read."""
    text = raw.decode("utf-8", "replace")
    kind = found.group(1) if (found := _KIND.search(text)) else ""
    matches: Iterator[re.Match[str]] = (m for pattern in (_INSIDE, _BESIDE) for m in pattern.finditer(text))
    return [(name, kind) for name in dict.fromkeys(event_name(m[1], int(m[2])) for m in matches)]


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else bytes.fromhex(str(value))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST


def _is_ordinal(value: object) -> bool:
    return _is_count(value) and value != 0


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def _is_proof(value: object) -> bool:
    return isinstance(value, list) and all(_is_hash(step) for step in value)


def _is_scope(value: object) -> bool:
    return value is None or isinstance(value, str)


_Shape = dict[str, Callable[[object], bool]]

_SEAL: _Shape = {
    "type": _is_text,
    "seal_no": _is_ordinal,
    "first_seq": _is_ordinal,
    "last_seq": _is_ordinal,
    "leaf_count": _is_ordinal,
    "sealed_at": _is_text,
    "prev_root": _is_hash,
    "root": _is_hash,
}
_LEAF: _Shape = {
    "type": _is_text,
    "scope": _is_text,
    "subject": _is_text,
    "version": _is_ordinal,
    "head": _is_hash,
}
_SHAPES: dict[str, tuple[_Shape, ...]] = {
    "header": ({"type": _is_text, "format": _is_text, "scope": _is_scope},),
    "event": (
        {
            "type": _is_text,
            "canonical": _is_text,
            "kind": _is_text,
            "scope": _is_text,
            "subject": _is_text,
            "version": _is_ordinal,
            "hash": _is_hash,
            "prev_hash": _is_hash,
        },
    ),
    "seal": (_SEAL, {**_SEAL, "merkle_root": _is_hash}),
    "leaf": (_LEAF, {**_LEAF, "position": _is_count, "proof": _is_proof}),
    "manifest": ({"type": _is_text, "events": _is_count, "seals": _is_count, "sha256": _is_hash},),
}
_FOLLOWS = {"event": ("", "event"), "seal": ("", "event", "seal", "leaf"), "leaf": ("seal", "leaf")}
