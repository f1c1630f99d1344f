"""What the chain says of an offer's units at its final block, as the books compare it."""

from __future__ import annotations

from collections.abc import Sequence

from bookrunner.adapters.chain import Chain, balance_of, total_supply
from bookrunner.core.errors import Unavailable
from bookrunner.db import Row


def seen_supply(chain: Chain, offer: Row) -> dict[str, object] | None:
    """Return block, minted and undelivered units; None without a token.

    Raises Unavailable when the node cannot give its own final block: without the chain it is no answer.
    """
    if offer["token_address"] is None:
        return None
    token, number = bytes(offer["token_address"]), chain.block_numbers().finalized
    (block,) = chain.canonical([number])
    if block is None:
        raise Unavailable("the node does not give the block that it calls final")
    wallet = bytes(offer["treasury_address"])
    minted, undelivered = chain.read([total_supply(token), balance_of(token, wallet)], number)
    return {"block_number": number, "block_hash": block.hex(), "minted": minted, "undelivered": undelivered}


def seen_balances(chain: Chain, offer: Row, holders: Sequence[str]) -> list[dict[str, object]] | None:
    """Return the addresses (hex) of ``holders`` that hold units, with how many; None without a token."""
    if offer["token_address"] is None:
        return None
    wallets = [bytes.fromhex(holder) for holder in holders]
    balances = chain.balances(bytes(offer["token_address"]), wallets, "finalized")
    held = zip(holders, balances, strict=True)
    return [{"address": holder, "units": units} for holder, units in held if units]
