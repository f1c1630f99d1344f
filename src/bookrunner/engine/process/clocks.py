"""What no event of ours can tell: work by the clock, done by one worker in each period, and looks outward."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bookrunner.core.errors import Refused
from bookrunner.core.log import warn
from bookrunner.engine.desk import PROCESS, Desk

LAPSE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Timed:
    """One work by the clock; ``says`` is what it does and why no event tells of it.

    A ``shared`` work is done by one worker in each period. What is not shared looks at the outside, which
    each worker does for itself and the books take once.
    """

    name: str
    seconds: int
    says: str
    run: Callable[[], object]
    shared: bool = True


class Clocks:
    """Does what is due, in the order in which it was given.

    The turn of a shared work is a row of the database, so a worker that starts again goes on with the period,
    and a second worker finds the turn taken. Who dies inside its turn is followed in the next one,
    and so is who is refused.
    """

    def __init__(self, desk: Desk, works: Sequence[Timed]) -> None:
        self._desk = desk
        self._works = works
        self._due = dict.fromkeys((work.name for work in works), 0)

    def look(self, seconds: int | None = None) -> int:
        """Do what is due and return how much that was; ``seconds`` stands for the period of shared work."""
        done = 0
        for work in self._works:
            period = work.seconds if seconds is None or not work.shared else seconds
            if self._is_mine(work, period):
                try:
                    work.run()
                except Refused as refused:
                    warn("work by the clock is refused", kind=work.name.replace(" ", "_"), rule=refused.rule)
                done += 1
        return done

    def _is_mine(self, work: Timed, period: int) -> bool:
        now = time.monotonic_ns()
        if period and now < self._due[work.name]:
            return False
        wait = None
        if work.shared:
            wait = self._desk.engine.take_turn(actor=PROCESS, work=work.name, seconds=period)
        self._due[work.name] = now + (period * 10**9 if wait is None else wait * 10**6)
        return wait is None
