"""What the chain says of an offer's units at its final block, as the books compare it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bookrunner.adapters.chain import Chain, ChainAnswerInvalid, balance_of, total_supply
from bookrunner.core.errors import Unavailable
from bookrunner.db import Row


@dataclass(frozen=True, slots=True)
class Witness:
    """Units by address in hexadecimal, and what left the treasury wallet, all at one final block, ``block``.

    ``delivered`` is None where the address of the token has no contract, and so no supply.
    """

    units: Mapping[str, int]
    delivered: int | None
    block: int

    def says(self, standing: Sequence[tuple[str, str]] = ()) -> str:
        """Return it as JSON for a comparison, with the (kind, subject) that a second look bore out."""
        lines = {address: units for address, units in self.units.items() if units}
        said = {"lines": lines, "delivered": self.delivered, "block": self.block}
        return json.dumps({**said, "standing": list(standing)})

    def bears_out(self, before: Witness, kind: str, subject: str, units: int) -> bool:
        """Say whether no chain between ``before`` and this had the units that the books had meanwhile."""
        if kind == "supply_is_not_the_control_book":
            seen = [each.delivered for each in (before, self) if each.delivered is not None]
        else:
            seen = [each.units.get(subject, 0) for each in (before, self)]
        return bool(seen) and not min(seen) <= units <= max(seen)


def seen_supply(chain: Chain, offer: Row) -> dict[str, object] | None:
    """Return block, minted and undelivered units; None without a token.

    Raises Unavailable when the node cannot give its own final block: without the chain it is no answer.
    """
    if offer["token_address"] is None:
        return None
    number, block = _final_block(chain)
    minted, undelivered = _supply(chain, offer, number)
    return {"block_number": number, "block_hash": block.hex(), "minted": minted, "undelivered": undelivered}


def seen_units(chain: Chain, offer: Row, holders: Sequence[str]) -> Witness | None:
    """Return what ``holders``, addresses in hexadecimal, have at the final block; None without a token.

    Raises Unavailable as `seen_supply` does, and ChainError when the node is silent.
    """
    if offer["token_address"] is None:
        return None
    number, _ = _final_block(chain)
    wallets = [bytes.fromhex(holder) for holder in holders]
    balances = chain.balances(bytes(offer["token_address"]), wallets, number)
    try:
        minted, undelivered = _supply(chain, offer, number)
    except ChainAnswerInvalid:
        # Where the register has units, the balances of such an address fail too.
        return Witness(dict(zip(holders, balances, strict=True)), None, number)
    return Witness(dict(zip(holders, balances, strict=True)), minted - undelivered, number)


def _final_block(chain: Chain) -> tuple[int, bytes]:
    number = chain.block_numbers().finalized
    (block,) = chain.canonical([number])
    if block is None:
        raise Unavailable("the node does not give the block that it calls final")
    return number, block


def _supply(chain: Chain, offer: Row, number: int) -> tuple[int, int]:
    token = bytes(offer["token_address"])
    minted, undelivered = chain.read(
        [total_supply(token), balance_of(token, bytes(offer["treasury_address"]))], number
    )
    return minted, undelivered
