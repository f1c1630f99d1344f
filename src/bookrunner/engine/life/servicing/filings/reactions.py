"""What opens filings: events whose fact starts a clock, each once, and a look for what no event told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from bookrunner.core.errors import Refused
from bookrunner.core.log import warn
from bookrunner.db import Keeper, Row, Step, Within
from bookrunner.engine.desk import PROCESS, Desk, event_name

Events = Sequence[Row]
Acts = Callable[[Within], Iterable[tuple[str, Step]]]
# After these a clock may start, or a pack may say another thing.
KINDS: Final = (
    "offer.accepted",
    "offer.published",
    "offer.changed",
    "offer.closed_to_new_money",
    "offer.failed",
    "investment.confirmed",
    "investment.legally_confirmed",
    "investment.scaled_back",
    "investment.cancelled",
    "amendment.announced",
    "filing.filed",
)


def follow_all(keeper: Keeper, *, actor: str) -> int:
    """Bring the filings of every bound offer to its facts, each in a transaction of its own.

    Returns how many filings changed. An offer that refuses is warned of by its rule, and the others go on.
    """
    touched = 0
    for row in keeper.bound_offers():
        offering = row["offering_id"]
        try:
            touched += keeper.open_filings(actor=actor, offerings=[offering])
        except Refused as refused:
            warn("the filings of an offer are not followed", offering=offering, rule=refused.rule)
    return touched


class Carry(Protocol):
    """Takes events and acts on those that nobody took before, in one transaction of the keeper."""

    def __call__(self, keeper: Keeper, events: Events, acts: Acts) -> None:
        """Carry the acts out."""
        ...


class Filings:
    """Brings the filings of an offer to its facts."""

    def __init__(self, desk: Desk, carry: Carry) -> None:
        self._desk = desk
        self._carry = carry

    @property
    def answers(self) -> Mapping[str, tuple[Callable[[Events], None], tuple[str, ...]]]:
        """Our answer by consumer, with its kinds of events."""
        return {"process.filings": (self._follow, KINDS)}

    def _follow(self, events: Events) -> None:
        last = {event["scope"]: event_name(event) for event in events}
        self._carry(
            self._desk.filings,
            events,
            lambda within: [
                (cause, within.open_filings.step(actor=PROCESS, offerings=[offering]))
                for offering, cause in sorted(last.items())
            ],
        )
