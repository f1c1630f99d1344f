"""What a worker does over and over: looks outward, does what the clock tells, and follows the feed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from bookrunner.audit import advance_feed, seal
from bookrunner.books.treasury import clear_due, return_due, send_waiting
from bookrunner.core import clock
from bookrunner.engine.desk import PROCESS
from bookrunner.engine.intake import TokenWatch, look_at_envelopes
from bookrunner.engine.life.post import try_notices
from bookrunner.engine.life.servicing.filings import follow_all
from bookrunner.engine.process import Clocks, Errand, Errands, Scopes, Timed, TransferScreening

if TYPE_CHECKING:
    from bookrunner.adapters.payments.dispatch import Dispatch
    from bookrunner.app import Application

OUTWARD_SECONDS: Final = 2
RETRY_SECONDS: Final = 60
FILING_SECONDS: Final = 600
PASSES: Final = 3
_STARTED: Final = frozenset({"key_stop.started", "key_stop.mistaken"})
_ORDERED: Final = frozenset(
    {
        "refund.created",
        "refund.reopened",
        "refund.withdrawn",
        "payout.withdrawn",
        "debit.ordered",
        "release.sent",
        # Money goes back to nobody who is not screened.
        "screening.screened_clear",
        "screening.adjudicated",
        "screening.released",
    }
)
# A split or conversion waits for its time and for what is under way; a pause that is executed lets it begin.
_SPLITTING: Final = frozenset({"split.approved", "split.begun", "control_action.executed"})
# Units of a buy-back go when its money is there, and when what hindered a holder is over.
_REDEEMING: Final = frozenset({"distribution.started", "buyback.accepted", "control_action.executed"})
# Units are issued when their distribution is started, and when what hindered a holder is over.
_REINVESTING: Final = frozenset({"distribution.started", "control_action.executed"})
_CONVERTING: Final = frozenset({"conversion.approved", "conversion.begun", "control_action.executed"})
_OWED: Final = frozenset(
    {
        "disbursement.declared",
        "disbursement.retried",
        "disbursement.withdrawn",
        "paying_wallet.put_in_force",
    }
)
PUT_RIGHT: Final = _STARTED | {
    "delivery_stop.acknowledged",
    "watchlist.activated",
    "watchlist.checked",
    "watchlist.reinstated",
    "control_action.executed",
}
"""The events after which a closing that a rule refused may go on."""


class Tending:
    """The rounds of one worker over an installation."""

    def __init__(self, app: Application, outbox: Dispatch | None) -> None:
        self._app = app
        self._outbox = outbox
        self._transfers = TransferScreening(app.desk, app.screening)
        self._tokens = TokenWatch(app.desk, app.chain)
        self._papers = Errands(
            app.desk, [Errand("certificates", frozenset({"certificate.due"}), self._certify)]
        )
        self.errands = Errands(app.desk, list(self._outgoing()))
        self._clocks = Clocks(app.desk, [*self._looks(), *self._timed()])
        self._answered: int | None = None
        self._sealed: int | None = None
        self._compared = 0

    def watch_token(self, offering: str) -> int:
        """Read the final transfers of an offer's token on; return how many were none of ours."""
        return self._tokens.watch(offering)

    def tend(self, look_seconds: int | None = None) -> None:
        """Do one round; ``look_seconds`` stands for the periods of the work by the clock.

        In a round without anything new, due or from outside, only the end of the feed is read.
        """
        end = self._follow()
        if self._clocks.look(look_seconds):
            end = self._follow()
        if end > self._compared:
            # Another worker may have followed the feed already.
            self._compared = self._app.comparing.follow() or end
        if end != self._sealed:
            seal(self._app.database)
            self._sealed = end

    def _follow(self) -> int:
        end = self.answer(patient=False)
        self.errands.hear(end)
        return self.answer(patient=False) if self.errands.run() else end

    def answer(self, *, patient: bool = True) -> int:
        """Answer every event, screen whoever waits, certify what is executed; return the end of the feed.

        What another worker has under its hands is waited for, or left to the next round. What others write
        meanwhile makes no second pass; what was answered does, a few times in a round.
        """
        process, end = self._app.process, self._end()
        passes = PASSES
        while end != self._answered:
            done = process.drain(patient=patient)
            for work in (self._app.screening.drain, self._transfers.drain):
                while work():
                    done += 1 + process.drain(patient=patient)
            self._papers.hear(end)
            done += self._papers.run()
            if not process.has_seen(end):
                break
            self._answered = end
            passes -= 1
            if not done or (not patient and not passes):
                break
            end = self._end()
        return end

    def _end(self) -> int:
        advance_feed(self._app.database)
        end: int = self._app.desk.engine.feed_end()
        return end

    def _outgoing(self) -> list[Errand]:
        app, outbox = self._app, self._outbox
        stopped = _STARTED | {"delivery_stop.acknowledged"}
        approved = {"transfer_request.approved", "transfer_request.reverted"}
        found = [
            Errand("control actions", stopped | {"control_action.approved"}, app.controls.carry_announced),
            Errand("transfers", stopped | approved, app.transfers.carry_announced),
            Errand("splits", stopped | _SPLITTING, app.splits.carry_announced),
            Errand("buy-backs", stopped | _REDEEMING, app.buybacks.carry_announced),
            Errand("conversions", stopped | _CONVERTING, app.conversions.carry_announced),
            Errand("reinvestments", stopped | _REINVESTING, app.reinvestments.carry_announced),
            Errand("payments in tokens", stopped | _OWED, app.payments.carry_announced),
        ]
        if app.post is not None:
            send = partial(try_notices, app.desk, app.post)
            found.append(Errand("mail", frozenset({"notice.written"}), lambda _: send()))
        if outbox is not None:
            found.append(Errand("bank orders", _ORDERED, lambda _: self._order(outbox)))
        if app.deposits is not None:
            opened = frozenset({"payment_attempt.released", "accepted_coin.accepted"})
            addresses = app.deposits.open_addresses
            found.append(Errand("deposit addresses", opened, lambda _: addresses()))
        return found

    def _looks(self) -> list[Timed]:
        """Return what only the outside can tell."""
        app = self._app
        found: list[Timed] = []
        if app.folder is not None:
            says = "takes list files that somebody put into the folder"
            found.append(_look("list folder", says, app.folder.look))
        if app.deposits is not None:
            found.append(_look("deposits", "reads what a chain says was paid in", app.deposits.read))
        says = "reads transfers of the tokens that no request of ours asked for"
        found.append(_look("tokens", says, self._tokens.watch_all))
        says = "asks an e-sign provider whose notice may never come"
        envelopes = partial(look_at_envelopes, app.signing, app.signer)
        return [*found, Timed("envelopes", 60, says, envelopes)]

    def _timed(self) -> list[Timed]:
        """Return what only the clock can tell."""
        app, treasury = self._app, self._app.desk.treasury
        return [
            Timed(
                "lapses", 60, "closes what has an end: clearances, reservations, offers", app.process.expire
            ),
            Timed("ages", 60, "opens screenings before they are too old", self._age),
            Timed("clearing", 60, "clears money that cannot come back any more", _daily(clear_due, treasury)),
            Timed(
                "unowned money", 60, "sends back what nobody owned in its time", _daily(return_due, treasury)
            ),
            Timed(
                "payouts",
                60,
                "ends paid distributions, ages what nobody claimed",
                lambda: app.distributions.look(clock.today()),
            ),
            Timed("archive", 60, "compares the next part of the archive with its hashes", app.check_archive),
            Timed("cadence", 60, "compares books whose day has come", self._app.comparing.keep_cadence),
            Timed(
                "filings", FILING_SECONDS, "opens filings whose day no event tells of", self._follow_filings
            ),
            Timed("votes", 60, "closes votes whose time is over", self._close_votes),
            *self._anchoring(),
            Timed("left over", 60, "takes up what a worker heard of and left when it died", self._take_up),
        ]

    def _anchoring(self) -> list[Timed]:
        anchors = self._app.anchors
        says = "writes the root of the newest seal to the chain when its day has come"
        return [] if anchors is None else [Timed("anchors", 60, says, anchors.keep_cadence)]

    def _follow_filings(self) -> None:
        follow_all(self._app.desk.filings, actor=PROCESS)

    def _close_votes(self) -> None:
        self._app.desk.actions.close_votes(actor=PROCESS)

    def _age(self) -> None:
        # No event tells of a screening that is opened anew; the drain asks the book for it.
        if self._app.screening.age():
            self._answered = None

    def _take_up(self) -> None:
        self._answered = None
        self._papers.open_all()
        self.errands.open_all()
        self._transfers.look()

    def _certify(self, _: Scopes) -> int | None:
        return RETRY_SECONDS if self._app.certificates.make_all() else None

    def _order(self, outbox: Dispatch) -> int | None:
        send_waiting(self._app.desk.treasury, outbox)
        return RETRY_SECONDS if self._app.desk.treasury.offers_with_orders() else None


def _look(name: str, says: str, run: Callable[[], object]) -> Timed:
    return Timed(name, OUTWARD_SECONDS, says, run, shared=False)


def _daily(work: Callable[..., int], treasury: object) -> Callable[[], int]:
    return lambda: work(treasury, clock.today())
