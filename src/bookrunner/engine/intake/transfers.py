"""Transfers that the chain shows: what nobody approved becomes an item, a break or a buy-in case."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bookrunner.adapters.chain import Chain, ChainError, TransferLog
from bookrunner.books.registry import item_clock
from bookrunner.core.ids import new_id
from bookrunner.core.log import warn
from bookrunner.engine.desk import PROCESS, Desk

# A node that was asked for a longer stretch at once would be slow to answer.
BLOCKS_AT_ONCE: Final = 2_000
_EXPECTED: Final = "matched"


class TokenWatch:
    """Reads the final transfers of an offer's token; the database keeps how far, and knows each log once."""

    def __init__(self, desk: Desk, chain: Chain) -> None:
        self._desk = desk
        self._chain = chain

    def watch_all(self) -> int:
        """Look at every offer with holders; a node that does not answer is left for the next look."""
        try:
            offers = self._desk.transfers.watched_offers(chain_id=self._chain.chain_id())
            return sum(self.watch(row["offering_id"]) for row in offers)
        except ChainError as silent:
            # The next look reads on from where this one stopped.
            warn("the tokens are not watched", kind=type(silent).__name__)
            return 0

    def watch(self, offering: str) -> int:
        """Read the token's final transfers on; return how many were none of ours.

        Those that carry out an approved request are posted; the others wait for two people.
        """
        token = bytes(self._desk.offer(offering)["token_address"])
        through: int = self._desk.transfers.watched_through(offering=offering)
        end = min(self._chain.block_numbers().finalized, through + BLOCKS_AT_ONCE)
        if end <= through:
            return 0
        logs = [log for log in self._chain.transfer_logs(token, through + 1, end) if log.amount]
        blocks = sorted({end, *(log.block_number for log in logs)})
        mined = dict(zip(blocks, self._chain.block_times(blocks), strict=True))
        chain_id, found = self._chain.chain_id(), 0
        for log in logs:
            seen = self._observe(offering, (chain_id, mined[log.block_number]), log)
            found += seen is not None
            if seen not in {None, _EXPECTED}:
                warn("a transfer on chain has no authority", offering=offering, kind=seen)
        self._desk.transfers.watch_through(actor=PROCESS, offering=offering, block=end, time=mined[end])
        return found

    def _observe(self, offering: str, mined: tuple[int, datetime], log: TransferLog) -> str | None:
        chain_id, mined_at = mined
        seen: str | None = self._desk.transfers.observe_transfer(
            actor=PROCESS,
            offering=offering,
            log={
                "id": new_id("obs"),
                "chain_id": chain_id,
                "hash": log.transaction_hash.hex(),
                "ordinal": log.ordinal,
                "block": log.block_number,
                "mined_at": mined_at.isoformat(),
                "from": log.sender.hex(),
                "to": log.receiver.hex(),
                "units": log.amount,
            },
            item=new_id("itm"),
            clock=item_clock(None, is_routine=False),
        )
        return seen
