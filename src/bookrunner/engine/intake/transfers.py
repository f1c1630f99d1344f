"""Transfers that the chain shows: what nobody approved becomes an item, a break or a buy-in case."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bookrunner.adapters.chain import Chain, ChainError, TransferLog
from bookrunner.books.registry import item_clock
from bookrunner.core.ids import new_id
from bookrunner.core.log import warn
from bookrunner.db import Row
from bookrunner.engine.desk import PROCESS, Desk

# A node that was asked for a longer stretch at once would be slow to answer.
BLOCKS_AT_ONCE: Final = 2_000
_EXPECTED: Final = "matched"


class _Coins:
    """The coins of an offer's settlements, but those settled, that moved in a stretch of blocks."""

    def __init__(self, desk: Desk, offering: str, chain: Chain, stretch: tuple[int, int]) -> None:
        self._desk, self._offering = desk, offering
        wallets: dict[bytes, set[bytes]] = {}
        for row in self._open():
            wallets.setdefault(bytes(row["coin"]), set()).update((bytes(row["payer"]), bytes(row["payee"])))
        self._logs = [
            (coin, log)
            for coin, ends in wallets.items()
            for log in chain.transfer_logs(coin, *stretch, receivers=sorted(ends))
        ]

    def _open(self) -> list[Row]:
        return [
            row
            for row in self._desk.market.open_settlements(offering=self._offering)
            if row["payer"] is not None and row["payee"] is not None
        ]

    def beside(self, units: TransferLog) -> list[dict[str, object]]:
        """Return the coins that went in the transaction of these units."""
        return [
            {"coin": coin.hex(), **_told(log)}
            for coin, log in self._logs
            if log.transaction_hash == units.transaction_hash
        ]

    def note(self) -> None:
        """Note coins that went between the wallets of a sale without its units, or came back."""
        for row in self._open():
            for coin, log in self._logs:
                ends = {bytes(row["payer"]), bytes(row["payee"])}
                if coin != bytes(row["coin"]) or {log.sender, log.receiver} != ends:
                    continue
                said = self._desk.market.note_payment(
                    actor=PROCESS,
                    offering=self._offering,
                    transfer=row["request_id"],
                    log={"hash": log.transaction_hash.hex(), **_told(log)},
                )
                if said is not None:
                    warn(
                        "a coin went without its units",
                        offering=self._offering,
                        subject=row["request_id"],
                        act=said,
                    )


def _told(log: TransferLog) -> dict[str, object]:
    return {
        "ordinal": log.ordinal,
        "from": log.sender.hex(),
        "to": log.receiver.hex(),
        "amount": str(log.amount),
    }


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
        coins = _Coins(self._desk, offering, self._chain, (through + 1, end))
        for log in logs:
            seen = self._observe(offering, (chain_id, mined[log.block_number]), (log, coins.beside(log)))
            found += seen is not None
            if seen not in {None, _EXPECTED}:
                warn("a transfer on chain has no authority", offering=offering, kind=seen)
        coins.note()
        self._desk.transfers.watch_through(actor=PROCESS, offering=offering, block=end, time=mined[end])
        return found

    def _observe(
        self, offering: str, mined: tuple[int, datetime], moved: tuple[TransferLog, list[dict[str, object]]]
    ) -> str | None:
        (chain_id, mined_at), (log, paid) = mined, moved
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
                "paid": paid,
            },
            item=new_id("itm"),
            clock=item_clock(None, is_routine=False),
        )
        return seen
