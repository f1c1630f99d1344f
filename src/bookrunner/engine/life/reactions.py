"""What follows from the life of an offer, each once: its end, its last unit, the way back of a denial."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from bookrunner.db import Keeper, Row, Step, Within
from bookrunner.engine.desk import PROCESS, Desk, event_keys, event_name

Events = Sequence[Row]
Acts = Callable[[Within], Iterable[tuple[str, Step]]]
# Who answers which kinds of events: by the name of the consumer.
Answers = Mapping[str, tuple[Callable[[Events], None], tuple[str, ...]]]

# One transaction each, so that a crash costs little and nobody waits long for a lock.
ENDED_AT_ONCE = 500
_TOLD = (
    "offer.failed",
    "amendment.put_to_investors",
    "change_request.applied",
    "investment.cancelled",
    "investment.expired",
    "payment_attempt.failed",
    "payment_attempt.returned",
)


class Carry(Protocol):
    """Takes events and acts on those that nobody took before, in one transaction of the keeper."""

    def __call__(self, keeper: Keeper, events: Events, acts: Acts) -> None:
        """Carry the acts out."""
        ...


class Life:
    """Answers events of offers and cancellations."""

    def __init__(self, desk: Desk, carry: Carry) -> None:
        self._desk = desk
        self._carry = carry

    @property
    def answers(self) -> Answers:
        """Our answers by consumer, each with its kinds of events."""
        return {
            "process.end": (self._end, ("offer.failed",)),
            "process.resume": (
                self._resume,
                (
                    "investment.cancellation_denied",
                    "investment.confirmed",
                    "clearance.cleared",
                    "clearance.renewed",
                ),
            ),
            "process.notify": (self._notify, _TOLD),
            "process.close_full": (self._close_full, ("investment.legally_confirmed",)),
        }

    def look(self) -> int:
        """Close the offers whose deadline has come; return how many moved."""
        moved: int = self._desk.life.look_at_deadlines(actor=PROCESS)
        return moved

    def _end(self, events: Events) -> None:
        for event in events:
            # What a crash cut short goes on here: the event is taken when nothing is left to end.
            while self._desk.life.end_investments(actor=PROCESS, offering=event["scope"], most=ENDED_AT_ONCE):
                pass
        self._carry(self._desk.life, events, lambda _: ())

    def _resume(self, events: Events) -> None:
        waiting = self._desk.life.resumable(**event_keys(events))
        self._carry(
            self._desk.engine,
            events,
            lambda within: (
                (
                    row["cause"],
                    within.confirm_legally.step(
                        actor=PROCESS, offering=row["offering_id"], investment=row["investment_id"]
                    ),
                )
                for row in waiting
            ),
        )

    def _notify(self, events: Events) -> None:
        self._carry(
            self._desk.life,
            events,
            lambda within: [
                (event_name(event), within.write_notices.step(actor=PROCESS, **event_keys([event])))
                for event in events
            ],
        )

    def _close_full(self, events: Events) -> None:
        # Another worker may take some of these: whoever takes the last of an offer saw those before it.
        last = {event["scope"]: event_name(event) for event in events}
        self._carry(
            self._desk.life,
            events,
            lambda within: [
                (cause, within.close_full_offers.step(actor=PROCESS, offerings=[offering]))
                for offering, cause in sorted(last.items())
            ],
        )
