"""Anchors: the root of the newest seal in a transaction to oneself, signed and stored before it is sent.

A root covers every seal before it, so that one anchor proves all that was sealed. The data is 37 bytes: five
that name the format, then the root. On an embedded chain this shows the mechanism and proves nothing to a
stranger, for whoever runs the chain can make it anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bookrunner.adapters.chain import Chain, Fees, Receipt, Signer, Transaction
from bookrunner.audit import advance_feed, seal
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.log import warn
from bookrunner.db import Database, Keeper, Row
from bookrunner.engine.issuance.submission import FEE_CEILING_WEI, PATIENCE_SECONDS, ChainStalled, raised

if TYPE_CHECKING:
    from bookrunner.adapters.chain.keys import LocalKey

MARK: Final = b"BKRN1"
_GAS: Final = 50_000
_ACTOR: Final = "process"
_ROOT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Anchored:
    """The seal that the chain holds now, and the hash of the transaction."""

    seal_no: int
    transaction_hash: bytes


def open_anchor_key(folder: Path, chain_id: int, *, embedded: bool) -> LocalKey:
    """Open the key that signs anchors alone; it is made at its first use.

    Refuses ``local_key_serves_the_embedded_chain_only``.
    """
    from bookrunner.adapters.chain.keys import LocalKey

    return LocalKey.open(folder, "anchor", chain_id=chain_id, embedded=embedded)


def root_of(data: bytes) -> bytes:
    """Return the root in the data of an anchor's transaction; refuses ``anchor_has_its_format``."""
    if len(data) != len(MARK) + _ROOT_BYTES or not data.startswith(MARK):
        raise Refused("anchor_has_its_format", f"{len(data)} bytes are no anchor")
    return data.removeprefix(MARK)


class Anchors:
    """Signs for the newest seal and carries what is signed until it is final; both may be repeated.

    What no block takes for ``patience_seconds`` is offered again with higher fees, up to the ceiling of fees.
    """

    def __init__(
        self,
        database: Database,
        chain: Chain,
        signer: Signer,
        *,
        pause: Callable[[], None],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._database, self._chain, self._signer, self._pause = database, chain, signer, pause
        self._patience = patience_seconds
        self._waiting: dict[tuple[str, int], float] = {}
        self._keeper = Keeper(database, "audit", "bookrunner.audit.record")

    def anchor(self, *, timeout_seconds: float = 120.0) -> Anchored | None:
        """Seal what has happened and anchor it; None where the newest seal has its anchor already.

        What an earlier run left under way is finished first, by the bytes that it stored. Raises
        ChainStalled when the time is up, and Refused ``anchor_key_signs_for_us_alone``,
        ``fees_stay_below_their_ceiling``.
        """
        self.finish(timeout_seconds=timeout_seconds)
        advance_feed(self._database)
        seal(self._database)
        signed = self.sign()
        self.finish(timeout_seconds=timeout_seconds)
        return signed

    def keep_cadence(self) -> int:
        """Look at what is under way, or sign for the newest seal when the cadence says so; waits for nothing.

        Returns how many anchors are not final.
        """
        if left := self.look():
            return left
        due: Row = self._keeper.anchor_due(chain_id=self._chain.chain_id())
        return self.look() if due["is_due"] and self.sign() is not None else 0

    def sign(self) -> Anchored | None:
        """Sign for the newest seal and commit the bytes; nothing is sent here."""
        chain_id, fees = self._chain.chain_id(), self._chain.fees()
        if max(fees) > FEE_CEILING_WEI:
            raise Refused("fees_stay_below_their_ceiling", f"the node suggests {max(fees)} wei")
        sender = self._signer.address
        with self._keeper.together() as within:
            due: Row | None = within.next_anchor(chain_id=chain_id, sender=sender)
            if due is None:
                return None
            data = MARK + bytes(due["root"])
            signed = self._signer.sign(Transaction(chain_id, due["nonce"], sender, data, _GAS, fees))
            within.sign_anchor(
                actor=_ACTOR,
                request=new_id("req"),
                anchoring=new_id("anc"),
                seal_no=due["seal_no"],
                chain_id=chain_id,
                sender=sender,
                nonce=due["nonce"],
                hash=signed.hash,
                raw=signed.raw,
                fees=list(fees),
            )
        return Anchored(due["seal_no"], signed.hash)

    def finish(self, *, timeout_seconds: float = 120.0) -> None:
        """Send stored bytes until each is in a final block, and note what the chain shows meanwhile."""
        deadline = time.monotonic() + timeout_seconds
        while waiting := self.look():
            if time.monotonic() > deadline:
                raise ChainStalled(f"{waiting} anchors are not final")
            self._pause()

    def look(self) -> int:
        """Look once at what is not final, send it again where no block has it; return how many are left."""
        rows = self._keeper.anchors_under_way(chain_id=self._chain.chain_id())
        if not rows:
            return 0
        final = self._chain.block_numbers().finalized
        found = self._standing([bytes(one) for row in rows for one in row["hashes"]])
        left = 0
        for row in rows:
            receipt = next((found[each] for each in map(bytes, row["hashes"]) if each in found), None)
            if receipt is None:
                self._bring_back(row, final)
            elif receipt.block_number <= final:
                self._note(row, "final", receipt)
                continue
            elif bytes(row["block_hash"] or b"") != receipt.block_hash:
                self._note(row, "mined", receipt)
            left += 1
        return left

    def _standing(self, hashes: list[bytes]) -> dict[bytes, Receipt]:
        """Return by hash the receipts whose block is still one of the chain's own."""
        seen = [receipt for receipt in self._chain.receipts(hashes) if receipt is not None]
        canonical = self._chain.canonical([receipt.block_number for receipt in seen])
        return {r.hash: r for r, block in zip(seen, canonical, strict=True) if block == r.block_hash}

    def _bring_back(self, row: Row, final: int) -> None:
        if row["status"] == "mined":
            self._note(row, "signed", None)
        if self._chain.nonce(bytes(row["sender"]), final) > row["nonce"]:
            raise Refused("anchor_key_signs_for_us_alone", f"nonce {row['nonce']} went to somebody else")
        raw, tried = bytes(row["raw"]), (row["anchoring_id"], row["attempts"])
        since = self._waiting.setdefault(tried, time.monotonic())
        if time.monotonic() - since >= self._patience:
            raw = self._raise(row)
        self._chain.send([raw])

    def _raise(self, row: Row) -> bytes:
        """Sign the same with higher fees and store it; the bytes of before where the ceiling is reached."""
        fees = raised(Fees(row["max_fee_wei"], row["priority_fee_wei"]), self._chain.fees())
        if max(fees) > FEE_CEILING_WEI or bytes(row["sender"]) != self._signer.address:
            warn("an anchor waits for lower fees or for its key", subject=row["anchoring_id"])
            return bytes(row["raw"])
        signed = self._signer.sign_again(bytes(row["raw"]), fees)
        self._keeper.raise_anchor(
            actor=_ACTOR, anchoring=row["anchoring_id"], hash=signed.hash, raw=signed.raw, fees=list(fees)
        )
        return signed.raw

    def _note(self, row: Row, status: str, receipt: Receipt | None) -> None:
        self._keeper.note_anchor(
            actor=_ACTOR,
            anchoring=row["anchoring_id"],
            status=status,
            hash=receipt.hash if receipt else None,
            block_number=receipt.block_number if receipt else None,
            block_hash=receipt.block_hash if receipt else None,
            incarnation=self._chain.genesis() if receipt else None,
        )
