"""What a closing and a fault may do to a raise that is under way."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from bookrunner.app import Application
from bookrunner.sandbox.raises.crowd import Crowd


class Tally(Protocol):
    """What is counted of a raise."""

    issued: int
    killed: int
    refused: Counter[str]


class Course(Protocol):
    """A raise under way: its application, its people, and the chance of its seed."""

    app: Application
    crowd: Crowd
    chance: random.Random
    kills: bool

    @property
    def report(self) -> Tally:
        """What is counted."""
        ...

    def step(self, name: str, act: Callable[[], object]) -> bool:
        """Do one thing and check every invariant; false when a rule refused it."""
        ...

    def strike(self) -> None:
        """Let faults strike, as many as the seed says."""
        ...

    def let_a_worker_die(self, closing: str | None = None) -> None:
        """Where workers die in this raise, end one in the middle of its work; this process takes over."""
        ...

    def let_the_deadline_come(self) -> None:
        """Move the deadline to now, and look at the clock when it has passed."""
        ...
