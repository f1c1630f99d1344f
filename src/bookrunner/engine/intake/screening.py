"""Whoever comes in or changes is screened: the events that say so, the work they make, who is concerned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from bookrunner.adapters.screening import MATCHER_VERSION, EntryKind
from bookrunner.adapters.vault import Vault
from bookrunner.audit import advance_feed
from bookrunner.books.compliance import WALLET, Particulars, ScreeningDesk, record_particulars
from bookrunner.books.portal import reveal
from bookrunner.core.errors import Refused
from bookrunner.core.log import tell, warn
from bookrunner.db import Row, Within, load, retrying
from bookrunner.engine.desk import PROCESS, Desk

CONSUMER: Final = "screening"
BATCH: Final = 1_000
SCREENERS: Final = 3
_NEW: Final = "profile.completed"
_CHANGED: Final = "profile.amended"
_CLAIMED: Final = "wallet_claim.claimed"
_BOOKED: Final = "receipt.booked"
_PAID: Final = "receipt.matched"
_HIT: Final = "screening.hit"
# What is said of a listed wallet whose hit cannot be read any more.
_DAMAGED: Final = "an entry that its event does not tell any more"
KINDS: Final = (_NEW, _CHANGED, _CLAIMED, _BOOKED, _PAID, _HIT)
# A bank names who paid and not of which kind: under the account, and under this beside it.
_PAYER_KINDS: Final = ((EntryKind.PERSON, ""), (EntryKind.ENTITY, ":entity"))


@dataclass(frozen=True, slots=True)
class _Concerned:
    """A subject that comes in beside an investor, with the event that brought it."""

    cause: str
    subject: str
    investor: str
    role: str


class Screening:
    """Answers each event that brings in or changes somebody; what it makes wait is screened at once.

    A payer, signer or wallet is screened first and tied to its investor after, so that the clearance
    of the investor waits for nothing that is done in between.
    """

    def __init__(self, desk: Desk, *, before_recording: Callable[[int], None] = lambda _: None) -> None:
        self._desk = desk
        self._after = 0
        self._shared = load("bookrunner.engine")
        self._screens = ScreeningDesk(desk.compliance, self._births, before_recording=before_recording)
        self._safe = Vault.of(desk.database.endpoint.secrets)

    def drain(self) -> int:
        """Answer every waiting event and screen until nobody waits; return how many of both."""
        answered = 0
        while True:
            advance_feed(self._desk.database)
            end: int = self._desk.engine.feed_end()
            waiting: Sequence[Row] = ()
            if end != self._after:
                waiting = self._desk.engine.pending_reactions(
                    after=self._after,
                    kinds=list(KINDS),
                    by_scope=[],
                    passed=[],
                    consumer=CONSUMER,
                    most=BATCH,
                )
            screened = self._answer(waiting)
            answered += len(waiting) + screened
            if len(waiting) == BATCH:
                self._after = waiting[-1]["seq"]
                continue
            self._after = end
            if not waiting and not screened:
                return answered

    def for_issuance(self, investors: Sequence[str]) -> None:
        """Screen everybody on whom these investors rest, for their issuance, on the lists in force.

        Who gives a hit, or cannot be screened, has a closed gate and stays behind alone. Refuses
        ``issuance_is_screened`` when nobody could be screened at all, as when every list is too old.
        """
        book, asked = self._desk.compliance, sorted(set(investors))
        for first in range(0, len(asked), BATCH):
            part = asked[first : first + BATCH]
            retrying(partial(book.enlist_for_issuance, actor=PROCESS, investors=part))
        waiting = self._answered_for(asked)
        if len(waiting) == len(asked):
            raise Refused("issuance_is_screened", f"none of {len(asked)} investors could be screened now")
        for investor in waiting:
            warn("an issuance is not screened", subject=investor)

    def _answered_for(self, investors: Sequence[str]) -> list[str]:
        """Screen, or wait for who else screens them, and return the investors who still wait after it."""
        book, waiting = self._desk.compliance, list(investors)
        for attempt in range(SCREENERS):
            if attempt:
                # Another worker may hold them: he records an answer, or dies and leaves them to us.
                retrying(partial(book.await_screeners, actor=PROCESS, investors=waiting))
            self._screens.answer()
            waiting = [row["investor_id"] for row in book.unanswered(investors=investors)]
            if not waiting:
                break
        return waiting

    def age(self) -> int:
        """Open the screening of everybody whose last one lapses soon; return how many."""
        opened: int = self._desk.compliance.enlist_aged(actor=PROCESS, matcher_version=MATCHER_VERSION)
        if opened:
            tell("screenings have aged", subjects=opened)
        return opened

    def _answer(self, events: Sequence[Row]) -> int:
        found = [event for event in events if event["kind"] == _HIT]
        others = [event for event in events if event["kind"] != _HIT]
        if found:
            retrying(lambda: self._reject(found))
        if not others:
            return self._screens.answer()
        concerned = retrying(lambda: self._enlist(others))
        screened = self._screens.answer()
        retrying(lambda: self._tie(others, concerned))
        return screened

    def _enlist(self, events: Sequence[Row]) -> list[_Concerned]:
        """Open the screenings that events ask for. Repeated after a crash, they are opened once more."""
        investors = {event["subject"]: event for event in events if event["kind"] in {_NEW, _CHANGED}}
        wallets = [_wallet(event) for event in events if event["kind"] == _CLAIMED and event["payload"]]
        paid = [event for event in events if event["kind"] in {_BOOKED, _PAID}]
        payers, given = self._payers(paid)
        with self._desk.compliance.together() as within:
            signers = list(within.profile_signers(investors=sorted(investors)))
            given += [
                (_signer(row), Particulars(EntryKind.PERSON, (row["representative"],))) for row in signers
            ]
            record_particulars(within, self._safe, _once(given), actor=PROCESS)
            for made_for, kind in (("onboarding", _NEW), ("change", _CHANGED)):
                subjects = [one for one, event in investors.items() if event["kind"] == kind]
                if kind == _NEW:
                    subjects += [wallet.subject for wallet in wallets]
                if subjects:
                    within.enlist_subjects(actor=PROCESS, subjects=subjects, made_for=made_for)
        named = [
            _Concerned(_name(investors[row["investor_id"]]), _signer(row), row["investor_id"], "signer")
            for row in signers
        ]
        return [*named, *wallets, *payers]

    def _tie(self, events: Sequence[Row], concerned: Iterable[_Concerned]) -> None:
        """Take the events and tie those whom they brought to their investors, in one transaction."""
        with self._desk.compliance.together() as within:
            taken = self._take(within, events)
            within.concern_investor.each(
                {"actor": PROCESS, "subject": one.subject, "investor": one.investor, "role": one.role}
                for one in sorted(concerned, key=lambda one: (one.investor, one.subject))
                if one.cause in taken
            )

    def _reject(self, events: Sequence[Row]) -> None:
        """Reject the claimed wallets that stand on a list, with the entry; any other hit is a case alone."""
        matched = {_name(event): (event["payload"] or {}).get("matched", _DAMAGED) for event in events}
        of_wallets = [event for event in events if event["scope"].startswith(WALLET)]
        waiting = self._desk.engine.claimed_wallets(
            scopes=[event["scope"] for event in of_wallets],
            subjects=[event["subject"] for event in of_wallets],
            versions=[event["version"] for event in of_wallets],
        )
        with self._desk.registry.together() as within:
            taken = self._take(within, events)
            within.reject_wallet.each(
                {
                    "actor": PROCESS,
                    "offering": row["offering_id"],
                    "mapping": row["mapping_id"],
                    "because": f"listed as {matched[row['cause']]}",
                }
                for row in waiting
                if row["cause"] in taken
            )

    def _take(self, within: Within, events: Sequence[Row]) -> set[str]:
        """Take events for this consumer; return the names of those that nobody took before."""
        fresh = within.using(self._shared).react.each(
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
        return {_name(event) for event, is_new in zip(events, fresh, strict=True) if is_new}

    def _payers(self, events: Sequence[Row]) -> tuple[list[_Concerned], list[tuple[str, Particulars]]]:
        """Return who paid for an investor, by account, and the name that the bank gave of each payer."""
        if not events:
            return [], []
        found = self._desk.engine.payers(
            scopes=[event["scope"] for event in events],
            subjects=[event["subject"] for event in events],
            versions=[event["version"] for event in events],
        )
        payers, given = [], []
        for row in found:
            for kind, mark in _PAYER_KINDS:
                payer = row["payer"] + mark
                given.append((payer, Particulars(kind, (row["sender"],))))
                if row["investor_id"] is not None:
                    payers.append(_Concerned(row["cause"], payer, row["investor_id"], "payer"))
        return payers, given

    def _births(self, wanted: Sequence[tuple[str, int]]) -> Mapping[str, date]:
        """Open birth dates; each view is an event, and one that was erased is left out."""
        found = {}
        for investor, detail_version in wanted:
            try:
                said = reveal(
                    self._desk.portal, investor, detail_version, actor=PROCESS, purpose="sanctions screening"
                )
            except Refused as refused:
                warn("a birth date is not opened", subject=investor, rule=refused.rule)
                continue
            if "birth_date" in said:
                found[investor] = date.fromisoformat(said["birth_date"])
        return found


def _once(given: Iterable[tuple[str, Particulars]]) -> list[tuple[str, Particulars]]:
    return list(dict(given).items())


def _wallet(event: Row) -> _Concerned:
    address = event["payload"]["address"].removeprefix("\\x")
    return _Concerned(_name(event), f"{WALLET}{address}", event["payload"]["investor_id"], "wallet")


def _signer(row: Row) -> str:
    return f"signer:{row['investor_id']}"


def _name(event: Row) -> str:
    return f"{event['subject']}@{event['version']}"
