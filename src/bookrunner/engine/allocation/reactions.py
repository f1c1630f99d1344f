"""What answers the events of orders, allotments and amendments, each once and by its own keeper.

An event may have several answers, under different keepers; each has a consumer of its own, so that it
happens once whatever became of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Protocol

from bookrunner.db import Keeper, Row, Step, Within
from bookrunner.engine.desk import PROCESS, Desk, await_strand, claimed, event_keys, event_name

Events = Sequence[Row]
Answer = Callable[[Events], None]
Acts = Callable[[Within], Iterable[tuple[str, Step]]]
# Renders agreements and yields for each its terms, its id and what sends it.
Letters = Callable[[Sequence[Row]], Iterable[tuple[Row, str, Callable[[Within], Iterable[Step]]]]]

_FREED = ("investment.withdrawn", "investment.cancelled", "investment.expired", "investment.scaled_back")


class Carry(Protocol):
    """Takes events and acts on those that nobody took before, in one transaction of the keeper."""

    def __call__(self, keeper: Keeper, events: Events, acts: Acts) -> None:
        """Carry the acts out."""
        ...


class Reactions:
    """Answers events of orders, and those of ``also``; ``give`` runs an answer and notes what was refused."""

    def __init__(
        self,
        desk: Desk,
        carry: Carry,
        give: Callable[[Answer, Events], None],
        letters: Letters,
        *,
        also: Mapping[str, tuple[Answer, tuple[str, ...]]],
    ) -> None:
        self._desk = desk
        self._carry = carry
        self._give = give
        self._letters = letters
        self._after = 0
        self._other: Row | None = None
        # In this order within a batch: money and paper of a cut before the units that it freed are given on.
        self._answers: dict[str, tuple[Answer, tuple[str, ...]]] = {
            "process.refund_cut": (self._refund_cut, ("investment.scaled_back",)),
            "process.sign_again": (self._sign_again, ("investment.scaled_back",)),
            "process.approve": (self._approve, ("allotment.decided", "allocation_approval.proposed")),
            "process.ask": (self._ask, ("amendment.announced",)),
            "process.put": (self._put, ("amendment.announced",)),
            "process.cancel": (self._cancel, ("reconfirmation.declined", "reconfirmation.lapsed")),
            "process.escrow": (self._follow, ("allocation.escrow_initiated",)),
            "process.admit": (self._admit, ("intake.approved",)),
            "process.promote": (self._promote, _FREED),
            **also,
        }

    @property
    def answered(self) -> frozenset[tuple[str, str]]:
        """Our consumers, each with a kind of event that it answers."""
        return frozenset((consumer, kind) for consumer, (_, kinds) in self._answers.items() for kind in kinds)

    def has_seen(self, end: int) -> bool:
        """Say whether every event up to this place of the feed is answered."""
        return self._after >= end

    def answer(self, end: int) -> int:
        """Answer what waits for one of ours in the feed, whose end was read; return how many answers.

        What is left to another worker is passed over; `await_other` waits for it.
        """
        pairs = [(kind, consumer) for consumer, kind in sorted(self.answered)]
        kinds, consumers = [kind for kind, _ in pairs], [name for _, name in pairs]
        places = {consumer: place for place, consumer in enumerate(self._answers)}
        waiting = claimed(
            self._desk.allotment, "waiting_events", after=self._after, kinds=kinds, consumers=consumers
        )
        with waiting as claim:
            ours = sorted(claim.ours, key=lambda event: (places[event["consumer"]], event["seq"]))
            for consumer, events in groupby(ours, key=itemgetter("consumer")):
                self._give(self._answers[consumer][0], list(events))
        self._other = next(iter(claim.others), None)
        self._after = end if self._other is None else self._other["seq"] - 1
        return len(ours)

    def await_other(self) -> None:
        """Wait for the worker that has an event of ours, if there is one."""
        if self._other is not None:
            await_strand(self._desk.engine, "orders", self._other)

    def expire(self) -> int:
        """Close what has lapsed by the clock: reservations, unanswered changes; return how many."""
        desk = self._desk
        lapsed: int = desk.subscription.lapse_reconfirmations(actor=PROCESS)
        ended: int = desk.allotment.expire_reservations(actor=PROCESS)
        # Who was in a closing when its answer lapsed is cancelled once it has left.
        cancelled: int = desk.allotment.cancel_unreconfirmed(actor=PROCESS)
        # A line that a crash cut short goes on here.
        for line in desk.allotment.offers_with_waitlist(offers=None):
            self._promote_on(line["offering_id"])
        return lapsed + ended + cancelled

    def _refund_cut(self, events: Events) -> None:
        self._carry(
            self._desk.treasury,
            events,
            lambda within: (
                (
                    event_name(event),
                    within.refund_cut.step(
                        actor=PROCESS, offering=event["scope"], investment=event["subject"]
                    ),
                )
                for event in events
            ),
        )

    def _follow(self, events: Events) -> None:
        """Open the escrow of institutions."""
        self._carry(
            self._desk.treasury,
            events,
            lambda within: (
                (
                    event_name(event),
                    within.follow_allocation.step(
                        actor=PROCESS, offering=event["scope"], allocation=event["subject"]
                    ),
                )
                for event in events
            ),
        )

    def _admit(self, events: Events) -> None:
        """Enter the requests of institutions that an officer approved."""
        self._carry(
            self._desk.allotment,
            events,
            lambda within: (
                (
                    event_name(event),
                    within.admit_intake.step(actor=PROCESS, offering=event["scope"], intake=event["subject"]),
                )
                for event in events
            ),
        )

    def _sign_again(self, events: Events) -> None:
        cut = {(event["scope"], event["subject"]): event_name(event) for event in events}
        terms = self._desk.engine.agreement_terms(**event_keys(events))
        again = [
            row
            for row in terms
            if row["compliance"]
            and row["status"] in {"confirmed", "legally_confirmed"}
            and (row["offering_id"], row["investment_id"]) in cut
        ]
        letters = {
            cut[row["offering_id"], row["investment_id"]]: send for row, _, send in self._letters(again)
        }

        def acts(within: Within) -> Iterable[tuple[str, Step]]:
            for (offering, investment), cause in cut.items():
                yield (
                    cause,
                    within.void_for_cut.step(actor=PROCESS, offering=offering, investment=investment),
                )
                if cause in letters:
                    yield from ((cause, step) for step in letters[cause](within))

        self._carry(self._desk.subscription, events, acts)

    def _approve(self, events: Events) -> None:
        approvals = self._desk.allotment.allotted_approvals(**event_keys(events))
        self._carry(
            self._desk.subscription,
            events,
            lambda within: (
                (
                    row["cause"],
                    within.approve_allotted.step(
                        actor=PROCESS, offering=row["offering_id"], approval=row["approval_id"]
                    ),
                )
                for row in approvals
            ),
        )

    def _ask(self, events: Events) -> None:
        self._carry(
            self._desk.subscription,
            events,
            lambda within: (
                (
                    event_name(event),
                    within.ask_reconfirmations.step(
                        actor=PROCESS, offering=event["scope"], amendment=event["subject"]
                    ),
                )
                for event in events
            ),
        )

    def _put(self, events: Events) -> None:
        self._carry(
            self._desk.allotment,
            events,
            lambda within: (
                (
                    event_name(event),
                    within.mark_put.step(actor=PROCESS, offering=event["scope"], amendment=event["subject"]),
                )
                for event in events
            ),
        )

    def _cancel(self, events: Events) -> None:
        self._carry(
            self._desk.allotment,
            events,
            # Whoever took the last event saw those before it.
            lambda within: [(event_name(events[-1]), within.cancel_unreconfirmed.step(actor=PROCESS))],
        )

    def _promote(self, events: Events) -> None:
        last = {event["scope"]: event_name(event) for event in events}
        waited = self._desk.allotment.offers_with_waitlist(offers=sorted(last))
        self._carry(
            self._desk.allotment,
            events,
            lambda within: (
                (
                    last[row["offering_id"]],
                    within.promote_waiting.step(actor=PROCESS, offering=row["offering_id"]),
                )
                for row in waited
            ),
        )
        for row in waited:
            self._promote_on(row["offering_id"])

    def _promote_on(self, offering: str) -> None:
        """Go on with a long line, each part in a transaction of its own."""
        while self._desk.allotment.promote_waiting(actor=PROCESS, offering=offering):
            pass
