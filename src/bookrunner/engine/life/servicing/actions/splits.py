"""Agreed splits on their way to the chain and the register, by the agent's key, exactly once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bookrunner.adapters.chain import Chain, ChainError
from bookrunner.core.errors import Refused
from bookrunner.core.log import tell, warn
from bookrunner.db import Row
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.issuance import ChainStalled, Keys, Submitter
from bookrunner.engine.life.servicing.actions.minting import Minting, token_of, undelivered_on_chain

_PURPOSE: Final = "split"
# Minting to a wallet costs more than a transfer, and a batch has to fit into one transaction (EIP-7825).
MOST_WALLETS: Final = 100
PATIENCE_SECONDS: Final = 30


class Splits:
    """Begins splits whose time has come, and carries the begun ones to chain, register and terms.

    What a run has to do follows from the wallets that the chain has not changed yet, so one that ends
    anywhere is carried on by the next. The books follow with the last wallet, in the transaction that
    marks it final. ``look`` says what the chain shows of an offer's supply at its final block.
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
        self._submitter = submitter
        self._minting = Minting(desk, (chain, keys, submitter), _PURPOSE, most)

    def carry_announced(self, scopes: frozenset[str] | None) -> int | None:
        """Carry what is due in these offers, or in all; return in how many seconds to look again.

        None when no split is agreed or begun. One that something hinders waits, and the log says why.
        """
        for row in self._desk.splits.splits_under_way():
            offering = row["offering_id"]
            if (scopes is not None and offering not in scopes) or not row["is_due"]:
                continue
            try:
                self.carry(offering)
            except Refused as hindered:
                warn("a split waits", offering=offering, subject=row["split_id"], rule=hindered.rule)
            except (ChainError, ChainStalled) as silent:
                warn("a split waits", offering=offering, kind=type(silent).__name__)
        self._follow()
        return PATIENCE_SECONDS if self._desk.splits.splits_under_way() else None

    def carry(self, offering: str) -> int:
        """Carry the agreed or begun split of an offer as far as it goes; return how many are executed now.

        Refuses by the first thing that hinders an agreed one: what `split_hindrances` lists, and
        ``chain_has_the_units_of_the_register`` and ``token_takes_every_wallet_of_the_split``. A wallet that
        the token refuses once it has begun stays open, and the log says how many.
        """
        token = token_of(self._desk, offering)
        self._submitter.send_unfinished(offering)
        self._submitter.settle(offering, token)
        waiting = [row for row in self._desk.splits.splits_under_way() if row["offering_id"] == offering]
        for row in waiting:
            if row["status"] == "approved":
                self._begin(offering, row["split_id"], token)
            left = self._desk.splits.open_wallets(offering=offering, split=row["split_id"])
            self._minting.sign(offering, token, left, {"split": row["split_id"]})
            self._submitter.send_unfinished(offering)
            self._submitter.settle(offering, token)
            if left := self._desk.splits.open_wallets(offering=offering, split=row["split_id"]):
                warn(
                    "wallets of a split are open", offering=offering, subject=row["split_id"], rows=len(left)
                )
        self._follow()
        under_way = {row["split_id"] for row in self._desk.splits.splits_under_way()}
        done = [row for row in waiting if row["split_id"] not in under_way]
        if done:
            tell("a split is executed", offering=offering, subject=done[0]["split_id"])
        return len(done)

    def _begin(self, offering: str, split: str, token: bytes) -> None:
        """Begin while nothing hinders it, the chain has what the register says, and the token takes it.

        What the chain shows is recorded first: the database begins with the undelivered units that it knows.
        """
        on = {"offering": offering, "split": split}
        for hindered in self._desk.splits.split_hindrances(**on):
            raise Refused(hindered["rule"], f"{split} waits: {hindered['detail']}")
        rows = self._desk.splits.wallets_before(offering=offering)
        undelivered = undelivered_on_chain(self._desk, self._chain, offering, rows)
        planned = self._desk.splits.planned_wallets(**on, undelivered=undelivered)
        if refused := self._minting.refused(token, planned):
            rule = "token_takes_every_wallet_of_the_split"
            raise Refused(rule, f"the token of {offering} refuses {refused} wallets")
        seen = self._look(self._chain, self._desk.offer(offering))
        self._desk.registry.compare_records(actor=PROCESS, offering=offering, chain=seen)
        self._desk.splits.begin_split(actor=PROCESS, **on, undelivered=undelivered)

    def _follow(self) -> None:
        for row in self._desk.actions.splits_to_follow():
            on = {"offering": row["offering_id"], "split": row["split_id"]}
            try:
                self._desk.actions.follow_split(actor=PROCESS, **on)
            except Refused as hindered:
                of = {"offering": row["offering_id"], "subject": row["split_id"]}
                warn("terms wait to follow a split", **of, rule=hindered.rule)
