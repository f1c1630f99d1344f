"""Approved transfers on their way to the register: signed by the agent's key, exactly once."""

from __future__ import annotations

from typing import Final

from bookrunner.adapters.chain import (
    Chain,
    ChainError,
    NodeRefused,
    forced_transfer,
)
from bookrunner.core.countries import country_number
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.log import tell, warn
from bookrunner.db import Row
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.issuance.registrations import register_missing
from bookrunner.engine.issuance.submission import ChainStalled, Keys, Submitter, gas_for

_PURPOSE: Final = "transfer"
PATIENCE_SECONDS: Final = 30


class Transfers:
    """Carries what the agent has approved to the chain and, when it is final there, to the register.

    A run that ends anywhere is followed by one that goes on: the bytes are stored before they are sent.
    """

    def __init__(self, desk: Desk, chain: Chain, keys: Keys, submitter: Submitter) -> None:
        self._desk = desk
        self._chain = chain
        self._keys = keys
        self._submitter = submitter

    def carry_announced(self, scopes: frozenset[str] | None) -> int | None:
        """Carry what is approved in these offers, or in all; return in how many seconds to look again.

        None when nothing is left. What the chain does not have yet, only the chain can tell of.
        """
        offers = scopes
        if offers is None:
            offers = frozenset(row["offering_id"] for row in self._desk.transfers.transfers_under_way())
        for offering in sorted(offers):
            try:
                self.carry(offering)
            except (ChainError, ChainStalled) as silent:
                warn("transfers wait", offering=offering, kind=type(silent).__name__)
        return PATIENCE_SECONDS if offers and self._desk.transfers.transfers_under_way() else None

    def carry(self, offering: str) -> int:
        """Sign every approved transfer of an offer and return how many came into the register.

        An approval that has ended waits for another. What a rule or the token refuses now stays
        approved until its end, and the log says why.
        """
        token = bytes(self._desk.offer(offering)["token_address"])
        self._desk.transfers.lapse_transfers(actor=PROCESS, offering=offering)
        self._submitter.send_unfinished(offering)
        posted = self._submitter.settle(offering, token)
        for row in self._desk.transfers.approved_transfers(offering=offering):
            try:
                self._sign(offering, row["request_id"], token)
            except (Refused, NodeRefused) as fault:
                rule = fault.rule if isinstance(fault, Refused) else "token_lets_the_transfer_pass"
                warn("a transfer waits", offering=offering, subject=row["request_id"], rule=rule)
        self._submitter.send_unfinished(offering)
        posted += self._submitter.settle(offering, token)
        if posted:
            tell("transfers are registered", offering=offering, rows=posted)
        return posted

    def _sign(self, offering: str, transfer: str, token: bytes) -> None:
        asked: Row = self._desk.transfers.transfer(offering=offering, transfer=transfer)
        self._register_taker(offering, asked, token)
        sender, receiver = bytes(asked["from_address"]), bytes(asked["to_address"])
        data = forced_transfer(sender, receiver, asked["units"])
        # Rows are locked from here to the signature: what the chain says is asked before.
        order = {
            "offering": offering,
            "purpose": _PURPOSE,
            "intent": new_id("int"),
            "to": token,
            "data": data,
            "gas": gas_for(self._chain, (token, data), self._keys.agent.address),
            "terms": self._submitter.terms(),
        }
        with self._desk.registry.together() as within:
            transfers = within.using(self._desk.transfers.queries)
            line = transfers.take_transfer(actor=PROCESS, offering=offering, transfer=transfer)
            self._submitter.store(within, self._keys.agent, order, [line])

    def _register_taker(self, offering: str, asked: Row, token: bytes) -> None:
        """Give the taker's wallet its identity on chain, where it has none yet."""
        wallet = bytes(asked["to_address"])
        country = country_number(asked["screened"]["buyer"]["country"])
        register_missing((self._chain, self._keys, self._submitter), offering, token, {wallet: country})
