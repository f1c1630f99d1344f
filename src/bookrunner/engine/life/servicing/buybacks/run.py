"""Accepted buy-backs on their way: money set apart, units burned and cancelled, their price owed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Final

from bookrunner.adapters.chain import Chain, ChainError, NodeRefused, burn_batch
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.log import tell, warn
from bookrunner.db import Keeper, Row
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.issuance import ChainStalled, Keys, Submitter, gas_for
from bookrunner.engine.life.servicing.distributions import Distributions

_PURPOSE: Final = "redemption"
# A burn costs less than a mint, and a batch has to fit into one transaction (EIP-7825).
MOST_WALLETS: Final = 100
PATIENCE_SECONDS: Final = 30

Lines = list[Row]


class Buybacks:
    """Drafts what pays a buy-back, and takes its units when that money is set apart.

    What a run has to do follows from the lines that are not cancelled and those that nobody is owed yet, so
    one that ends anywhere is carried on by the next.
    """

    def __init__(
        self, desk: Desk, chain: Chain, keys: Keys, submitter: Submitter, *, most: int = MOST_WALLETS
    ) -> None:
        self._most = most
        self._desk = desk
        self._chain = chain
        self._keys = keys
        self._submitter = submitter
        self._runs = Distributions(desk)
        self.money = Keeper(desk.database, "engine", "bookrunner.engine.life.servicing.buybacks")

    def draft(self, offering: str, buyback: str, *, pay_on: date, actor: str) -> str:
        """Draft what pays an accepted buy-back, and open its payees' screening; return its id.

        Refuses ``redemption_follows_its_acceptance``, ``record_date_is_reconciled`` and
        ``one_distribution_is_prepared``.
        """
        made = new_id("dst")
        named = {"offering": offering, "buyback": buyback, "distribution": made}
        self.money.draft_redemption(actor=actor, **named, pay_on=pay_on)
        tell("a distribution is drafted", offering=offering, subject=made)
        self._runs.screen(offering, made, actor=actor)
        return made

    def carry_announced(self, scopes: frozenset[str] | None) -> int | None:
        """Carry what is accepted in these offers, or in all; return in how many seconds to look again.

        None when no accepted buy-back has lines left.
        """
        for offering in sorted({row["offering_id"] for row in self._desk.buybacks.buybacks_accepted()}):
            if scopes is not None and offering not in scopes:
                continue
            try:
                self.carry(offering)
            except Refused as hindered:
                warn("a buy-back waits", offering=offering, rule=hindered.rule)
            except (ChainError, ChainStalled) as silent:
                warn("a buy-back waits", offering=offering, kind=type(silent).__name__)
        return PATIENCE_SECONDS if self._desk.buybacks.buybacks_accepted() else None

    def carry(self, offering: str) -> int:
        """Cancel what can be cancelled now and owe its price; return how many lines are owed anew.

        A line that something hinders waits alone: `redemption_lines` says for what.
        """
        token = bytes(self._desk.offer(offering)["token_address"] or b"")
        self._submitter.send_unfinished(offering)
        self._submitter.settle(offering, token)
        for row in self._desk.buybacks.buybacks_accepted():
            if row["offering_id"] == offering:
                self._cancel(offering, row["buyback_id"], token)
        return self._owe(offering)

    def _cancel(self, offering: str, buyback: str, token: bytes) -> None:
        plan = self._desk.buybacks.burn_plan(offering=offering, buyback=buyback)
        on = {"offering": offering, "buyback": buyback}
        for row in plan:
            if row["address"] is None:
                self._desk.buybacks.cancel_entries(actor=PROCESS, **on, holding=row["holding_id"])
        for lines in self._batches([row for row in plan if row["address"] is not None]):
            self._sign(on, token, lines)
        self._submitter.send_unfinished(offering)
        self._submitter.settle(offering, token)

    def _owe(self, offering: str) -> int:
        owed = 0
        for row in self.money.redemptions_paying(offering=offering):
            owed += self._runs.payments.declare_disbursements(
                actor=PROCESS, offering=offering, distribution=row["distribution_id"]
            )
        if owed:
            tell("lines of a buy-back are owed", offering=offering, rows=owed)
        return owed

    def _batches(self, plan: Lines) -> Iterator[list[Lines]]:
        """Yield batches of lines; a line stays together with all of its wallets."""
        batch: list[Lines] = []
        for _, wallets in groupby(plan, key=itemgetter("holding_id")):
            line = list(wallets)
            if batch and sum(map(len, batch)) + len(line) > self._most:
                yield batch
                batch = []
            batch.append(line)
        if batch:
            yield batch

    def _sign(self, on: dict[str, str], token: bytes, lines: list[Lines]) -> None:
        """Store one transaction; of lines that the token refuses together, those that it takes."""
        wallets = [row for line in lines for row in line]
        data = burn_batch([(bytes(row["address"]), row["units"]) for row in wallets])
        try:
            gas = gas_for(self._chain, (token, data), self._keys.agent.address)
        except NodeRefused:
            middle = len(lines) // 2
            if not middle:
                warn("the token refuses a burn", offering=on["offering"], subject=on["buyback"])
            for half in (lines[:middle], lines[middle:]) if middle else ():
                self._sign(on, token, half)
            return
        order = {
            "offering": on["offering"],
            "purpose": _PURPOSE,
            "intent": new_id("int"),
            "to": token,
            "data": data,
            "gas": gas,
            "terms": self._submitter.terms(),
        }
        told = [
            {
                "buyback": on["buyback"],
                "holding": row["holding_id"],
                "address": bytes(row["address"]).hex(),
                "units": -row["units"],
            }
            for row in wallets
        ]
        with self._desk.registry.together() as within:
            self._submitter.store(within, self._keys.agent, order, told)
