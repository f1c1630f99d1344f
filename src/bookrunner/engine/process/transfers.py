"""Both sides of a transfer are screened for it, as soon as its papers are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bookrunner.audit import advance_feed
from bookrunner.core.errors import Refused
from bookrunner.core.log import warn
from bookrunner.db import load
from bookrunner.engine.desk import Desk
from bookrunner.engine.intake import Screening

CONSUMER: Final = "transfers"
KINDS: Final = (
    "transfer_request.requested",
    "transfer_request.papers_added",
    "transfer_request.presented_again",
    # A side that gave a hit is none of a listed one after all; lists that were too old are not any more.
    "screening.adjudicated",
    "screening.released",
    "watchlist.activated",
    "watchlist.checked",
)
BATCH: Final = 1_000


class TransferScreening:
    """Answers what brings a transfer nearer to the agent: the request and its papers."""

    def __init__(self, desk: Desk, screening: Screening) -> None:
        self._desk = desk
        self._screening = screening
        self._after = 0
        self._shared = load("bookrunner.engine")

    def drain(self) -> int:
        """Screen both sides of every request that has asked for it; return how many events were answered."""
        advance_feed(self._desk.database)
        end: int = self._desk.engine.feed_end()
        if end == self._after:
            return 0
        events = self._desk.engine.pending_reactions(
            after=self._after, kinds=list(KINDS), by_scope=[], passed=[], consumer=CONSUMER, most=BATCH
        )
        if not events:
            self._after = end
            return 0
        self.look()
        with self._desk.registry.together() as within:
            within.using(self._shared).react.each(
                {
                    "consumer": CONSUMER,
                    "scope": event["scope"],
                    "subject": event["subject"],
                    "version": event["version"],
                    "result": "done",
                    "detail": "",
                }
                for event in events
            )
        return len(events)

    def look(self) -> None:
        """Screen whoever waits; a request whose side gives a hit goes on waiting until the hit is none."""
        waiting = self._desk.transfers.waiting_for_screening()
        sides = {row[side] for row in waiting for side in ("seller_id", "buyer_id")}
        if sides and not self._are_screened(sorted(sides)):
            return
        for row in waiting:
            self._mark(row["offering_id"], row["request_id"])

    def _are_screened(self, sides: Sequence[str]) -> bool:
        try:
            self._screening.for_issuance(sides)
        except Refused as refused:
            warn("transfers are not screened", rule=refused.rule)
            return False
        return True

    def _mark(self, offering: str, transfer: str) -> None:
        try:
            self._desk.transfers.mark_transfer_screened(actor=CONSUMER, offering=offering, transfer=transfer)
        except Refused as refused:
            warn("a transfer is not screened", offering=offering, subject=transfer, rule=refused.rule)
