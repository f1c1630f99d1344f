"""Comparing the books: all of an offer when its cadence says so, after events what they touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bookrunner.adapters.chain import Chain, ChainError
from bookrunner.app.witness import Witness, seen_units
from bookrunner.core.errors import Unavailable
from bookrunner.core.ids import new_id
from bookrunner.core.log import tell, warn
from bookrunner.db import Row
from bookrunner.engine import Desk
from bookrunner.engine.desk import PROCESS
from bookrunner.reconciliation.outside import Outside, compare, read_export, read_mapping

EVENTS_AT_ONCE: Final = 2_000
LOOKS: Final = 4
_SILENT: Final = (ChainError, Unavailable)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the chain showed as JSON, None where nobody looked, and the addresses that were asked for."""

    chain: str | None = None
    addresses: Sequence[str] = ()


NOTHING_SEEN: Final = Seen()


class Comparing:
    """Runs the comparisons of the reconciliation and shows them what the chain holds at its final block."""

    def __init__(self, desk: Desk, chain: Chain) -> None:
        self._desk = desk
        self._chain = chain

    def run(self, offering: str, *, actor: str) -> Sequence[dict[str, Any]]:
        """Compare the five books and the chain; return every break that nothing has verified.

        Raises ChainError or Unavailable when the node gives no answer: without the chain holdings
        are not compared.
        """
        self._whole(offering, self._look(offering), actor=actor)
        breaks: Sequence[dict[str, Any]] = self._desk.engine.breaks(offering=offering)
        tell("the books are compared", offering=offering, break_count=len(breaks))
        return breaks

    def without_chain(self, offering: str, *, actor: str) -> None:
        """Compare everything but the chain."""
        self._whole(offering, NOTHING_SEEN, actor=actor)

    def before_closing(self, offering: str, *, actor: str) -> None:
        """Compare everything before a set is frozen; a node that is silent keeps no book from being read."""
        self._whole(offering, self._or_nothing(offering, self._if_it_answers(offering)), actor=actor)

    def follow(self) -> int:
        """Compare what the events touched that were not followed yet; return up to where they were followed.

        One call follows so many events and no more: others may write on and on. An event that is followed
        twice is compared twice, which changes nothing; what needs a silent node waits for the cadence.
        Returns 0 where there was nothing to follow.
        """
        touched = self._desk.reconciliation.touched(most=EVENTS_AT_ONCE)
        for row in touched:
            if row["offering_id"] is None:
                continue
            named = {"offering": row["offering_id"], "only": list(row["only_these"])}
            seen = self._if_it_answers(**named) if row["is_about_units"] else NOTHING_SEEN
            self._touch(**named, seen=self._or_nothing(row["offering_id"], seen))
            if seen is None:
                self._desk.reconciliation.leave_unseen(actor=PROCESS, **named)
        if not touched:
            return 0
        last = int(touched[0]["last_seq"])
        self._desk.reconciliation.follow(actor=PROCESS, seq=last)
        return last

    def keep_cadence(self) -> int:
        """Run what is due or waits for the chain, remind of old breaks; return how many offers were compared.

        While its node is silent, what waits for the chain waits on, and an offer that is due is compared
        without its chain once in each of its periods, and stays due.
        """
        for row in self._desk.reconciliation.unseen():
            named = {"offering": row["offering_id"], "only": list(row["only_these"])}
            seen = self._if_it_answers(**named)
            if seen is not None:
                self._touch(**named, seen=seen)
                self._desk.reconciliation.see(actor=PROCESS, **named, until=row["until"])
        ran = sum(map(self._keep, self._desk.reconciliation.due_runs()))
        if reminded := self._desk.reconciliation.remind(actor=PROCESS):
            warn("breaks are older than they should be", break_count=reminded)
        return ran

    def against(self, offering: str, export: bytes, mapping: bytes) -> Outside:
        """Compare our books with the export of a system that is not ours; writes nothing.

        Raises Malformed as `read_mapping` and `read_export` do.
        """
        mapped, ask = read_mapping(mapping), self._desk.reconciliation
        ours = {
            "investments": ask.our_investments,
            "payments": ask.our_payments,
            "wallets": ask.our_wallets,
            "holdings": ask.our_holdings,
        }
        theirs = read_export(export, mapped, str(self._desk.offer(offering)["currency"]))
        return compare(list(ours[mapped.book](offering=offering)), theirs, mapped)

    def _keep(self, row: Row) -> bool:
        seen = self._if_it_answers(row["offering_id"])
        if (seen is None or seen.chain is None) and row["was_compared_without_chain"]:
            return False
        self._whole(row["offering_id"], self._or_nothing(row["offering_id"], seen), actor=PROCESS)
        return True

    def _whole(self, offering: str, seen: Seen, *, actor: str) -> None:
        self._desk.reconciliation.run(actor=actor, offering=offering, run=new_id("run"), chain=seen.chain)

    def _touch(self, offering: str, only: list[str], *, seen: Seen) -> None:
        self._desk.reconciliation.run_of(
            actor=PROCESS,
            offering=offering,
            run=new_id("run"),
            chain=seen.chain,
            only=[*only, *seen.addresses],
        )

    def _if_it_answers(self, offering: str, only: Sequence[str] | None = None) -> Seen | None:
        try:
            return self._look(offering, only)
        except _SILENT:
            return None

    def _or_nothing(self, offering: str, seen: Seen | None) -> Seen:
        if seen is None:
            warn("books are compared without the chain", offering=offering)
        return seen or NOTHING_SEEN

    def _look(self, offering: str, only: Sequence[str] | None = None) -> Seen:
        """Look at the chain, and once more where the books have other units than it showed.

        The books go on while the chain is read: a posting in between is no difference. What the books had
        stands as one only where neither look, before it was read and after, nor anything between shows it;
        where the chain moves meanwhile, it is looked at again, a few times.
        """
        seen, addresses = self._witness(offering, only)
        standing: list[tuple[str, str]] = []
        for _ in range(LOOKS):
            if seen is None:
                return NOTHING_SEEN
            among = None if only is None else [*only, *addresses]
            apart = self._desk.reconciliation.units_apart(offering=offering, only=among, chain=seen.says())
            again, addresses = (seen, addresses) if not apart else self._witness(offering, only)
            if again is None:
                return NOTHING_SEEN
            said = [(row["kind"], row["subject_id"], row["units"]) for row in apart]
            standing = [(kind, at) for kind, at, units in said if again.bears_out(seen, kind, at, units)]
            seen = again
            if len(standing) == len(said):
                break
        return NOTHING_SEEN if seen is None else Seen(seen.says(standing), addresses)

    def _witness(self, offering: str, only: Sequence[str] | None) -> tuple[Witness | None, list[str]]:
        if only is None:
            named = self._desk.engine.holders_on_chain(offering=offering)
        else:
            named = self._desk.reconciliation.addresses_of(offering=offering, only=list(only))
        addresses = [each["address"] for each in named]
        return seen_units(self._chain, self._desk.offer(offering), addresses), addresses
