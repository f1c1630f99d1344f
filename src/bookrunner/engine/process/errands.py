"""Errands: work whose state stands in a book, done as soon as an event tells of it and until it is done.

An errand has no reaction of its own in the books. The event only hastens it: what is left to do is what the
book says, so nothing is lost with a worker that dies in between, and nothing is done twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bookrunner.core.errors import Refused
from bookrunner.core.log import warn
from bookrunner.engine.desk import Desk

REFUSED_SECONDS = 60
Scopes = frozenset[str] | None
"""The scopes that events named; None stands for every scope."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One kind of work: the events that announce it, and what does it where they happened.

    ``run`` returns None when nothing is left, else in how many seconds the rest is to be tried again.
    """

    name: str
    kinds: frozenset[str]
    run: Callable[[Scopes], int | None]


class Errands:
    """Runs what the feed has announced since the last look; the first look runs everything.

    So a worker that starts finds what an earlier one heard of and did not do. What a rule refuses is tried
    again after ``refused_seconds``, and the others go on.
    """

    def __init__(
        self, desk: Desk, errands: Sequence[Errand], *, refused_seconds: int = REFUSED_SECONDS
    ) -> None:
        self._desk = desk
        self._refused = refused_seconds
        self._errands = list(errands)
        self._after: int | None = None
        self._open: dict[str, Scopes] = {}
        self._again: dict[str, int] = {}

    def add(self, errand: Errand) -> None:
        """Run this one too, from now on."""
        self._errands.append(errand)
        self._open[errand.name] = None

    def open_all(self) -> None:
        """Run every errand at the next run, whatever was announced."""
        self._open = dict.fromkeys((errand.name for errand in self._errands), None)

    def hear(self, end: int) -> None:
        """Take note of what was announced up to this place of the feed."""
        if self._after is None:
            self.open_all()
        elif end > self._after:
            kinds = sorted(frozenset[str]().union(*(errand.kinds for errand in self._errands)))
            heard = self._desk.engine.announced(after=self._after, end=end, kinds=kinds)
            for errand in self._errands:
                scopes = frozenset(row["scope"] for row in heard if row["kind"] in errand.kinds)
                before = self._open.get(errand.name, frozenset())
                if scopes and before is not None:
                    self._open[errand.name] = before | scopes
        self._after = end

    def run(self) -> int:
        """Run what was announced or is due again; return how many errands ran."""
        done = 0
        for errand in self._errands:
            again = self._again.get(errand.name)
            if again is not None and again <= time.monotonic_ns():
                self._open[errand.name] = None
            if errand.name not in self._open:
                continue
            # Taken off when it is over: what a fault ends is announced still.
            try:
                wait = errand.run(self._open[errand.name])
            except Refused as refused:
                warn("an errand is refused", kind=errand.name.replace(" ", "_"), rule=refused.rule)
                wait = self._refused
            del self._open[errand.name]
            self._again.pop(errand.name, None)
            if wait is not None:
                self._again[errand.name] = time.monotonic_ns() + wait * 10**9
            done += 1
        return done
