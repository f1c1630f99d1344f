"""Gives committed events their place in the feed and seals the chain heads that the feed has reached."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bookrunner.audit.merkle import FIRST_ROOT, Leaf, chained_root, merkle_root
from bookrunner.db import Database, load

BATCH = 1000
SEALED_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Seal:
    """One seal over the feed from ``first_seq`` to ``last_seq``; ``leaves`` counts the chains in it."""

    seal_no: int
    first_seq: int
    last_seq: int
    leaves: int
    root: bytes


def advance_feed(database: Database) -> int:
    """Move every committed event that waits into the feed, and return how many there were.

    Each batch is a transaction of its own.
    """
    moved = 0
    while True:
        with database.statement("audit") as connection:
            batch: int = load(__package__).advance_feed(connection, most=BATCH)
        if not batch:
            return moved
        moved += batch


def seal(database: Database, *, at_once: int = SEALED_AT_ONCE) -> Seal | None:
    """Seal the chain heads that the feed has reached since the last seal, and return the last seal made.

    None when there is nothing to seal. A seal covers at most ``at_once`` places of the feed, so that
    neither its transaction nor its memory grows with what has piled up. Two sealers at once wait for each
    other: reading the heads locks the mark of the last seal.
    """
    last: Seal | None = None
    while made := _seal_next(database, at_once):
        last = made
    return last


def _seal_next(database: Database, most: int) -> Seal | None:
    queries = load(__package__)
    with database.transaction("audit") as transaction:
        heads = queries.unsealed_heads(transaction, most=most)
        if not heads:
            return None
        leaves = [Leaf(row["scope"], row["subject"], row["version"], row["head"]) for row in heads]
        number, previous, sealed_at = queries.next_seal(transaction).values()
        first, last = heads[0]["first_seq"], heads[0]["last_seq"]
        merkle = merkle_root(leaf.digest() for leaf in leaves)
        root = chained_root(previous or FIRST_ROOT, merkle, (number, first, last, len(leaves)), sealed_at)
        told = {"number": number, "first": first, "last": last, "root": root, "sealed_at": sealed_at}
        queries.record_seal(transaction, **told, leaves=_as_json(leaves))
    return Seal(number, first, last, len(leaves), root)


def _as_json(leaves: list[Leaf]) -> str:
    return json.dumps(
        [
            {
                "scope": leaf.scope,
                "subject": leaf.subject,
                "version": leaf.version,
                "head": leaf.head.hex(),
            }
            for leaf in leaves
        ]
    )
