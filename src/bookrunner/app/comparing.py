"""Comparing the books: all of an offer when its cadence says so, after events what they touched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from bookrunner.adapters.chain import Chain, ChainAnswerInvalid, ChainError
from bookrunner.app.witness import seen_balances, seen_supply
from bookrunner.core.errors import Unavailable
from bookrunner.core.ids import new_id
from bookrunner.core.log import tell, warn
from bookrunner.db import Row
from bookrunner.engine import Desk
from bookrunner.engine.desk import PROCESS
from bookrunner.reconciliation.outside import Outside, compare, read_export, read_mapping

EVENTS_AT_ONCE: Final = 2_000
_SILENT: Final = (ChainError, Unavailable)


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
        holders = [row["address"] for row in self._desk.engine.holders_on_chain(offering=offering)]
        shown = self._shown(self._desk.offer(offering), holders)
        self._desk.reconciliation.run(actor=actor, offering=offering, run=new_id("run"), chain=shown)
        breaks: Sequence[dict[str, Any]] = self._desk.engine.breaks(offering=offering)
        tell("the books are compared", offering=offering, break_count=len(breaks))
        return breaks

    def without_chain(self, offering: str, *, actor: str) -> None:
        """Compare everything but the chain."""
        self._desk.reconciliation.run(actor=actor, offering=offering, run=new_id("run"), chain=None)

    def before_closing(self, offering: str, *, actor: str) -> None:
        """Compare everything before a set is frozen; a node that is silent keeps no book from being read."""
        try:
            self.run(offering, actor=actor)
        except _SILENT as fault:
            warn("books are compared without the chain", offering=offering, kind=type(fault).__name__)
            self.without_chain(offering, actor=actor)

    def follow(self) -> int:
        """Compare what the events touched that were not followed yet; return up to where they were followed.

        One call follows so many events and no more: others may write on and on. An event that is followed
        twice is compared twice, which changes nothing. Returns 0 where there was nothing to follow.
        """
        touched = self._desk.reconciliation.touched(most=EVENTS_AT_ONCE)
        for row in touched:
            if row["offering_id"] is not None:
                self._touch(row)
        if not touched:
            return 0
        last = int(touched[0]["last_seq"])
        self._desk.reconciliation.follow(actor=PROCESS, seq=last)
        return last

    def keep_cadence(self) -> int:
        """Run what is due, and remind of breaks that are too old; return how many offers were compared.

        An offer whose node is silent is compared without its chain, and stays due.
        """
        ran = 0
        for row in self._desk.reconciliation.due_runs():
            self.before_closing(row["offering_id"], actor=PROCESS)
            ran += 1
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

    def _touch(self, row: Row) -> None:
        offering, only = row["offering_id"], list(row["only_these"])
        shown = None
        if row["is_about_units"]:
            named = self._desk.reconciliation.addresses_of(offering=offering, only=only)
            addresses = [each["address"] for each in named]
            try:
                shown = self._shown(self._desk.offer(offering), addresses)
            except _SILENT as fault:
                warn("books are compared without the chain", offering=offering, kind=type(fault).__name__)
                shown = None
            only += addresses
        self._desk.reconciliation.run_of(
            actor=PROCESS, offering=offering, run=new_id("run"), chain=shown, only=only
        )

    def _shown(self, offer: Row, holders: Sequence[str]) -> str | None:
        """Return what the chain holds of an offer as JSON, None without a token."""
        lines = seen_balances(self._chain, offer, holders)
        try:
            supply = seen_supply(self._chain, offer)
        except ChainAnswerInvalid:
            # An address without a contract has no supply; where the register has units, balances fail too.
            supply = None
        if lines is None:
            return None
        delivered = None if supply is None else int(str(supply["minted"])) - int(str(supply["undelivered"]))
        return json.dumps({"lines": lines, "delivered": delivered})
