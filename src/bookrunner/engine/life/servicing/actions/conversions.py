"""Agreed conversions on their way to the chains and the register of both classes, exactly once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bookrunner.adapters.chain import (
    Chain,
    ChainError,
)
from bookrunner.core.countries import country_number
from bookrunner.core.errors import Refused
from bookrunner.core.log import tell, warn
from bookrunner.db import Row
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.issuance import ChainStalled, Keys, Submitter, register_missing
from bookrunner.engine.life.servicing.actions.minting import Minting, token_of, undelivered_on_chain
from bookrunner.engine.life.servicing.actions.splits import MOST_WALLETS, PATIENCE_SECONDS

_PURPOSE: Final = "conversion"


class Conversions:
    """Begins conversions whose time has come, and carries the begun ones to both tokens and the register.

    What a run has to do follows from the wallets that the chain has not changed yet, so one that ends
    anywhere is carried on by the next. Every old unit is burned before a new one is minted. The books of
    both classes follow with the last wallet, in the transaction that marks it final. ``look`` says what the
    chain shows of an offer's supply at its final block.
    """

    def __init__(
        self,
        desk: Desk,
        chain: Chain,
        keys: Keys,
        submitter: Submitter,
        *,
        look: Callable[[Chain, Row], dict[str, object] | None],
        most: int = MOST_WALLETS,
    ) -> None:
        self._look = look
        self._desk = desk
        self._chain = chain
        self._keys = keys
        self._submitter = submitter
        self._minting = Minting(desk, (chain, keys, submitter), _PURPOSE, most)

    def carry_announced(self, scopes: frozenset[str] | None) -> int | None:
        """Carry what is due in these offers, or in all; return in how many seconds to look again.

        None when no conversion is agreed or begun. One that something hinders waits, and the log says why.
        """
        for row in self._desk.conversions.conversions_under_way():
            classes = {row["offering_id"], row["into_offering_id"]}
            if (scopes is not None and not classes & scopes) or not row["is_due"]:
                continue
            of = {"offering": row["offering_id"], "subject": row["conversion_id"]}
            try:
                self.carry(row["offering_id"])
            except Refused as hindered:
                warn("a conversion waits", **of, rule=hindered.rule)
            except (ChainError, ChainStalled) as silent:
                warn("a conversion waits", **of, kind=type(silent).__name__)
        return PATIENCE_SECONDS if self._desk.conversions.conversions_under_way() else None

    def carry(self, offering: str) -> int:
        """Carry the agreed or begun conversion of an offer as far as it goes; return how many are executed.

        Refuses by the first thing that hinders an agreed one: what `conversion_hindrances` lists,
        ``offer_has_its_token``, ``chain_has_the_units_of_the_register`` and
        ``token_takes_every_wallet_of_the_conversion``. A wallet that a token refuses once it has begun stays
        open, and the log says how many.
        """
        waiting = self._under_way(offering)
        for row in waiting:
            tokens = {each: token_of(self._desk, each) for each in (offering, row["into_offering_id"])}
            for each, token in tokens.items():
                self._come(each, token)
            if row["status"] == "approved":
                self._begin(row, tokens)
            for each, token in tokens.items():
                if self._left(row, each):
                    of = {"of": offering, "conversion": row["conversion_id"]}
                    self._minting.sign(each, token, self._left(row, each), of)
                    self._come(each, token)
                if left := self._left(row, each):
                    of = {"offering": each, "subject": row["conversion_id"]}
                    warn("wallets of a conversion are open", **of, rows=len(left))
                    break
        under_way = {row["conversion_id"] for row in self._under_way(offering)}
        done = [row for row in waiting if row["conversion_id"] not in under_way]
        if done:
            tell("a conversion is executed", offering=offering, subject=done[0]["conversion_id"])
        return len(done)

    def _under_way(self, offering: str) -> list[Row]:
        rows = self._desk.conversions.conversions_under_way()
        return [row for row in rows if row["offering_id"] == offering]

    def _left(self, conversion: Row, offering: str) -> list[Row]:
        on = {"offering": conversion["offering_id"], "conversion": conversion["conversion_id"]}
        return [row for row in self._desk.conversions.open_wallets(**on) if row["offering_id"] == offering]

    def _come(self, offering: str, token: bytes) -> None:
        self._submitter.send_unfinished(offering)
        self._submitter.settle(offering, token)

    def _begin(self, conversion: Row, tokens: dict[str, bytes]) -> None:
        """Begin while nothing hinders it, and the chain has of both classes what the register says.

        What the chain shows is recorded first: the database begins with the undelivered units that it knows.
        """
        offering, into = conversion["offering_id"], conversion["into_offering_id"]
        on = {"offering": offering, "conversion": conversion["conversion_id"]}
        for hindered in self._desk.conversions.conversion_hindrances(**on):
            raise Refused(hindered["rule"], f"{on['conversion']} waits: {hindered['detail']}")
        before = {each: self._desk.conversions.wallets_before(offering=each) for each in tokens}
        left = {
            each: undelivered_on_chain(self._desk, self._chain, each, rows) for each, rows in before.items()
        }
        planned = self._desk.conversions.planned_wallets(**on)
        countries = {bytes(row["address"]): country_number(row["country"]) for row in planned}
        register_missing((self._chain, self._keys, self._submitter), into, tokens[into], countries)
        ending = [{"address": row["address"], "units": -row["units"]} for row in before[offering]]
        refused = self._minting.refused(tokens[offering], ending)
        if refused := refused + self._minting.refused(tokens[into], planned):
            rule = "token_takes_every_wallet_of_the_conversion"
            raise Refused(rule, f"the tokens of {offering} and {into} refuse {refused} wallets")
        seen = self._look(self._chain, self._desk.offer(into))
        self._desk.registry.compare_records(actor=PROCESS, offering=into, chain=seen)
        self._desk.conversions.begin_conversion(actor=PROCESS, **on, undelivered=left[into])
