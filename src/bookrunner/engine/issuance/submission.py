"""Chain transactions, exactly once: the bytes are committed first, then sent, and sent again until final."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bookrunner.adapters.chain import (
    MAX_TRANSACTION_GAS,
    Chain,
    Receipt,
    Signer,
    Transaction,
    delivered,
)
from bookrunner.core.errors import BookrunnerError
from bookrunner.core.ids import new_id
from bookrunner.db import Keeper, Row, Within

ACTOR = "process"


@dataclass(frozen=True, slots=True)
class Keys:
    """The transfer agent's key, for wallets, and the offer's treasury key, which delivers units."""

    agent: Signer
    treasury: Signer


class ChainStalled(BookrunnerError):
    """A signed transaction did not become final in time; it stays stored and is sent again later."""


class Submitter:
    """Signs for one key of the transfer agent, stores the bytes, sends them, and posts what became final."""

    def __init__(self, registry: Keeper, chain: Chain, *, pause: Callable[[], None]) -> None:
        self._registry = registry
        self._chain = chain
        self._pause = pause

    def store(self, within: Within, signer: Signer, order: Row, lines: Sequence[Row]) -> str:
        """Take a nonce, sign and record one transaction inside an open transaction; return its id.

        ``order`` holds offering, purpose, intent, to, data and gas. Nothing is sent here.
        """
        chain_id = self._chain.chain_id()
        nonce = within.take_nonce(actor=ACTOR, chain_id=chain_id, address=signer.address)
        signed = signer.sign(
            Transaction(chain_id, nonce, order["to"], order["data"], order["gas"], self._chain.fees())
        )
        transaction_id = new_id("txn")
        within.record_transaction(
            actor=ACTOR,
            offering=order["offering"],
            transaction={
                "id": transaction_id,
                "intent": order["intent"],
                "purpose": order["purpose"],
                "chain_id": chain_id,
                "sender": signer.address.hex(),
                "nonce": nonce,
                "hash": signed.hash.hex(),
                "raw": signed.raw.hex(),
            },
            lines=json.dumps([dict(line) for line in lines]),
        )
        return transaction_id

    def submit(self, signer: Signer, order: Row, lines: Sequence[Row] = ()) -> str:
        """Store and commit one transaction, then send it; the answer of the node is only a hint."""
        with self._registry.together() as within:
            transaction_id = self.store(within, signer, order, lines)
        self.send_unfinished(order["offering"])
        return transaction_id

    def send_unfinished(self, offering: str) -> None:
        """Send the stored bytes of every transaction that is not final; may be repeated for ever."""
        waiting = self._registry.unfinished(offering=offering)
        if waiting:
            self._chain.send([row["raw"] for row in waiting])

    def settle(self, offering: str, token: bytes | None, *, timeout_seconds: float = 120.0) -> int:
        """Wait until every stored transaction of an offer is final or reverted; return the number posted.

        A delivery is posted to the master securityholder file in the transaction that marks it final. Raises
        ChainStalled when the time is up; what is stored stays stored.
        """
        posted = 0
        deadline = time.monotonic() + timeout_seconds
        while waiting := self._registry.unfinished(offering=offering):
            posted += self._advance(waiting, token)
            if time.monotonic() > deadline:
                raise ChainStalled(f"{len(waiting)} transactions of {offering} are not final")
            self._pause()
        return posted

    def _advance(self, waiting: Sequence[Row], token: bytes | None) -> int:
        receipts = self._chain.receipts([row["hash"] for row in waiting])
        missing = [row["raw"] for row, receipt in zip(waiting, receipts, strict=True) if receipt is None]
        if missing:
            self._chain.send(missing)
        final = self._chain.block_numbers().finalized
        found = [(row, r) for row, r in zip(waiting, receipts, strict=True) if r and r.block_number <= final]
        hashes = self._chain.canonical([receipt.block_number for _, receipt in found])
        incarnation = self._chain.genesis() if found else b""
        posted = 0
        for (row, receipt), canonical in zip(found, hashes, strict=True):
            if canonical == receipt.block_hash:
                posted += self._conclude(row, receipt, token, incarnation)
        return posted

    def _conclude(self, row: Row, receipt: Receipt, token: bytes | None, incarnation: bytes) -> int:
        if receipt.status != 1:
            self._registry.record_revert(
                actor=ACTOR,
                offering=row["offering_id"],
                transaction=row["transaction_id"],
                because="the chain refused it",
            )
            return 0
        logs = delivered(receipt, token) if token and row["purpose"] == "deliver" else []
        lines = [{"address": d.receiver.hex(), "units": d.amount, "ordinal": d.ordinal} for d in logs]
        posted: int = self._registry.finalize(
            actor=ACTOR,
            offering=row["offering_id"],
            transaction=row["transaction_id"],
            block={
                "number": receipt.block_number,
                "hash": receipt.block_hash.hex(),
                "incarnation": incarnation.hex(),
            },
            delivered=json.dumps(lines),
        )
        return posted


def gas_for(chain: Chain, call: tuple[bytes, bytes], sender: bytes) -> int:
    """Return the estimate and a fifth more, at most what one transaction may carry (EIP-7825)."""
    to, data = call
    return min(chain.estimate_gas(to, data, sender=sender) * 6 // 5, MAX_TRANSACTION_GAS)
