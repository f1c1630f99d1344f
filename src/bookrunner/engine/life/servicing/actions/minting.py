"""Batches of wallets that an action mints to or burns from, as one token takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bookrunner.adapters.chain import (
    Chain,
    NodeRefused,
    balance_of,
    burn_batch,
    mint_batch,
    total_supply,
)
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Row
from bookrunner.engine.desk import Desk
from bookrunner.engine.issuance import Keys, Submitter, gas_for

Line = dict[str, object]


class Minting:
    """Mints and burns by the agent's key, so many wallets in one transaction."""

    def __init__(self, desk: Desk, signing: tuple[Chain, Keys, Submitter], purpose: str, most: int) -> None:
        self._desk = desk
        self._chain, self._keys, self._submitter = signing
        self._purpose = purpose
        self._most = most

    def batches(self, rows: Sequence[Row]) -> Iterator[list[Row]]:
        """Yield wallets, those that gain apart from those that lose."""
        for is_gain in (True, False):
            group = [row for row in rows if (row["units"] > 0) == is_gain]
            for start in range(0, len(group), self._most):
                yield group[start : start + self._most]

    def refused(self, token: bytes, rows: Sequence[Row]) -> int:
        """Return how many of these wallets a token refuses, alone if not together."""
        return sum(self._refused(token, wallets) for wallets in self.batches(rows))

    def sign(self, offering: str, token: bytes, rows: Sequence[Row], of: Line) -> None:
        """Store transactions for these wallets, each line with ``of``; what the token refuses stays open."""
        for wallets in self.batches(rows):
            self._sign(offering, token, wallets, of)

    def _refused(self, token: bytes, wallets: list[Row]) -> int:
        try:
            gas_for(self._chain, (token, _call(wallets)), self._keys.agent.address)
        except NodeRefused:
            middle = len(wallets) // 2
            halves = (wallets[:middle], wallets[middle:])
            return sum(self._refused(token, half) for half in halves) if middle else 1
        return 0

    def _sign(self, offering: str, token: bytes, wallets: list[Row], of: Line) -> None:
        """Store one transaction; of wallets that the token refuses together, those that it takes."""
        data = _call(wallets)
        try:
            gas = gas_for(self._chain, (token, data), self._keys.agent.address)
        except NodeRefused:
            middle = len(wallets) // 2
            for half in (wallets[:middle], wallets[middle:]) if middle else ():
                self._sign(offering, token, half, of)
            return
        order = {
            "offering": offering,
            "purpose": self._purpose,
            "intent": new_id("int"),
            "to": token,
            "data": data,
            "gas": gas,
            "terms": self._submitter.terms(),
        }
        told = [{**of, "address": bytes(row["address"]).hex(), "units": row["units"]} for row in wallets]
        with self._desk.registry.together() as within:
            self._submitter.store(within, self._keys.agent, order, told)


def undelivered_on_chain(desk: Desk, chain: Chain, offering: str, rows: Sequence[Row]) -> int:
    """Return the units of an offer that nobody has bought, while the chain has what the register says.

    ``rows`` are the wallets of the register. Refuses ``chain_has_the_units_of_the_register``.
    """
    token, treasury = token_of(desk, offering), bytes(desk.offer(offering)["treasury_address"])
    on_chain = chain.balances(token, [bytes(row["address"]) for row in rows])
    minted, undelivered = chain.read([total_supply(token), balance_of(token, treasury)])
    registered = [row["units"] for row in rows]
    if on_chain != registered or minted - undelivered != sum(registered):
        raise Refused("chain_has_the_units_of_the_register", f"units of {offering} differ on chain")
    return undelivered


def token_of(desk: Desk, offering: str) -> bytes:
    """Return the address of an offer's token. Refuses ``offer_has_its_token``."""
    token = desk.offer(offering)["token_address"]
    if token is None:
        raise Refused("offer_has_its_token", f"{offering} has no token yet")
    return bytes(token)


def _call(wallets: list[Row]) -> bytes:
    lines = [(bytes(row["address"]), abs(row["units"])) for row in wallets]
    return mint_batch(lines) if wallets[0]["units"] > 0 else burn_batch(lines)
