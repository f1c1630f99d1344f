"""The keepers of all books and of the engine on one database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from bookrunner.books import compliance, portal, registry, subscription, treasury
from bookrunner.core.errors import GateClosed, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Contention, Database, Keeper, Row, Within, load
from bookrunner.engine.life.servicing.actions import actions_of

PROCESS = "process"
# What follows from these touches the one offer; others name people and wallets, whose order counts across
# offers.
OF_ONE_OFFER = frozenset(
    {
        "payment_attempt.returned",
        "agreement.countersigned",
        "allocation_approval.approved",
        "investment.legally_confirmed",
        "release.sent",
        "investment.cancelled",
        "investment.failed",
        "offer.failed",
    }
)


class Desk:
    """One keeper per book, each under its own login; the engine asks, the keepers act."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.portal = portal.keeper(database)
        self.compliance = compliance.keeper(database)
        self.subscription = subscription.keeper(database)
        self.packets = subscription.packets_of(database)
        self.treasury = treasury.keeper(database)
        self.registry = registry.keeper(database)
        self.transfers = registry.transfers_of(database)
        self.market = registry.market_of(database)
        self.splits = registry.actions_of(database)
        self.buybacks = registry.buybacks_of(database)
        self.conversions = registry.conversions_of(database)
        self.reinvestment = registry.reinvestment_of(database)
        self.engine = Keeper(database, "engine", "bookrunner.engine")
        self.allotment = Keeper(database, "engine", "bookrunner.engine.allocation")
        self.life = Keeper(database, "engine", "bookrunner.engine.life")
        self.actions = actions_of(database)
        self.filings = Keeper(database, "engine", "bookrunner.engine.life.servicing.filings")
        self.reconciliation = Keeper(database, "reconciliation", "bookrunner.reconciliation")

    def offer(self, offering: str) -> Row:
        """Return one offer; refuses ``offer_exists``."""
        found: Row | None = self.engine.offer(offering=offering)
        if found is None:
            raise UnknownRecord("offer_exists", f"there is no offer {offering}")
        return found

    def erase(self, investor: str, *, actor: str, because: str) -> None:
        """Erase what compliance and portal know of an investor, and its own words; after a crash do it again.

        Refuses ``retention_allows_erasure`` with every reason, ``erasure_has_its_reason``, and
        ``erased_key_exists`` where nothing is left to erase.
        """
        asked = {"actor": actor, "investor": investor, "because": because}
        left = 0
        # The portal first: it asks an investor who erases itself for a passkey, before anything is gone.
        for verb in (self.portal.erase_personal, self.compliance.erase_files):
            try:
                verb(**asked)
            except UnknownRecord as nothing:
                if nothing.rule != "erased_key_exists":
                    raise
                left += 1
        self.allotment.erase_intake_words(actor=actor, entity=investor)
        if left == len((self.compliance, self.portal)):
            raise UnknownRecord("erased_key_exists", f"nothing of {investor} is left to erase")

    def freeze(self, offering: str, *, actor: str, ready_only: bool) -> str:
        """Freeze a closing of everybody, or of those whose gate is open, and return its id.

        Raises GateClosed with every missing condition; the refusal is kept in the books.
        """
        chosen = None
        if ready_only:
            open_now = [
                c["investment_id"] for c in self.engine.candidates(offering=offering) if not c["missing"]
            ]
            chosen = sorted(open_now)
        closing = new_id("cls")
        try:
            self.engine.freeze_closing(actor=actor, offering=offering, closing=closing, investments=chosen)
        except GateClosed as refused:
            self.keep_refusal(refused, offering, closing, actor)
            raise
        return closing

    def freeze_proposed(self, offering: str, closing: str, *, actor: str) -> str:
        """Freeze, as another person, a closing that somebody proposed; returns its id.

        Refuses ``closing_needs_two_people`` and raises GateClosed as `freeze` does.
        """
        try:
            self.engine.freeze_closing(actor=actor, offering=offering, closing=closing, investments=None)
        except GateClosed as refused:
            self.keep_refusal(refused, offering, closing, actor)
            raise
        return closing

    def propose(self, offering: str, *, actor: str, ready_only: bool) -> str:
        """Name the set of a closing for another person to freeze; returns its id."""
        chosen = None
        if ready_only:
            rows = self.engine.candidates(offering=offering)
            chosen = sorted(row["investment_id"] for row in rows if not row["missing"])
        closing = new_id("cls")
        self.life.propose_closing(actor=actor, offering=offering, closing=closing, investments=chosen)
        return closing

    def keep_refusal(self, refused: GateClosed, offering: str, subject: str, actor: str) -> None:
        """Record what a gate turned away, in a transaction of its own."""
        self.engine.record_refusal(
            actor=actor,
            offering=offering,
            subject=subject,
            act=refused.act,
            rule=refused.rule,
            missing=refused.lacking(),
        )


def event_name(event: Row) -> str:
    """Return the name under which a fact refers to an event: subject and version."""
    return f"{event['subject']}@{event['version']}"


def event_keys(events: Sequence[Row]) -> dict[str, object]:
    """Return the keys of events as three lists, which a lookup takes for a whole group."""
    return {
        "scopes": [event["scope"] for event in events],
        "subjects": [event["subject"] for event in events],
        "versions": [event["version"] for event in events],
    }


@dataclass(frozen=True, slots=True)
class Claim:
    """Events in the feed's order: ours to answer, and those passed over; how many were found, up to where.

    Workers share the feed by strands, in which events have to stay in order. A strand is held until the
    answers are committed and ends with its transaction, so a worker that dies leaves nothing behind.
    """

    ours: list[Row]
    others: list[Row]
    found: int
    last_seq: int


@contextmanager
def claimed(keeper: Keeper, lookup: str, **asked: object) -> Iterator[Claim]:
    """Look events up and hold their strands until the end of the block."""
    shared = load("bookrunner.engine")
    with keeper.together() as within:
        rows: list[Row] = getattr(within, lookup)(**asked)
        if rows:
            # The answers are transactions of their own; this one stands still meanwhile, however long.
            within.using(shared).stand_still()
        others = [row for row in rows if not row["is_ours"]]
        ours = [row for row in rows if row["is_ours"]]
        left = _unanswered(within.using(shared), ours, asked)
        yield Claim(left, others, len(rows), rows[-1]["seq"] if rows else 0)


def _unanswered(lookups: Within, ours: list[Row], asked: Mapping[str, object]) -> list[Row]:
    """Leave out what another worker answered between our look and our hold of its strand.

    A look and the holds that it takes are one statement, which sees the world of its beginning. Only a second
    one, under the holds, sees what their last holder committed.
    """
    if not ours:
        return ours
    consumers = [row.get("consumer", asked.get("consumer")) for row in ours]
    left = {row["place"] for row in lookups.unanswered(consumers=consumers, **event_keys(ours))}
    return [row for place, row in enumerate(ours, start=1) if place in left]


def await_strand(keeper: Keeper, family: str, event: Row) -> None:
    """Wait until the worker that has the strand of an event is done, or for as long as a lock may take."""
    with suppress(Contention):
        keeper.await_strand(family=family, strand=event["strand"])
