"""The process: each event of the feed that something waits for is answered once, by its keeper's verb.

Events of one kind are answered together. The reactions of such a group and their effects share one
transaction under the keeper's login, so an event read again has no second effect.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain

from bookrunner.audit import advance_feed
from bookrunner.books.subscription import Room
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.log import warn
from bookrunner.core.reference import make_reference
from bookrunner.db import Keeper, Row, Step, Within, load, retrying
from bookrunner.engine.allocation import Reactions
from bookrunner.engine.closing import finish_release
from bookrunner.engine.desk import OF_ONE_OFFER, PROCESS, Desk, await_strand, claimed
from bookrunner.engine.desk import event_keys as _keys
from bookrunner.engine.desk import event_name as _name
from bookrunner.engine.life.reactions import Life
from bookrunner.engine.life.servicing.fees import TransferFees
from bookrunner.engine.life.servicing.filings import Filings
from bookrunner.engine.process.agreements import PACKET, prepare
from bookrunner.engine.process.causes import reacting
from bookrunner.engine.process.wallets import Wallets

Event = Row
Events = Sequence[Row]
Answer = Callable[[Events], None]
Acts = Callable[[Within], Iterable[tuple[str, Step]]]

BATCH = 1000
# So many receipts of a failed offer go back in one transaction.
REFUNDS_AT_ONCE = 500
# More than one investment ever has receipts.
MOST_REFUNDS = 1_000_000
PACKETS = 25
# More than any chain of reactions is long.
PASSES = 20
LIVE = frozenset({"new", "confirmed", "legally_confirmed"})


class Process:
    """Answers events in the order of the feed; ``drain`` returns when nothing waits any more."""

    def __init__(self, desk: Desk, room: Room | None = None) -> None:
        self._desk = desk
        self._room = room
        self._after = 0
        self._other: Event | None = None
        self._shared = load("bookrunner.engine")
        self._life = Life(desk, self._carry)
        letters = partial(prepare, desk, room, is_returning=True)
        also = {**self._life.answers, **Filings(desk, self._carry).answers}
        also |= TransferFees(desk, self._carry).answers
        self._orders = Reactions(desk, self._carry, self._give, letters, also=also)
        wallets = Wallets(desk, self._carry)
        # Within a batch the answers run in this order: a revocation first, a wallet before its screening.
        self._answers: dict[str, Answer] = {
            "clearance.reopened": self._hold,
            "payment_attempt.returned": self._hold_unfunded,
            "clearance.expired": self._hold,
            "profile_change.applied": self._verify_again,
            "wallet_claim.claimed": wallets.open_mappings,
            "screening.screened_clear": wallets.mark_screened,
            "profile.amended": self._void_agreements,
            "clearance.cleared": self._open_signing,
            "clearance.renewed": self._open_signing,
            "investment.opened": self._open_signing,
            "application.submitted": self._open_signing,
            "agreement.countersigned": self._propose_allocations,
            "allocation_approval.approved": self._confirm_legally,
            "investment.legally_confirmed": self._release_instructions,
            "release.sent": self._certify,
            "investment.cancelled": self._refund,
            "investment.failed": self._refund,
            "offer.failed": self._refund,
        }
        self._ranks = {kind: rank for rank, kind in enumerate(self._answers)}
        # An agreement sent after an amendment must not be voided by it: these two keep the feed's order.
        self._ranks |= dict.fromkeys(
            [kind for kind, answer in self._answers.items() if answer == self._open_signing],
            self._ranks["profile.amended"],
        )

    @property
    def answered(self) -> frozenset[tuple[str, str]]:
        """The consumers of this process, each with a kind of event that it answers."""
        return frozenset((PROCESS, kind) for kind in self._answers) | self._orders.answered

    def has_seen(self, end: int) -> bool:
        """Say whether every event up to this place of the feed is answered."""
        return self._after >= end and self._orders.has_seen(end)

    def drain(self, *, patient: bool = True) -> int:
        """Publish what is committed and answer every waiting event; return how many were answered.

        What another worker answers is waited for, or left to a later call when this one is not ``patient``;
        then what others go on writing does not keep it for long either.
        """
        answered = passes = 0
        while True:
            advance_feed(self._desk.database)
            end: int = self._desk.engine.feed_end()
            if self.has_seen(end):
                return answered
            also = self._orders.answer(end)
            part = also + self._answer(end)
            answered += part
            passes += 1
            if part and (patient or passes < PASSES):
                continue
            if not patient or self.has_seen(end):
                return answered
            self._orders.await_other()
            if self._other is not None:
                await_strand(self._desk.engine, PROCESS, self._other)

    def _answer(self, end: int) -> int:
        """Answer what waits up to the end of the feed and lies in no strand of another worker."""
        answered, place = 0, self._after
        passed: dict[str, Event] = {}
        asked: dict[str, object] = {"kinds": sorted(self._answers), "by_scope": sorted(OF_ONE_OFFER)}
        count = BATCH
        while count == BATCH:
            asked |= {"after": place, "most": BATCH, "passed": list(passed)}
            with claimed(self._desk.engine, "pending_reactions", consumer=PROCESS, **asked) as claim:
                for answer, events in self._groups(claim.ours):
                    self._give(answer, events)
            for event in claim.others:
                passed.setdefault(event["strand"], event)
            answered += len(claim.ours)
            place, count = claim.last_seq, claim.found
        self._other = min(passed.values(), key=lambda event: int(event["seq"]), default=None)
        self._after = end if self._other is None else self._other["seq"] - 1
        return answered

    def expire(self) -> int:
        """Close what has lapsed by the clock, answer the events of it, return how many facts closed.

        The gates read the clock themselves; this tells those who wait for an event of it.
        """
        closed: int = self._desk.compliance.expire_due(actor=PROCESS)
        closed += self._orders.expire() + self._life.look()
        self.drain(patient=False)
        return closed

    def _groups(self, waiting: Events) -> list[tuple[Answer, list[Event]]]:
        """Gather events that have one answer, in the order of the ranks and inside a rank in the feed's."""
        groups: list[tuple[Answer, list[Event]]] = []
        for event in sorted(waiting, key=lambda event: (self._ranks[event["kind"]], event["seq"])):
            answer = self._answers[event["kind"]]
            if not groups or groups[-1][0] != answer:
                groups.append((answer, []))
            groups[-1][1].append(event)
        return groups

    def _give(self, answer: Answer, events: Events) -> None:
        """Answer events together, inside the trace that led to them."""
        with reacting(self._desk.engine, events):
            self._give_in_parts(answer, events)

    def _give_in_parts(self, answer: Answer, events: Events) -> None:
        """Answer events together; when one is refused, in halves until it is alone and noted as refused."""
        try:
            retrying(lambda: answer(events))
        except Refused as refused:
            if len(events) > 1:
                half = len(events) // 2
                self._give_in_parts(answer, events[:half])
                self._give_in_parts(answer, events[half:])
                return
            (event,) = events
            warn("a reaction is refused", kind=event["kind"], subject=event["subject"], rule=refused.rule)
            self._carry(self._desk.engine, events, result="refused", detail=refused.rule)

    def _carry(
        self,
        keeper: Keeper,
        events: Events,
        acts: Acts = lambda _: (),
        *,
        result: str = "done",
        detail: str = "",
    ) -> None:
        """Take the events for this process and act on those that nobody took before, in one transaction.

        An act is the name of its event and the step that follows from it.
        """
        with keeper.together() as within:
            shared = within.using(self._shared)
            fresh = shared.react.each(
                {
                    "consumer": event.get("consumer", PROCESS),
                    "scope": event["scope"],
                    "subject": event["subject"],
                    "version": event["version"],
                    "result": result,
                    "detail": detail,
                }
                for event in events
            )
            taken = {_name(event) for event, is_new in zip(events, fresh, strict=True) if is_new}
            steps = ((shared.because.step(event=cause), act) for cause, act in acts(within) if cause in taken)
            within.in_order(chain.from_iterable(steps))

    def _open_signing(self, events: Events) -> None:
        terms = self._desk.engine.agreement_terms(**_keys(events))
        ready = [t for t in terms if t["compliance"] and t["status"] in LIVE and t["in_force"] is None]
        if len(events) > PACKETS and any(t["agreement_form"] == PACKET and t["is_asked_for"] for t in ready):
            # A batch is one transaction and holds its packets in memory.
            for start in range(0, len(events), PACKETS):
                self._give(self._open_signing, events[start : start + PACKETS])
            return
        prepared = list(prepare(self._desk, self._room, ready, is_returning=True))
        self._carry(
            self._desk.subscription,
            events,
            lambda within: ((row["cause"], step) for row, _, send in prepared for step in send(within)),
        )

    def _hold(self, events: Events) -> None:
        self._hold_gated(events, self._desk.engine.investors_of_clearances(**_keys(events)))

    def _hold_unfunded(self, events: Events) -> None:
        self._hold_gated(events, self._desk.engine.investors_of_attempts(**_keys(events)))

    def _hold_gated(self, events: Events, investors: Sequence[Row]) -> None:
        self._carry(
            self._desk.registry,
            events,
            lambda within: (
                (
                    row["cause"],
                    within.hold_where_gated.step(
                        actor=PROCESS, offering=row["offering_id"], investor=row["investor_id"]
                    ),
                )
                for row in investors
            ),
        )

    def _refund(self, events: Events) -> None:
        for offering in sorted({event["scope"] for event in events if event["kind"] == "offer.failed"}):
            # What a crash cut short goes on here: the event is taken with the last of its refunds.
            while self._desk.treasury.refund_ended(
                actor=PROCESS, offering=offering, investments=None, most=REFUNDS_AT_ONCE
            ):
                pass
        self._carry(
            self._desk.treasury,
            events,
            lambda within: (
                (
                    _name(event),
                    within.refund_ended.step(
                        actor=PROCESS,
                        offering=event["scope"],
                        investments=None if event["kind"] == "offer.failed" else [event["subject"]],
                        most=MOST_REFUNDS,
                    ),
                )
                # Offers in one order, as each refund takes the turn of its offer until the end.
                for event in sorted(events, key=lambda event: (event["scope"], event["subject"]))
            ),
        )

    def _void_agreements(self, events: Events) -> None:
        live = self._desk.engine.agreements_of_investors(**_keys(events))
        self._carry(
            self._desk.subscription,
            events,
            lambda within: (
                (
                    row["cause"],
                    within.void_agreement.step(
                        actor=PROCESS,
                        offering=row["offering_id"],
                        agreement=row["agreement_id"],
                        because="the profile was amended after it was rendered",
                    ),
                )
                for row in live
            ),
        )

    def _verify_again(self, events: Events) -> None:
        changes = self._desk.engine.touched_by_changes(**_keys(events))
        self._carry(
            self._desk.compliance,
            events,
            lambda within: (
                (
                    row["cause"],
                    within.verify_again.step(
                        actor=PROCESS, investor=row["investor_id"], touched=row["touched"]
                    ),
                )
                for row in changes
            ),
        )

    def _propose_allocations(self, events: Events) -> None:
        unallocated = self._desk.engine.unallocated_agreements(**_keys(events))
        self._carry(
            self._desk.subscription,
            events,
            lambda within: (
                (
                    row["cause"],
                    within.propose_allocation.step(
                        actor=PROCESS,
                        offering=row["offering_id"],
                        approval=new_id("alc"),
                        investment=row["investment_id"],
                        units=row["units"],
                    ),
                )
                for row in unallocated
            ),
        )

    def _confirm_legally(self, events: Events) -> None:
        approved = self._desk.engine.investments_of_approvals(**_keys(events))
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
                for row in approved
            ),
        )

    def _release_instructions(self, events: Events) -> None:
        unpaid = self._desk.engine.investments_without_attempt(**_keys(events))
        self._carry(
            self._desk.treasury,
            events,
            lambda within: (
                (
                    row["cause"],
                    within.release_instructions.step(
                        actor=PROCESS,
                        offering=row["offering_id"],
                        attempt=new_id("att"),
                        investment=row["investment_id"],
                        reference=row["reference"] or make_reference(f"{secrets.randbelow(10**12):012d}"),
                        due_minor=row["amount_minor"],
                        currency=row["currency"],
                    ),
                )
                for row in unpaid
            ),
        )

    def _certify(self, events: Events) -> None:
        for event in events:
            release = self._desk.engine.release(offering=event["scope"], release=event["subject"])
            finish_release(self._desk, event["scope"], release["closing_id"])
        self._carry(self._desk.engine, events)
