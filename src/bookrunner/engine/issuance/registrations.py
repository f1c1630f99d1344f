"""Wallets of a closing in the token's identity registry, registered in batches ahead of their deliveries."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bookrunner.adapters.chain import (
    MAX_LINES,
    Chain,
    GasModel,
    NodeRefused,
    identity_registry,
    is_registered,
    register_batch,
)
from bookrunner.core.ids import new_id
from bookrunner.engine.issuance.posting import Look
from bookrunner.engine.issuance.submission import Keys, Submitter, gas_for

BATCHES_AT_ONCE: Final = 4
_TRIES: Final = 3
_SAMPLE: Final = 21

_Line = tuple[bytes, int]


class Registrations:
    """Registers wallets that the token does not know yet, some batches under way at once.

    A wallet that cannot be registered is tried three times and then counts as known: the delivery's own trial
    names the rule that it breaks.
    """

    def __init__(self, signing: tuple[Chain, Keys, Submitter], offering: str, token: bytes) -> None:
        self._chain, self._keys, self._submitter = signing
        self._offering = offering
        self._token = token
        self._model: GasModel | None = None
        self._known: set[bytes] = set()
        self._waiting: deque[_Line] = deque()
        self._asked: set[bytes] = set()
        self._under_way: dict[str, list[bytes]] = {}
        self._tries: dict[bytes, int] = {}

    @property
    def is_busy(self) -> bool:
        """Whether any registration is under way or waits for one that is."""
        return bool(self._under_way)

    def know(self, wallets: Iterable[bytes]) -> bool:
        """Return whether the token knows all of them."""
        return self._known.issuperset(wallets)

    def unknown(self, wallets: Iterable[bytes]) -> list[bytes]:
        """Return those that are neither known nor asked for."""
        return [wallet for wallet in wallets if wallet not in self._known and wallet not in self._asked]

    def ask(self, countries: Mapping[bytes, int]) -> None:
        """Have wallets registered under the ISO 3166 number of their holder's country, in this order."""
        new = self.unknown(countries)
        self._asked.update(new)
        self._waiting.extend((wallet, countries[wallet]) for wallet in new)
        self.begin()

    def begin(self) -> None:
        """Sign and send as many batches as may be under way."""
        orders: list[tuple[dict[str, object], list[bytes]]] = []
        while self._waiting and len(self._under_way) + len(orders) < BATCHES_AT_ONCE:
            part = [self._waiting.popleft() for _ in range(min(MAX_LINES, len(self._waiting)))]
            (registry,) = self._chain.read([identity_registry(self._token)])
            if order := self._order(registry, part):
                orders.append(order)
        if orders:
            agent = self._keys.agent
            transactions = self._submitter.submit_together(agent, [order for order, _ in orders])
            self._under_way |= dict(zip(transactions, (wallets for _, wallets in orders), strict=True))

    def follow(self, seen: Look) -> bool:
        """Take in what a look at the chain showed; true when a registration was decided."""
        decided = [each for each in self._under_way if each not in seen.under_way]
        for transaction in decided:
            wallets = self._under_way.pop(transaction)
            self._asked.difference_update(wallets)
            if transaction not in seen.through:
                (registry,) = self._chain.read([identity_registry(self._token)])
                there = self._there(registry, wallets)
                wallets = [wallet for wallet, is_there in zip(wallets, there, strict=True) if is_there]
            self._known.update(wallets)
        if decided:
            self.begin()
        return bool(decided)

    def _order(self, registry: bytes, part: Sequence[_Line]) -> tuple[dict[str, object], list[bytes]] | None:
        """Return the order that registers those of a part who are not registered yet, and their wallets."""
        passes = self._passes(registry, part)
        there = [False] * len(part) if passes else self._there(registry, [wallet for wallet, _ in part])
        missing = self._missing(part, there)
        if not missing:
            return None
        data, agent = _identities(missing), self._keys.agent.address
        order = {
            "offering": self._offering,
            "purpose": "identity",
            "intent": new_id("int"),
            "to": registry,
            "data": data,
            "gas": self._gas(registry, part) if passes else gas_for(self._chain, (registry, data), agent),
        }
        return order, [wallet for wallet, _ in missing]

    def _passes(self, registry: bytes, lines: Sequence[_Line]) -> bool:
        """Try to register them all together: whoever is registered already would fail the others."""
        gas = self._gas(registry, lines)
        try:
            self._chain.call(registry, _identities(lines), gas=gas, sender=self._keys.agent.address)
        except NodeRefused:
            return False
        return True

    def _there(self, registry: bytes, wallets: Sequence[bytes]) -> list[bool]:
        return self._chain.read([is_registered(registry, wallet) for wallet in wallets])

    def _missing(self, lines: Sequence[_Line], there: Sequence[bool]) -> list[_Line]:
        missing = []
        for (wallet, country), is_there in zip(lines, there, strict=True):
            self._tries[wallet] = self._tries.get(wallet, 0) + (not is_there)
            if is_there or self._tries[wallet] > _TRIES:
                self._known.add(wallet)
                self._asked.discard(wallet)
            else:
                missing.append((wallet, country))
        return missing

    def _gas(self, registry: bytes, lines: Sequence[_Line]) -> int:
        """Return the limit for registering so many wallets, by what the suite asks for one and for a few."""
        if self._model is None:

            def estimate(count: int) -> tuple[int, int]:
                data = _identities([(secrets.token_bytes(20), lines[0][1]) for _ in range(count)])
                return count, self._chain.estimate_gas(registry, data, sender=self._keys.agent.address)

            self._model = GasModel.calibrate(estimate(1), estimate(_SAMPLE))
        return self._model.gas_limit(len(lines))


def register_missing(
    signing: tuple[Chain, Keys, Submitter], offering: str, token: bytes, countries: Mapping[bytes, int]
) -> None:
    """Give wallets their identity on chain where they have none yet, and wait until it is final.

    ``countries`` has the ISO 3166 number of each wallet's holder.
    """
    if not countries:
        return
    chain, keys, submitter = signing
    (registry,) = chain.read([identity_registry(token)])
    known = chain.read([is_registered(registry, wallet) for wallet in countries])
    missing = [line for line, is_known in zip(countries.items(), known, strict=True) if not is_known]
    for start in range(0, len(missing), MAX_LINES):
        data = _identities(missing[start : start + MAX_LINES])
        order = {
            "offering": offering,
            "purpose": "identity",
            "intent": new_id("int"),
            "to": registry,
            "data": data,
            "gas": gas_for(chain, (registry, data), keys.agent.address),
        }
        submitter.submit(keys.agent, order)
        submitter.settle(offering, token)


def _identities(lines: Sequence[_Line]) -> bytes:
    return register_batch([(wallet, wallet, country) for wallet, country in lines])
