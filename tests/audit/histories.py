"""Histories made without a database, by the same writer that exports use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import rfc8785

from bookrunner.audit import HistoryWriter
from bookrunner.audit.merkle import FIRST_ROOT, Leaf, chained_root, inclusion_proofs, merkle_root
from bookrunner.audit.walk import genesis

INSTANT = "2026-01-05T10:00:00.000000Z"


def chain(scope: str, subject: str, length: int) -> Iterator[dict[str, object]]:
    """Yield the events of one chain, as the rows of the event table would be."""
    previous = genesis(subject)
    for version in range(1, length + 1):
        body = {
            "actor": "usr_1",
            "caused_by": None if version == 1 else f"{subject}@{version - 1}",
            "keeper": "engine",
            "kind": "offer.open" if version == 1 else "offer.amend",
            "occurred_at": INSTANT,
            "payload": {"name": 'Zürich "A"\n', "status": "draft", "units_total": 1000 + version},
            "recorded_at": INSTANT,
            "request_id": f"req_{version}",
            "scope": scope,
            "subject": subject,
            "version": version,
        }
        text = rfc8785.dumps(body).decode()
        digest = hashlib.sha256(previous + text.encode()).digest()
        columns = {name: body[name] for name in ("kind", "scope", "subject", "version")}
        yield {**columns, "canonical": text, "prev_hash": previous, "hash": digest}
        previous = digest


def write(path: Path, chains: Sequence[tuple[str, str, int]], seals: int = 2) -> Path:
    """Write a whole history; each seal takes one more version of every chain, the last seal the heads."""
    told = {key: list(chain(*key)) for key in sorted(chains)}
    with path.open("wb") as file:
        writer = HistoryWriter(file)
        for rows in told.values():
            for row in rows:
                writer.event(row)
        previous, seq = FIRST_ROOT, 0
        for number in range(1, seals + 1):
            heads = [
                rows[-1] if number == seals else rows[min(number, len(rows)) - 1] for rows in told.values()
            ]
            leaves = [Leaf(h["scope"], h["subject"], h["version"], h["hash"]) for h in heads]  # type: ignore[arg-type]
            merkle = merkle_root(leaf.digest() for leaf in leaves)
            root = chained_root(previous, merkle, (number, seq + 1, seq + 10, len(leaves)), INSTANT)
            numbers = {
                "seal_no": number,
                "first_seq": seq + 1,
                "last_seq": seq + 10,
                "leaf_count": len(leaves),
            }
            writer.seal({**numbers, "sealed_at": INSTANT, "prev_root": previous, "root": root})
            for leaf in leaves:
                writer.leaf(leaf)
            previous, seq = root, seq + 10
        writer.close()
    return path


def scoped(path: Path, chains: Sequence[tuple[str, str, int]], scope: str) -> Path:
    """Write the history of one scope, under one seal that covers the heads of all."""
    told = {key: list(chain(*key)) for key in sorted(chains)}
    with path.open("wb") as file:
        writer = HistoryWriter(file, scope)
        for row in (row for key, rows in told.items() if key[0] == scope for row in rows):
            writer.event(row)
        leaves = [
            Leaf(scope_, subject, len(rows), cast("bytes", rows[-1]["hash"]))
            for (scope_, subject, _), rows in told.items()
        ]
        digests = [leaf.digest() for leaf in leaves]
        merkle = merkle_root(digests)
        numbers = {"seal_no": 1, "first_seq": 1, "last_seq": 9, "leaf_count": len(leaves)}
        root = chained_root(FIRST_ROOT, merkle, (1, 1, 9, len(leaves)), INSTANT)
        writer.seal({**numbers, "sealed_at": INSTANT, "prev_root": FIRST_ROOT, "root": root}, merkle)
        own = [at for at, leaf in enumerate(leaves) if leaf.scope == scope]
        for at, proof in inclusion_proofs(digests, own).items():
            writer.leaf(leaves[at], (at, proof))
        writer.close()
    return path


def resigned(lines: Sequence[bytes]) -> bytes:
    """Return a file of these lines whose manifest was made to fit: only the history itself can betray it."""
    body = b"".join(lines)
    records = [json.loads(raw) for raw in lines]
    counts = {
        "events": sum(r["type"] == "event" for r in records),
        "seals": sum(r["type"] == "seal" for r in records),
    }
    manifest = {"type": "manifest", **counts, "sha256": hashlib.sha256(body).hexdigest()}
    return body + rfc8785.dumps(manifest) + b"\n"
