"""One closing after its freeze: instructions, signed batches, finality, posting, release, certificate.

Every step can be repeated after a crash: it reads what is left to do from the books.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice

from bookrunner.adapters.chain import MAX_LINES, Chain
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.issuance import PATIENCE_SECONDS, Deliveries, Keys, Postings, Submitter, Target, Terms

Progress = Callable[[str, int, int], None]

LOOK_SECONDS = 0.02
PARTS_AHEAD = 2
_ON_THEIR_WAY = frozenset({"instructed", "submitted"})


class ClosingRun:
    """Carries a frozen closing to the register, in the order that the design declares.

    ``lines`` is the most that one delivery carries; ``screen`` screens investors for their issuance; after
    ``patience_seconds`` more is offered for a delivery. The gates of the next members are computed while the
    chain confirms those before them. Two runs of one closing at a time do no harm.
    """

    def __init__(
        self,
        desk: Desk,
        chain: Chain,
        keys: Keys,
        *,
        pause: Callable[[], None],
        screen: Callable[[Sequence[str]], None],
        lines: int = MAX_LINES,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._desk = desk
        self._screen = screen
        self._chain = chain
        self._lines = lines
        self._submitter = Submitter(
            desk.registry, chain, keys, pause=pause, patience_seconds=patience_seconds
        )
        self._keys = keys

    def run(self, offering: str, closing: str, progress: Progress = lambda *_: None) -> int:
        """Issue every member whose gate is still open and return how many stand in the register.

        Escrow is not released here: two people do that, and the certificate follows. Refuses
        ``closing_exists``; a closing that is not frozen any more has nothing left to issue.
        """
        row = self._desk.engine.closing(closing=closing)
        if row is None or row["offering_id"] != offering:
            raise UnknownRecord("closing_exists", f"there is no closing {closing} in {offering}")
        if row["status"] != "frozen":
            return 0
        token = bytes(self._desk.engine.offer(offering=offering)["token_address"])
        progress("recover", 0, 1)
        # Bytes that an earlier run stored may be out: they are settled before anything new is signed.
        self._submitter.send_unfinished(offering)
        self._submitter.settle(offering, token)
        self._drop_stopped(offering, closing, self._members(offering, closing))
        signing = (self._chain, self._keys, self._submitter)
        target = Target(offering, closing, token)
        deliveries = Deliveries(self._desk, signing, target, lines=self._lines)
        # Lines of a transaction that did nothing are free again, and go out in another.
        while self._issue(deliveries, offering, closing, progress):
            pass
        progress("mark", 0, 1)
        issued: int = self._desk.engine.mark_issued(actor=PROCESS, offering=offering, closing=closing)
        return issued

    def _issue(self, deliveries: Deliveries, offering: str, closing: str, progress: Progress) -> bool:
        """Issue whoever waits; true when some wait again."""
        members = self._members(offering, closing)
        waiting = [m for m in members if m["issuance"] == "open"]
        if waiting:
            # The whole set first: from the gate to the register nothing waits for a list any more.
            progress("screen", 0, len(waiting))
            self._screen([m["investor_id"] for m in waiting])
        on_their_way = sum(m["issuance"] in _ON_THEIR_WAY for m in members)
        deliveries.expect(len(waiting) + on_their_way, progress)
        with Postings() as postings:
            deliveries.beside(postings)
            self._issue_in_parts(deliveries, offering, closing, waiting)
            deliveries.finish()
        members = self._members(offering, closing)
        if left := [m for m in members if m["issuance"] in _ON_THEIR_WAY]:
            raise Refused("closing_goes_forward", f"{len(left)} members of {closing} wait for nothing")
        self._drop_stopped(offering, closing, members)
        return any(m["issuance"] == "open" and m["stopped_because"] is None for m in members)

    def _issue_in_parts(
        self, deliveries: Deliveries, offering: str, closing: str, waiting: Sequence[Row]
    ) -> None:
        """Deliver part after part while those before are posted.

        Members whose wallets the token knows are instructed with the signature. Those of a part that the
        token would not take as it is are instructed first: the line at fault is stopped, the others go on.
        """
        deliveries.register()
        rows = self._desk.engine.issuable(offering=offering, closing=closing) if waiting else []
        left = deque(rows)
        deliveries.register(left)
        open_now = {row["investment_id"] for row in left}
        closed = [m for m in waiting if m["investment_id"] not in open_now]
        with ThreadPoolExecutor(1, thread_name_prefix="bookrunner-gates") as ahead:

            def prepare(part: Sequence[Row]) -> Future[None]:
                return ahead.submit(self._instruct, offering, closing, part)

            def issue(part: Sequence[Row]) -> Future[None]:
                if (terms := deliveries.try_out(part)) is None:
                    return prepare(part)
                signing.append(ahead.submit(self._issue_part, deliveries, (offering, closing), part, terms))
                return signing[-1]

            signing: deque[Future[None]] = deque()
            under_way = deque([prepare(closed)] if closed else [])
            try:
                while left or under_way:
                    while under_way and under_way[0].done():
                        under_way.popleft().result()
                        deliveries.register()
                    begun = len(under_way)
                    part = list(islice(left, deliveries.most())) if begun < PARTS_AHEAD else []
                    if part and deliveries.may_issue(part, begun):
                        under_way.append(issue(_take(left, len(part))))
                    is_signing = bool(signing) and not signing[-1].done()
                    goes_on = deliveries.go_on(may_pause=not is_signing)
                    if under_way and len(under_way) == begun and (is_signing or not goes_on):
                        wait([under_way[0]], LOOK_SECONDS)
            finally:
                ahead.shutdown(cancel_futures=True)

    def _issue_part(
        self, deliveries: Deliveries, of: tuple[str, str], part: Sequence[Row], terms: Terms
    ) -> None:
        """Issue those of a part whose gate is open; the others leave the set."""
        offering, closing = of
        self._answer_new_lists(offering, [m["investor_id"] for m in part])
        if refused := deliveries.issue(part, terms):
            self._leave(offering, closing, refused, "its gate closed before the instruction")

    def _instruct(self, offering: str, closing: str, part: Sequence[Row]) -> None:
        """Compute the gates of one part and instruct those that pass; the others leave the set."""
        self._answer_new_lists(offering, [m["investor_id"] for m in part])
        members = [{"investment": m["investment_id"], "instruction": new_id("ins")} for m in part]
        refused = self._desk.registry.instruct(
            actor=PROCESS, offering=offering, closing=closing, members=members
        )
        if refused:
            self._leave(offering, closing, sorted(refused), "its gate closed before the instruction")

    def _answer_new_lists(self, offering: str, investors: Sequence[str]) -> None:
        """Screen those whom a list that came into force since the set was screened has not answered for."""
        lists = {row["source"]: row["list_version"] for row in self._desk.compliance.lists_in_force()}
        if before := self._desk.engine.screened_before(offering=offering, investors=investors, lists=lists):
            self._screen([row["investor_id"] for row in before])

    def _waits(self, offering: str, closing: str) -> list[Row]:
        return [m for m in self._members(offering, closing) if m["issuance"] == "open"]

    def _members(self, offering: str, closing: str) -> list[Row]:
        members: list[Row] = self._desk.engine.frozen_members(offering=offering, closing=closing)
        return members

    def _leave(self, offering: str, closing: str, investments: Sequence[str], because: str) -> None:
        self._desk.engine.leave_closing(
            actor=PROCESS, offering=offering, closing=closing, investments=list(investments), because=because
        )

    def _drop_stopped(self, offering: str, closing: str, members: Sequence[Row]) -> None:
        """Let those go whose instruction was stopped: their money waits in escrow."""
        gone: dict[str, list[str]] = {}
        for m in members:
            if m["issuance"] == "open" and m["stopped_because"] is not None:
                gone.setdefault(m["stopped_because"], []).append(m["investment_id"])
        for because, investments in sorted(gone.items()):
            self._leave(offering, closing, investments, because)


def _take(left: deque[Row], most: int) -> list[Row]:
    return [left.popleft() for _ in range(min(most, len(left)))]


def finish_release(desk: Desk, offering: str, closing: str) -> str:
    """Mark a closing released after its escrow went out, certify it, and return the certificate's text.

    May be repeated: a closing that is certified keeps its certificate.
    """
    row = desk.engine.closing(closing=closing)
    if row["status"] == "certified":
        kept: str = desk.engine.certificate(offering=offering, closing=closing)["canonical"]
        return kept
    if row["status"] == "issued":
        desk.engine.mark_released(actor=PROCESS, offering=offering, closing=closing)
        row = desk.engine.closing(closing=closing)
    if row["status"] != "released":
        raise Refused("closing_is_released", f"{closing} is {row['status']}")
    certificate: str = desk.engine.certify(actor=PROCESS, offering=offering, closing=closing)
    return certificate
