"""What the closing console shows, read in one transaction of the engine's login."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import accumulate
from typing import Any

from bookrunner.core.errors import NotFound
from bookrunner.db import Database, load
from bookrunner.engine.gates import GATES, keeper_mask, mask

Row = Mapping[str, Any]

PAGE_ROWS = 25
_LEFT, _RIGHT, _TOP, _BOTTOM = 10, 630, 30, 190

# The name of a count, its title, what it says, and the conditions that it counts as bits.
COUNTS = (
    ("profile", "Profile", "complete in the portal", keeper_mask("portal")),
    ("compliance", "Compliance", "cleared", keeper_mask("compliance")),
    ("subscription", "Subscription", "executed and approved", keeper_mask("subscription")),
    ("treasury", "Treasury", "received and cleared", keeper_mask("treasury")),
    ("registry", "Registry", "registered in the file", mask("holding_is_registered")),
)
MASKS = {name: mask for name, _, _, mask in COUNTS}
TONES = {
    "proposed": ("waiting", "wait"),
    "frozen": ("progress", "calm"),
    "issued": ("progress", "calm"),
    "released": ("progress", "calm"),
    "certified": ("confirmed", "good"),
    "abandoned": ("cancelled", "grey"),
}


def console(database: Database, offering: str, keeper: str, page: int) -> dict[str, object]:
    """Return the facts of the console; ``keeper`` filters the missing investments, ``page`` starts at 1.

    Raises NotFound for an unknown offer.
    """
    queries = load("bookrunner.pages")
    shown = keeper if keeper in MASKS else ""
    with database.transaction("engine") as transaction:
        offers: Sequence[Row] = queries.offers(transaction, offering=offering)
        if not offers:
            raise NotFound(f"there is no offer {offering}")
        waiting: Sequence[Row] = queries.waiting(
            transaction,
            offering=offering,
            mask=MASKS.get(shown, GATES["issue"]),
            most=PAGE_ROWS,
            skip=(page - 1) * PAGE_ROWS,
        )
        money: Row = queries.buckets(transaction, offering=offering)
        read = {
            "breaks": queries.breaks(transaction, offering=offering),
            "deficiencies": list(queries.deficiencies(transaction, offering=offering)),
            "units": queries.units(transaction, offering=offering),
            "standing": queries.standing(transaction, offering=offering),
            "closings": queries.closings(transaction, offering=offering),
            "plot": plot(queries.cleared_by_day(transaction, offering=offering), money["total"]),
        }
    total = waiting[0]["total"] if waiting else 0
    return {
        **read,
        "offer": offers[0],
        "sentence": sentence(offers[0]),
        "counts": counts(offers[0]),
        "waiting": waiting,
        "waiting_title": title(shown, total),
        "total": total,
        "page": page,
        "pages": -(-total // PAGE_ROWS),
        "keeper": shown,
        "money": money,
        "tones": TONES,
    }


def counts(offer: Row) -> list[dict[str, object]]:
    """Return the five counts, each with how many investments it lacks."""
    return [
        {
            "name": name,
            "title": head,
            "says": says,
            "done": offer[name],
            "missing": offer["investments"] - offer[name],
        }
        for name, head, says, _ in COUNTS
    ]


def sentence(offer: Row) -> str:
    """Say in one sentence where the offer stands."""
    if not offer["investments"]:
        return "No investor has subscribed yet."
    return (
        f"{offer['registry']} of {offer['investments']} investments are registered, "
        f"{offer['issuable']} are ready to close."
    )


def title(keeper: str, total: int) -> str:
    """Head the list of investments that lack something."""
    noun = "investment" if total == 1 else "investments"
    return (
        f"Missing at {keeper}: {total} {noun}"
        if keeper
        else f"Missing: {total} {noun} not ready to be issued"
    )


def plot(days: Sequence[Row], target: int) -> dict[str, object]:
    """Return the points of cleared money over time on a plane of 640 by 220, in whole units of it."""
    sums = list(accumulate(row["amount_minor"] for row in days))
    top = max([target, *sums, 1])
    points = [
        {
            "day": row["day"].isoformat(),
            "amount_minor": row["amount_minor"],
            "sum_minor": so_far,
            "x": _across(row["day"], days[0]["day"], days[-1]["day"]),
            "y": _height(so_far, top),
        }
        for row, so_far in zip(days, sums, strict=True)
    ]
    return {
        "points": points,
        "line": _steps(points),
        "sum": sums[-1] if sums else 0,
        "target": target,
        "target_y": _height(target, top),
    }


def _across(day: date, first: date, last: date) -> int:
    span = (last - first).days
    return _RIGHT if span == 0 else _LEFT + (day - first).days * (_RIGHT - _LEFT) // span


def _height(amount: int, top: int) -> int:
    return _BOTTOM - amount * (_BOTTOM - _TOP) // top


def _steps(points: Sequence[Mapping[str, Any]]) -> str:
    corners, height = [f"{_LEFT},{_BOTTOM}"], _BOTTOM
    for point in points:
        corners += [f"{point['x']},{height}", f"{point['x']},{point['y']}"]
        height = point["y"]
    return " ".join(corners)
