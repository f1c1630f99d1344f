"""The numbers of the pictures: places on a plane in whole units, made of counts and amounts alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

Row = Mapping[str, Any]

BUCKETS: Final = ("committed", "matched", "cleared", "released")
STAGES: Final = ("opened", "profile", "compliance", "subscription", "funding", "issuance")
LANES: Final = ("portal", "compliance", "subscription", "treasury", "registry")
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 10, 630, 20, 180
_NAMED: Final = 8
_LANE, _LABELS = 36, 110


def part(amount: int, whole: int, length: int) -> int:
    """Return how long an amount is drawn where the whole has a length, at least one for what is not none."""
    if amount <= 0 or whole <= 0:
        return 0
    return max(1, amount * length // whole)


def stacked(moved: Sequence[Row]) -> dict[str, Any]:
    """Return the exclusive states at the end of each day with their bars; a day sums to what stood then."""
    stands: dict[str, int] = dict.fromkeys(BUCKETS, 0)
    days: list[dict[str, Any]] = []
    by_day: dict[date, list[Row]] = defaultdict(list)
    for row in moved:
        by_day[row["day"]].append(row)
    for day in sorted(by_day):
        for row in by_day[day]:
            stands[row["bucket"]] += row["amount_minor"]
        days.append({"day": day.isoformat(), "stands": dict(stands), "total": sum(stands.values())})
    top = max((each["total"] for each in days), default=0)
    step = (_RIGHT - _LEFT) // max(1, len(days))
    for place, each in enumerate(days):
        height, bars = 0, []
        for bucket in BUCKETS:
            tall = part(each["stands"][bucket], top, _BOTTOM - _TOP)
            height += tall
            bars.append({"bucket": bucket, "y": _BOTTOM - height, "height": tall})
        each |= {"x": _LEFT + place * step, "width": max(2, min(step - 2, 48)), "bars": bars}
    return {"days": days, "top": top}


def funnel(counts: Row) -> list[dict[str, Any]]:
    """Return each stage with its count, its bar and how many were lost on the way to it."""
    first, before, found = counts["opened"], counts["opened"], []
    for place, stage in enumerate(STAGES):
        count = counts[stage]
        width = part(count, first, _RIGHT - _LEFT - _LABELS)
        found.append(
            {"stage": stage, "count": count, "lost": before - count, "y": 8 + place * 34, "width": width}
        )
        before = count
    return found


def flow(money: Row) -> dict[str, Any]:
    """Return the committed money as it flows on: each node's parts sum to it, and widths follow amounts."""
    cleared = money["cleared"] + money["released"]
    received = money["matched"] + cleared
    waiting = money["committed"] + money["instructed"]
    total = money["total"]
    columns = (
        (("committed", total),),
        (("received", received), ("not received", waiting)),
        (("cleared", cleared), ("not final", money["matched"])),
        (("released", money["released"]), ("in escrow", money["cleared"])),
    )
    nodes: dict[str, dict[str, Any]] = {}
    for column, lines in enumerate(columns):
        y = _TOP
        for name, amount in lines:
            height = part(amount, total, _BOTTOM - _TOP - 30)
            nodes[name] = {"name": name, "amount": amount, "x": 10 + column * 170, "y": y, "height": height}
            y += height + 30
    links = [
        _link(nodes[source], nodes[target], skipped)
        for source, target, skipped in (
            ("committed", "received", 0),
            ("committed", "not received", nodes["received"]["height"]),
            ("received", "cleared", 0),
            ("received", "not final", nodes["cleared"]["height"]),
            ("cleared", "released", 0),
            ("cleared", "in escrow", nodes["released"]["height"]),
        )
        if nodes[target]["height"]
    ]
    return {"nodes": [node for node in nodes.values() if node["height"]], "links": links, "total": total}


def _link(source: Row, target: Row, skipped: int) -> dict[str, Any]:
    x1, x2, middle = source["x"] + 14, target["x"], (source["x"] + 14 + target["x"]) // 2
    y1, y2, tall = source["y"] + skipped, target["y"], target["height"]
    path = (
        f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}V{y2 + tall}"
        f"C{middle} {y2 + tall} {middle} {y1 + tall} {x1} {y1 + tall}Z"
    )
    return {"path": path, "source": source["name"], "target": target["name"]}


