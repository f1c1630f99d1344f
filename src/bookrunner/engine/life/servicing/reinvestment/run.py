"""Units of started distributions on their way to chain and register, by the agent's key, exactly once."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Final

from bookrunner.adapters.chain import Chain, ChainError
from bookrunner.core.countries import country_number
from bookrunner.core.errors import Refused
from bookrunner.core.log import tell, warn
from bookrunner.db import Keeper
from bookrunner.engine.desk import Desk
from bookrunner.engine.issuance import ChainStalled, Keys, Submitter, register_missing
from bookrunner.engine.life.servicing.actions.minting import Minting, token_of

_PURPOSE: Final = "reinvestment"
# Minting to a wallet costs more than a transfer, and a batch has to fit into one transaction (EIP-7825).
MOST_WALLETS: Final = 100
PATIENCE_SECONDS: Final = 30


class Reinvestments:
    """Mints what holders get instead of money, once their distribution is started, and posts it.

    What a run has to do follows from the lines that the register has no units for, so one that ends anywhere
    is carried on by the next. A holder that something hinders waits alone.
    """

    def __init__(
        self, desk: Desk, chain: Chain, keys: Keys, submitter: Submitter, *, most: int = MOST_WALLETS
    ) -> None:
        self._desk = desk
        self._signing = (chain, keys, submitter)
        self._submitter = submitter
        self._minting = Minting(desk, self._signing, _PURPOSE, most)
        self.runs = Keeper(desk.database, "engine", "bookrunner.engine.life.servicing.reinvestment")

    def carry_announced(self, scopes: frozenset[str] | None) -> int | None:
        """Issue what is owed in these offers, or in all; return in how many seconds to look again.

        None when nobody is owed units.
        """
        for row in self._desk.reinvestment.offers_that_issue():
            offering = row["offering_id"]
            if scopes is not None and offering not in scopes:
                continue
            try:
                self.carry(offering)
            except Refused as hindered:
                warn("units of a reinvestment wait", offering=offering, rule=hindered.rule)
            except (ChainError, ChainStalled) as silent:
                warn("units of a reinvestment wait", offering=offering, kind=type(silent).__name__)
        return PATIENCE_SECONDS if self._desk.reinvestment.offers_that_issue() else None

    def carry(self, offering: str) -> int:
        """Issue every unit that may be issued now; return to how many lines.

        The log names the rule that each of the others waits for. One distribution after the other, so that a
        wallet is minted to once at a time. Refuses ``offer_has_its_token``.
        """
        token = token_of(self._desk, offering)
        self._come(offering, token)
        plan = self._desk.reinvestment.mint_plan(offering=offering)
        countries = {bytes(row["address"]): country_number(row["country"]) for row in plan}
        register_missing(self._signing, offering, token, countries)
        for distribution, rows in groupby(plan, key=itemgetter("distribution_id")):
            self._minting.sign(offering, token, list(rows), {"distribution": distribution})
            self._come(offering, token)
        left = {row["line_id"] for row in self._desk.reinvestment.mint_plan(offering=offering)}
        if left:
            warn("the token refuses units of a reinvestment", offering=offering, rows=len(left))
        for row in self._desk.reinvestment.hindered_lines(offering=offering):
            warn("a line waits for its units", offering=offering, subject=row["line_id"], rule=row["rule"])
        issued = sum(row["line_id"] not in left for row in plan)
        if issued:
            tell("units are reinvested", offering=offering, rows=issued)
        return issued

    def _come(self, offering: str, token: bytes) -> None:
        self._submitter.send_unfinished(offering)
        self._submitter.settle(offering, token)
