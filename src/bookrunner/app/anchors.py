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

from bookrunner.adapters.chain import Chain, Receipt, Signer, Transaction
from bookrunner.audit import advance_feed, seal
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Keeper, Row
from bookrunner.engine.issuance.submission import FEE_CEILING_WEI, ChainStalled

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
    """Signs for the newest seal and carries what is signed until it is final; both may be repeated."""

    def __init__(
        self, database: Database, chain: Chain, signer: Signer, *, pause: Callable[[], None]
    ) -> None:
        self._database, self._chain, self._signer, self._pause = database, chain, signer, pause
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
        found = self._standing([bytes(row["hash"]) for row in rows])
        left = 0
        for row in rows:
            receipt = found.get(bytes(row["hash"]))
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
        self._chain.send([bytes(row["raw"])])

    def _note(self, row: Row, status: str, receipt: Receipt | None) -> None:
        self._keeper.note_anchor(
            actor=_ACTOR,
            anchoring=row["anchoring_id"],
            status=status,
            block_number=receipt.block_number if receipt else None,
            block_hash=receipt.block_hash if receipt else None,
            incarnation=self._chain.genesis() if receipt else None,
        )