def cap_table(holders: Sequence[Row], units_total: int) -> dict[str, Any]:
    """Return the holders as parts of one bar: the largest by name, the others, what is not issued."""
    lines = [{"name": row["investor_id"], "units": row["units"]} for row in holders[:_NAMED]]
    rest = holders[_NAMED:]
    if rest:
        lines.append({"name": f"{len(rest)} others", "units": sum(row["units"] for row in rest)})
    issued = sum(row["units"] for row in holders)
    lines.append({"name": "not issued", "units": max(0, units_total - issued)})
    x = _LEFT
    for place, line in enumerate(lines):
        width = part(line["units"], units_total, _RIGHT - _LEFT)
        share_bp = line["units"] * 10_000 // units_total if units_total else 0
        is_free = line["name"] == "not issued"
        line |= {"x": x, "width": width, "tone": "free" if is_free else f"t{place % 4}"}
        line["share"] = f"{share_bp // 100}.{share_bp % 100:02} %"
        x += width
    return {"lines": lines, "issued": issued, "total": units_total}


def heat(rows: Sequence[Row]) -> dict[str, Any]:
    """Return a cell for each comparison and day with its count and its shade, 0 to 4."""
    days = sorted({row["day"] for row in rows})
    names = list(dict.fromkeys(row["comparison"] for row in rows))
    most = max((row["breaks"] for row in rows), default=0)
    cells = [
        {
            "x": _LABELS + days.index(row["day"]) * 37,
            "y": 24 + names.index(row["comparison"]) * 30,
            "count": row["breaks"],
            "shade": 0 if row["breaks"] == 0 else 1 + (row["breaks"] - 1) * 3 // max(1, most - 1),
        }
        for row in rows
    ]
    lines = [
        {"name": name, "counts": [row["breaks"] for row in rows if row["comparison"] == name]}
        for name in names
    ]
    return {"cells": cells, "days": [day.isoformat() for day in days], "lines": lines, "most": most}


def lanes(events: Sequence[Row], missing: Sequence[Row], now: datetime) -> dict[str, Any]:
    """Return the events of one investment as marks on five lanes, and its open waits as bars up to now."""
    known = [row for row in events if row["keeper"] in LANES]
    waits = [
        {**row, "since": datetime.fromisoformat(str(row["since"]))}
        for row in missing
        if row["keeper"] in LANES
    ]
    moments = [row["occurred_at"] for row in known] + [row["since"] for row in waits]
    first = min(moments, default=now)
    span = max(timedelta(seconds=1), now - first)
    marks = [
        {"x": _across(row["occurred_at"] - first, span), "y": _lane(row["keeper"]), "kind": row["kind"]}
        for row in known
    ]
    bars = [
        {
            "x": _across(row["since"] - first, span),
            "y": _lane(row["keeper"]),
            "width": max(3, _RIGHT - _across(row["since"] - first, span)),
            "condition": row["condition"],
            "keeper": row["keeper"],
            "since": row["since"],
        }
        for row in waits
    ]
    names = [{"name": name, "y": _lane(name)} for name in LANES]
    return {"lanes": names, "marks": marks, "bars": bars, "first": first, "now": now, "count": len(known)}


def _across(after: timedelta, span: timedelta) -> int:
    return _LABELS + after * (_RIGHT - _LABELS) // span if after.total_seconds() > 0 else _LABELS


def _lane(keeper: str) -> int:
    return 24 + LANES.index(keeper) * _LANE


def turned(items: Sequence[Row], today: date) -> dict[str, Any]:
    """Return each item of the log by its days after (or before) the day it was due, oldest first."""
    rows = sorted(items, key=lambda row: (row["counts_from"], row["item_id"]))[-40:]
    points = []
    for place, row in enumerate(rows):
        ended = today if row["closed_at"] is None else row["closed_at"].date()
        late = (ended - row["due_on"]).days
        points.append(
            {
                "reference": row["reference"],
                "due_on": row["due_on"],
                "days": late,
                "is_open": row["closed_at"] is None,
                "is_late": late > 0,
                "x": 75 + place * 14,
                "y": 100 + max(-8, min(8, late)) * 10,
            }
        )
    in_time = sum(1 for point in points if not point["is_late"])
    return {"points": points, "in_time": in_time, "is_low": in_time * 10 < len(points) * 9}
