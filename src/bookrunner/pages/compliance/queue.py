"""The queue: what waits for an officer, urgent first, filtered and paged by the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Query

from bookrunner.core import clock
from bookrunner.core.money import read_whole
from bookrunner.db import Database, load
from bookrunner.pages.shell.live import POLL_SECONDS, Hints

PAGE_ROWS = 25
KINDS = {
    "hit": "Screening hit",
    "report": "Sanctions report",
    "discrepancy": "Identity discrepancy",
    "identity": "Identity in review",
    "owner": "Owner to verify",
    "accreditation": "Accreditation review",
    "change": "Change request",
    "diligence": "Enhanced due diligence",
    "review": "Periodic review",
    "notice": "Notice of a lapse",
    "deficiency": "Packet deficiency",
    "paper": "Missing paper",
}
# What an officer does not decide but sees to: it has no page of its own.
WATCHED = frozenset({"deficiency", "paper"})
STATES = {
    "open": "to decide",
    "second_person": "waiting for a second officer",
    "escalated": "escalated",
    "investor": "waiting for the investor",
}
_SOON = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which part of the queue is asked for; ``after`` is the place of the row before, as a page wrote it."""

    kind: str = ""
    state: str = ""
    assigned: str = ""
    after: str = ""

    @property
    def place(self) -> dict[str, object]:
        """The place as the query takes it; what no page of ours wrote is the start."""
        rank, _, rest = self.after.partition("~")
        due, _, item = rest.partition("~")
        place = read_whole(rank)
        if place is None or not (item and _is_moment(due)):
            return {"after_rank": None, "after_due": None, "after_item": None}
        return {"after_rank": place, "after_due": due, "after_item": item}

    def query(self, **changed: str) -> str:
        """Return the query string of these filters with some of them changed; the place is dropped."""
        asked = {"kind": self.kind, "state": self.state, "assigned": self.assigned, **changed}
        text = urlencode({name: value for name, value in asked.items() if value})
        return f"?{text}" if text else ""


_Text = Annotated[str, Query(max_length=100)]


def filters(kind: _Text = "", state: _Text = "", assigned: _Text = "", after: _Text = "") -> Filters:
    """Read the filters from the query string."""
    return Filters(kind if kind in KINDS else "", state if state in STATES else "", assigned, after)


def queue(database: Database, asked: Filters, actor: str) -> dict[str, object]:
    """Return a page of the queue as ``actor`` sees it; ``assigned`` may be ``me``, ``nobody`` or an actor."""
    assigned = actor if asked.assigned == "me" else asked.assigned
    with database.transaction("compliance") as transaction:
        found = load(__package__).work(
            transaction,
            kind=asked.kind,
            state=asked.state,
            assigned=assigned,
            most=PAGE_ROWS,
            **asked.place,
        )
    rows = [_row(row) for row in found["rows"]]
    following = ""
    if len(rows) > PAGE_ROWS:
        last = rows[PAGE_ROWS - 1]
        following = asked.query(after=f"{last['rank']}~{last['due_at']}~{last['item_id']}")
    return {
        "rows": rows[:PAGE_ROWS],
        "asked": asked,
        "kinds": KINDS,
        "states": STATES,
        "numbers": found["kinds"],
        "shown": found["kinds"].get(asked.kind, 0) if asked.kind else sum(found["kinds"].values()),
        "waiting": found["waiting"],
        "overdue": found["overdue"],
        "officers": [name for name in found["officers"] if name != actor],
        "me": actor,
        "following": following,
    }


def path_of(kind: str, scope: str, item: str) -> str:
    """Return the address of the page of one piece of work."""
    if kind in WATCHED:
        return f"/compliance/cases/{quote(scope, safe='')}#papers"
    parts = ("hits", scope, item) if kind == "hit" else ("cases", scope, kind, item)
    return "/compliance/" + "/".join(quote(part, safe="") for part in parts)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    left = datetime.fromisoformat(row["due_at"]) - clock.now()
    tone = "bad" if left < timedelta() else "wait" if left < _SOON else "calm"
    return {**row, "path": path_of(row["kind"], row["scope"], row["item_id"]), "tone": tone}


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


class QueueHints:
    """How far the officers' work has come in the feed; ends with the hints of the other pages."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._known = 0
        self._read_at = clock.now() - timedelta(days=1)

    @property
    def closing(self) -> bool:
        """Whether every stream ends now."""
        return self._hints.closing

    def reached(self, _: str, /) -> int:
        """Return the feed sequence of the latest event that changes the queue, as of half a second ago."""
        if clock.now() - self._read_at > timedelta(seconds=POLL_SECONDS):
            with self._hints.database.transaction("compliance") as transaction:
                self._known = int(load(__package__).work_reached(transaction, after=self._known))
            self._read_at = clock.now()
        return self._known
