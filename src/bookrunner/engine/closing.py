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
from bookrunner.engine.issuance import PATIENCE_SECONDS, Deliveries, Keys, Submitter, Target

Progress = Callable[[str, int, int], None]

LOOK_SECONDS = 0.05
PARTS_AHEAD = 2


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
        self._drop_stopped(offering, closing)
        signing = (self._chain, self._keys, self._submitter)
        target = Target(offering, closing, token)
        deliveries = Deliveries(self._desk, signing, target, lines=self._lines)
        self._issue(deliveries, offering, closing, progress)
        # Lines of a transaction that did nothing are free again, and go out in another.
        while self._waits(offering, closing):
            self._issue(deliveries, offering, closing, progress)
        progress("mark", 0, 1)
        issued: int = self._desk.engine.mark_issued(actor=PROCESS, offering=offering, closing=closing)
        return issued

    def _issue(self, deliveries: Deliveries, offering: str, closing: str, progress: Progress) -> None:
        waiting = self._waits(offering, closing)
        if waiting:
            # The whole set first: from the gate to the register nothing waits for a list any more.
            progress("screen", 0, len(waiting))
            self._screen([m["investor_id"] for m in waiting])
        deliveries.expect(len(waiting) + len(self._on_their_way(offering, closing)), progress)
        self._instruct_in_parts(deliveries, offering, closing, waiting)
        deliveries.finish()
        if left := self._on_their_way(offering, closing):
            raise Refused("closing_goes_forward", f"{len(left)} members of {closing} wait for nothing")
        self._drop_stopped(offering, closing)

    def _instruct_in_parts(
        self, deliveries: Deliveries, offering: str, closing: str, waiting: Sequence[Row]
    ) -> None:
        """Compute the gates of one part while those before it are registered, delivered and posted."""
        deliveries.register()
        parts = iter([waiting[start : start + MAX_LINES] for start in range(0, len(waiting), MAX_LINES)])
        with ThreadPoolExecutor(1, thread_name_prefix="bookrunner-gates") as ahead:

            def begin(most: int) -> list[Future[None]]:
                return [ahead.submit(self._instruct, offering, closing, part) for part in islice(parts, most)]

            under_way = deque(begin(PARTS_AHEAD))
            try:
                while under_way:
                    while not under_way[0].done():
                        if not deliveries.go_on():
                            wait([under_way[0]], LOOK_SECONDS)
                    under_way.popleft().result()
                    under_way.extend(begin(1))
                    deliveries.register()
            finally:
                ahead.shutdown(cancel_futures=True)

    def _waits(self, offering: str, closing: str) -> list[Row]:
        members = self._desk.engine.frozen_members(offering=offering, closing=closing)
        return [m for m in members if m["issuance"] == "open"]

    def _instruct(self, offering: str, closing: str, part: Sequence[Row]) -> None:
        """Compute the gates of one part and instruct those that pass; the others leave the set."""
        investors = [m["investor_id"] for m in part]
        # A list that came into force since the set was screened answers for them first.
        lists = {row["source"]: row["list_version"] for row in self._desk.compliance.lists_in_force()}
        if before := self._desk.engine.screened_before(offering=offering, investors=investors, lists=lists):
            self._screen([row["investor_id"] for row in before])
        members = [{"investment": m["investment_id"], "instruction": new_id("ins")} for m in part]
        refused = self._desk.registry.instruct(
            actor=PROCESS, offering=offering, closing=closing, members=members
        )
        if refused:
            self._leave(offering, closing, sorted(refused), "its gate closed before the instruction")

    def _leave(self, offering: str, closing: str, investments: Sequence[str], because: str) -> None:
        self._desk.engine.leave_closing(
            actor=PROCESS, offering=offering, closing=closing, investments=list(investments), because=because
        )

    def _on_their_way(self, offering: str, closing: str) -> list[str]:
        members = self._desk.engine.frozen_members(offering=offering, closing=closing)
        return [m["investment_id"] for m in members if m["issuance"] in {"instructed", "submitted"}]

    def _drop_stopped(self, offering: str, closing: str) -> None:
        """Let those go whose instruction was stopped: their money waits in escrow."""
        gone: dict[str, list[str]] = {}
        for m in self._desk.engine.frozen_members(offering=offering, closing=closing):
            if m["issuance"] == "open" and m["stopped_because"] is not None:
                gone.setdefault(m["stopped_because"], []).append(m["investment_id"])
        for because, investments in sorted(gone.items()):
            self._leave(offering, closing, investments, because)


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
