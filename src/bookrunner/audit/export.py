"""Writes the history into one file that proves itself without a database.

``history.jsonl`` has one RFC 8785 record a line: a header; the events sorted by scope, subject and version;
each seal followed by its leaves; a manifest with the counts and the SHA-256 of every byte before it. An
export of one scope keeps only that scope's leaves, each with the proof that leads to the seal's Merkle root.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import BinaryIO, cast

from bookrunner.audit.errors import FileUnusable
from bookrunner.audit.merkle import Leaf, inclusion_proofs, merkle_root
from bookrunner.db import Database, load

FORMAT = "bookrunner/history/1"

Row = Mapping[str, object]

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export holds: counts, size in bytes and the digest that its manifest carries."""

    path: Path
    events: int
    seals: int
    size_bytes: int
    sha256: str


def line(record: Row) -> bytes:
    """Return a record's line. With ASCII names and no fraction in it this is its RFC 8785 form."""
    return _encode(record).encode() + b"\n"


class HistoryWriter:
    """Writes the records of one export in order and counts and hashes them on the way."""

    def __init__(self, file: BinaryIO, scope: str | None = None) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.events = self.seals = self.size_bytes = 0
        self._write({"type": "header", "format": FORMAT, "scope": scope})

    def event(self, row: Row) -> None:
        """Write one event: its text, the two hashes, and the name by which a damaged text is still known."""
        names = {name: row[name] for name in ("canonical", "kind", "scope", "subject", "version")}
        hashes = {name: cast("bytes", row[name]).hex() for name in ("hash", "prev_hash")}
        self._write({"type": "event", **names, **hashes})
        self.events += 1

    def seal(self, row: Row, merkle: bytes | None = None) -> None:
        """Write a seal; ``merkle`` is its Merkle root when not all of its leaves will follow."""
        numbers = {
            name: row[name] for name in ("seal_no", "first_seq", "last_seq", "leaf_count", "sealed_at")
        }
        roots = {name: cast("bytes", row[name]).hex() for name in ("prev_root", "root")}
        part = {} if merkle is None else {"merkle_root": merkle.hex()}
        self._write({"type": "seal", **numbers, **roots, **part})
        self.seals += 1

    def leaf(self, leaf: Leaf, place: tuple[int, list[bytes]] | None = None) -> None:
        """Write a leaf of the last seal; ``place`` is its position and path when others are left out."""
        proof = {} if place is None else {"position": place[0], "proof": [step.hex() for step in place[1]]}
        names = {"scope": leaf.scope, "subject": leaf.subject, "version": leaf.version}
        self._write({"type": "leaf", **names, "head": leaf.head.hex(), **proof})

    def close(self) -> str:
        """Write the manifest and return the digest in it."""
        digest = self._digest.hexdigest()
        self._write({"type": "manifest", "events": self.events, "seals": self.seals, "sha256": digest})
        return digest

    def _write(self, record: Row) -> None:
        written = line(record)
        self._file.write(written)
        self._digest.update(written)
        self.size_bytes += len(written)


def export_history(database: Database, target: Path, scope: str | None = None) -> ExportSummary:
    """Write the history, or that of one scope, as of one moment into ``target`` or ``target/history.jsonl``.

    The file appears whole or not at all. Memory does not grow with the history; an export of one scope holds
    the leaf hashes of one seal at a time. Raises FileUnusable when the file cannot be written, or when what
    stands there is no regular file and would be replaced.
    """
    try:
        path = target / "history.jsonl" if target.is_dir() else target
        if path.exists() and not path.is_file():
            raise FileUnusable(f"{path} is no regular file")
        return _export(database, path, scope)
    except OSError as fault:
        raise FileUnusable(f"{target} cannot be written: {fault.strerror}") from None


def write_verifier(folder: Path) -> Path:
    """Write the verifier that needs nothing but Python as ``verify_history.py``; raises FileUnusable."""
    path = folder / "verify_history.py"
    try:
        path.write_bytes(Path(__file__).with_name("standalone.py").read_bytes())
    except OSError as fault:
        raise FileUnusable(f"{path} cannot be written: {fault.strerror}") from None
    return path


def _export(database: Database, path: Path, scope: str | None) -> ExportSummary:
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("wb") as file, database.transaction("audit") as transaction:
            load(__package__).one_snapshot(transaction)
            load(__package__).unhurried(transaction)
            writer = HistoryWriter(file, scope)
            for row in events(transaction, scope):
                writer.event(row)
            for seal, rows in seals(transaction):
                _write_seal(writer, seal, rows, scope)
            digest = writer.close()
        partial.replace(path)
    finally:
        with suppress(NotADirectoryError):
            partial.unlink(missing_ok=True)
    return ExportSummary(path, writer.events, writer.seals, writer.size_bytes, digest)


def events(transaction: object, scope: str | None = None) -> Iterator[Row]:
    """Yield the events of the transaction's moment, chain by chain, a thousand at a time."""
    queries = load(__package__)
    queries.open_events(transaction, scope=scope)
    return _rows(lambda: queries.next_events(transaction))


def seals(transaction: object) -> Iterator[tuple[Row, Iterator[Leaf]]]:
    """Yield each seal with its leaves; the leaves must be read before the next seal is taken."""
    queries = load(__package__)
    queries.open_leaves(transaction)
    rows = _rows(lambda: queries.next_leaves(transaction))
    for _, group in groupby(rows, key=lambda row: row["seal_no"]):
        first = next(group)
        # A seal without leaves comes as one row that has only the seal.
        told = () if first["head"] is None else chain([first], group)  # noqa: B031 - next() took one row
        yield first, (_leaf(row) for row in told)


def _rows(fetch: Callable[[], list[Row]]) -> Iterator[Row]:
    while batch := fetch():
        yield from batch


def _leaf(row: Row) -> Leaf:
    version, head = cast("int", row["version"]), cast("bytes", row["head"])
    return Leaf(str(row["scope"]), str(row["subject"]), version, head)


def _write_seal(writer: HistoryWriter, seal: Row, leaves: Iterator[Leaf], scope: str | None) -> None:
    if scope is None:
        writer.seal(seal)
        for leaf in leaves:
            writer.leaf(leaf)
        return
    digests: list[bytes] = []
    own: dict[int, Leaf] = {}
    for position, leaf in enumerate(leaves):
        digests.append(leaf.digest())
        if leaf.scope == scope:
            own[position] = leaf
    writer.seal(seal, merkle_root(digests))
    proofs = inclusion_proofs(digests, own)
    for position, leaf in own.items():
        writer.leaf(leaf, (position, proofs[position]))
