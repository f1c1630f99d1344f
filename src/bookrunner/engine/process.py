"""The process: each event of the feed that something waits for is answered once, by its keeper's verb.

The reaction row and the effect share one transaction under the keeper's login, so an event read again has no
second effect.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bookrunner.adapters.documents import AgreementTerms, render_agreement
from bookrunner.audit import advance_feed
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.reference import make_reference
from bookrunner.db import Keeper, Row, Within, load
from bookrunner.engine.closing import finish_release
from bookrunner.engine.desk import PROCESS, Desk

Event = Row

BATCH = 500


class Process:
    """Answers events in the order of the feed; ``drain`` returns when nothing waits any more."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._after = 0
        self._shared = load("bookrunner.engine")
        self._answers: dict[str, Callable[[Event], None]] = {
            "clearance.cleared": self._open_signing,
            "clearance.renewed": self._open_signing,
            "investment.opened": self._open_signing,
            "clearance.reopened": self._hold,
            "clearance.expired": self._hold,
            "profile.amended": self._void_agreements,
            "profile_change.applied": self._verify_again,
            "agreement.countersigned": self._propose_allocation,
            "allocation_approval.approved": self._confirm_legally,
            "investment.legally_confirmed": self._release_instructions,
            "wallet_claim.claimed": self._open_mapping,
            "screening.screened_clear": self._mark_screened,
            "release.sent": self._certify,
        }

    def drain(self) -> int:
        """Publish what is committed and answer every waiting event; return how many were answered."""
        answered = 0
        while True:
            advance_feed(self._desk.database)
            waiting = self._desk.engine.pending_reactions(
                after=self._after, kinds=sorted(self._answers), consumer=PROCESS, most=BATCH
            )
            if not waiting:
                return answered
            for event in waiting:
                self._answer(event)
            answered += len(waiting)
            self._after = waiting[-1]["seq"]

    def expire(self) -> int:
        """Close what has lapsed by the clock, answer the events of it, return how many facts closed.

        A worker calls it as often as a closed gate may wait to be told; the gate itself reads the clock.
        """
        closed: int = self._desk.compliance.expire_due(actor=PROCESS)
        self.drain()
        return closed

    def _answer(self, event: Event) -> None:
        try:
            self._answers[event["kind"]](event)
        except Refused as refused:
            with self._taken(self._desk.engine, event, "refused", refused.rule):
                pass

    @contextmanager
    def _taken(
        self, keeper: Keeper, event: Event, result: str = "done", detail: str = ""
    ) -> Iterator[Within | None]:
        """Lend the keeper's verbs with the event taken, or None when it was answered before."""
        with keeper.together() as within:
            name = f"{event['subject']}@{event['version']}"
            self._shared.because(within.transaction, event=name)
            fresh = self._shared.react(
                within.transaction,
                consumer=PROCESS,
                scope=event["scope"],
                subject=event["subject"],
                version=event["version"],
                result=result,
                detail=detail,
            )
            yield within if fresh else None

    def _open_signing(self, event: Event) -> None:
        offering = event["scope"]
        investor = event["payload"].get("investor_id") or self._investor_of(event)
        stages = self._desk.engine.stages_of_investor(offering=offering, investor=investor)
        live = {"new", "confirmed", "legally_confirmed"}
        open_ones = [s for s in stages if s["compliance"] and s["status"] in live]
        with self._taken(self._desk.subscription, event) as within:
            for stage in open_ones:
                where = {"offering": offering, "investment": stage["investment_id"]}
                if within and self._desk.engine.agreement_in_force(**where) is None:
                    send_agreement(self._desk, within, offering, stage)

    def _investor_of(self, event: Event) -> str:
        row = self._desk.engine.clearance(offering=event["scope"], clearance=event["subject"])
        investor: str = row["investor_id"]
        return investor

    def _hold(self, event: Event) -> None:
        with self._taken(self._desk.registry, event) as within:
            if within:
                within.hold_where_gated(
                    actor=PROCESS, offering=event["scope"], investor=self._investor_of(event)
                )

    def _void_agreements(self, event: Event) -> None:
        live = self._desk.engine.agreements_of_investor(investor=event["subject"])
        with self._taken(self._desk.subscription, event) as within:
            for row in live:
                if within:
                    within.void_agreement(
                        actor=PROCESS,
                        offering=row["offering_id"],
                        agreement=row["agreement_id"],
                        because="the profile was amended after it was rendered",
                    )

    def _verify_again(self, event: Event) -> None:
        touched = self._desk.engine.touched_by_change(investor=event["scope"], change=event["subject"])
        with self._taken(self._desk.compliance, event) as within:
            if within:
                within.verify_again(actor=PROCESS, investor=event["scope"], touched=touched)

    def _propose_allocation(self, event: Event) -> None:
        agreement = self._desk.engine.agreement(offering=event["scope"], agreement=event["subject"])
        where = {"offering": event["scope"], "investment": agreement["investment_id"]}
        approved = self._desk.engine.live_allocations(**where)
        with self._taken(self._desk.subscription, event) as within:
            if within and not approved:
                within.propose_allocation(
                    actor=PROCESS, approval=new_id("all"), units=agreement["units"], **where
                )

    def _confirm_legally(self, event: Event) -> None:
        approval = self._desk.engine.allocation(offering=event["scope"], approval=event["subject"])
        with self._taken(self._desk.engine, event) as within:
            if within:
                within.confirm_legally(
                    actor=PROCESS, offering=event["scope"], investment=approval["investment_id"]
                )

    def _release_instructions(self, event: Event) -> None:
        offering, investment = event["scope"], event["subject"]
        stage = self._desk.engine.stage(investment=investment)
        live = self._desk.engine.live_attempts(offering=offering, investment=investment)
        with self._taken(self._desk.treasury, event) as within:
            if within and not live:
                within.release_instructions(
                    actor=PROCESS,
                    offering=offering,
                    attempt=new_id("att"),
                    investment=investment,
                    reference=make_reference(f"{secrets.randbelow(10**12):012d}"),
                    due_minor=stage["amount_minor"],
                    currency=stage["currency"],
                )

    def _open_mapping(self, event: Event) -> None:
        said = event["payload"]
        with self._taken(self._desk.registry, event) as within:
            if within:
                within.open_mapping(
                    actor=PROCESS,
                    offering=event["scope"],
                    mapping=new_id("wal"),
                    investor=said["investor_id"],
                    chain_id=said["chain_id"],
                    address=bytes.fromhex(said["address"].removeprefix("\\x")),
                    claim_fact=f"{event['subject']}@{event['version']}",
                )

    def _mark_screened(self, event: Event) -> None:
        if not event["scope"].startswith("wallet:"):
            with self._taken(self._desk.registry, event, "not_applicable"):
                return
        address = bytes.fromhex(event["scope"].removeprefix("wallet:"))
        waiting = self._desk.engine.wallets_at(address=address)
        with self._taken(self._desk.registry, event) as within:
            for row in waiting:
                if within:
                    within.mark_screened(
                        actor=PROCESS,
                        offering=row["offering_id"],
                        mapping=row["mapping_id"],
                        screening_fact=f"{event['subject']}@{event['version']}",
                    )

    def _certify(self, event: Event) -> None:
        release = self._desk.engine.release(offering=event["scope"], release=event["subject"])
        finish_release(self._desk, event["scope"], release["closing_id"])
        with self._taken(self._desk.engine, event):
            pass


def send_agreement(desk: Desk, within: Within, offering: str, stage: Row) -> str:
    """Render an investment's agreement from its profile as it is now, send it, return its id."""
    offer = desk.engine.offer(offering=offering)
    profile = desk.engine.profile(investor=stage["investor_id"])
    document = render_agreement(
        AgreementTerms(
            offering=offering,
            offer_name=offer["name"],
            investment=stage["investment_id"],
            investor=stage["investor_id"],
            profile_digest=bytes(profile["detail_digest"]).hex(),
            units=stage["units"],
            amount_minor=stage["amount_minor"],
            currency=stage["currency"],
            exemption=offer["exemption"],
        )
    )
    within.archive(actor=PROCESS, content=document.content, media_type=document.media_type)
    agreement = new_id("agr")
    within.send_agreement(
        actor=PROCESS,
        offering=offering,
        agreement=agreement,
        investment=stage["investment_id"],
        units=stage["units"],
        amount_minor=stage["amount_minor"],
        document_sha256=document.sha256,
    )
    return agreement
