"""The ownership chart: who holds what of whom, in layers, as numbers for a drawing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]

BOX, HEIGHT, GAP, RISE = 208, 74, 20, 66
_LONGEST = 24


@dataclass(frozen=True, slots=True)
class Node:
    """A box of the drawing: its place, what it says, and the tone and icon of its state."""

    x: int
    y: int
    label: str
    says: str
    state: str
    tone: str
    owner: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from an owner up to what it owns, with the direct share beside it."""

    x1: int
    y1: int
    x2: int
    y2: int
    share: str


def percent(share_bp: Decimal | int) -> str:
    """Write basis points as a percentage, exactly: 2499.5 as ``24.995 %``."""
    text = f"{Decimal(share_bp) / 100:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def chart(investor: str, owners: Sequence[Row], shares: Sequence[Row]) -> dict[str, Any]:
    """Return boxes and lines; an owner stands below everything that it owns a part of.

    Who controls without a share stands in the first layer. Empty without owners.
    """
    if not owners:
        return {"nodes": [], "edges": [], "width": 0, "height": 0}
    layers = _layers(investor, owners, shares)
    rows: dict[int, list[str]] = defaultdict(list)
    for name, layer in layers.items():
        rows[layer].append(name)
    width = max(len(row) for row in rows.values()) * (BOX + GAP) + GAP
    places = {name: place for layer, row in rows.items() for name, place in _spread(row, layer, width)}
    known = {row["owner_id"]: row for row in owners}
    nodes = [_node(name, places[name], known.get(name)) for name in layers]
    edges = [
        Edge(
            places[row["owner_id"]][0] + BOX // 2,
            places[row["owner_id"]][1],
            places[row["owned_id"]][0] + BOX // 2,
            places[row["owned_id"]][1] + HEIGHT,
            percent(row["share_bp"]),
        )
        for row in shares
        if row["owner_id"] in places and row["owned_id"] in places
    ]
    return {
        "nodes": nodes,
        "edges": edges,
        "width": width,
        "height": (max(rows) + 1) * (HEIGHT + RISE) - RISE + 2,
    }


def _layers(investor: str, owners: Iterable[Row], shares: Sequence[Row]) -> dict[str, int]:
    """Return how far below the investor each stands: one more than the lowest thing that it owns."""
    owned = defaultdict(list)
    for row in shares:
        owned[row["owner_id"]].append(row["owned_id"])
    found = {investor: 0}

    def depth(name: str) -> int:
        # The database refuses cycles, so this ends.
        if name not in found:
            found[name] = 1 + max((depth(each) for each in owned[name]), default=0)
        return found[name]

    for row in owners:
        depth(row["owner_id"])
    return found


def _spread(row: Sequence[str], layer: int, width: int) -> Iterable[tuple[str, tuple[int, int]]]:
    space = width // len(row)
    for place, name in enumerate(row):
        yield name, (place * space + (space - BOX) // 2, layer * (HEIGHT + RISE) + 1)


def _node(name: str, place: tuple[int, int], row: Row | None) -> Node:
    label = name if len(name) <= _LONGEST else f"{name[:8]}…{name[-12:]}"
    if row is None:
        return Node(*place, label, "the investor", "", "calm", name)
    says = f"{percent(row['share_bp'])} of the whole"
    if row["controls"]:
        says += ", controls"
    state, tone = state_of(row)
    return Node(*place, label, says, state, tone, name)


def state_of(row: Row) -> tuple[str, str]:
    """Return the state of an owner in words, and its tone."""
    if row["is_hit"]:
        return "possible match on a list", "bad"
    if row["lacks"]:
        return "missing: " + ", ".join(row["lacks"]), "wait"
    if not row["must_be_known"]:
        return f"{row['status']}, below the threshold", "grey"
    return "verified and screened", "good"
