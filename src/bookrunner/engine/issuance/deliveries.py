"""Deliveries of a closing: wallets registered, lines tried, signed in batches, several under way at once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from bookrunner.adapters.chain import (
    MAX_LINES,
    MAX_TRANSACTION_GAS,
    Chain,
    GasModel,
    NodeRefused,
    identity_registry,
    is_registered,
    register_batch,
    transfer_batch,
)
from bookrunner.core.countries import country_number
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Row
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.issuance.checks import TokenCheck
from bookrunner.engine.issuance.submission import ChainStalled, Keys, Submitter, gas_for

BATCHES_AT_ONCE: Final = 4
STALLED_SECONDS: Final = 120.0
_TRIES: Final = 3
_SAMPLE: Final = 21
_TOO_MUCH_GAS: Final = "batch_fits_its_gas_limit"


_Line = tuple[bytes, int]


class Target(NamedTuple):
    """The closing that is delivered, and the token of its offer."""

    offering: str
    closing: str
    token: bytes


class Deliveries:
    """Brings prepared instructions to the chain: each call goes as far as it can without waiting.

    The most lines of a delivery are what the suite's own gas allows, ``lines`` at most. A line that the token
    would refuse is stopped under its rule before anything is signed; the others go on.
    """

    def __init__(
        self, desk: Desk, signing: tuple[Chain, Keys, Submitter], target: Target, *, lines: int = MAX_LINES
    ) -> None:
        self._desk = desk
        self._chain, self._keys, self._submitter = signing
        self._target = target
        self._lines = lines
        self._model: GasModel | None = None
        self._sampled = 0
        self._identities: GasModel | None = None
        self._countries: dict[str, int] = {}
        self._known: set[bytes] = set()
        self._registering: dict[str, list[bytes]] = {}
        self._tries: dict[bytes, int] = {}
        self._check = TokenCheck(desk.registry, self._chain, self._keys, (target.offering, target.token))
        self._refused: Refused | None = None
        self._delivering = 0
        self._has_news = True
        self._posted = 0
        self._tell: Callable[[str, int], None] = lambda *_: None

    def expect(self, total: int, progress: Callable[[str, int, int], None]) -> None:
        """Count from here, of so many that are still to be posted, and say so."""
        self._posted = 0
        self._tell = lambda phase, done: progress(phase, done, total)
        self._tell("instruct", 0)

    def register(self) -> None:
        """Have the wallets of prepared lines registered that the token does not know yet."""
        self._has_news = True
        under_way = {wallet for wallets in self._registering.values() for wallet in wallets}
        new = [row for row in self._prepared(None) if _wallet(row) not in self._known | under_way]
        if not new:
            return
        self._tell("register", self._posted)
        (registry,) = self._chain.read([identity_registry(self._target.token)])
        countries = self._residences(new)
        lines = list({_wallet(row): countries[row["investment_id"]] for row in new}.items())
        for start in range(0, len(lines), MAX_LINES):
            part = lines[start : start + MAX_LINES]
            passes = self._passes(registry, part)
            part = self._missing(part, [False] * len(part) if passes else self._there(registry, part))
            if part:
                data = _identities(part)
                agent = self._keys.agent.address
                gas = (
                    self._identity_gas(registry, part)
                    if passes
                    else gas_for(self._chain, (registry, data), agent)
                )
                order = self._order("identity", registry, data) | {"gas": gas}
                transaction = self._submitter.submit(self._keys.agent, order)
                self._registering[transaction] = [wallet for wallet, _ in part]

    def _passes(self, registry: bytes, lines: Sequence[_Line]) -> bool:
        """Try to register them all together: whoever is registered already would fail the others."""
        gas = self._identity_gas(registry, lines)
        try:
            self._chain.call(registry, _identities(lines), gas=gas, sender=self._keys.agent.address)
        except NodeRefused:
            return False
        return True

    def _there(self, registry: bytes, lines: Sequence[_Line]) -> list[bool]:
        return self._chain.read([is_registered(registry, wallet) for wallet, _ in lines])

    def _missing(self, lines: Sequence[_Line], there: Sequence[bool]) -> list[_Line]:
        """Return who is to be registered, unless that was tried too often: the preflight names the rule."""
        missing = []
        for (wallet, country), is_there in zip(lines, there, strict=True):
            self._tries[wallet] = self._tries.get(wallet, 0) + (not is_there)
            if is_there or self._tries[wallet] > _TRIES:
                self._known.add(wallet)
            else:
                missing.append((wallet, country))
        return missing

    def _identity_gas(self, registry: bytes, lines: Sequence[_Line]) -> int:
        """Return the limit for registering so many wallets, by what the suite asks for one and for a few."""
        if self._identities is None:

            def estimate(count: int) -> tuple[int, int]:
                data = _identities([(secrets.token_bytes(20), lines[0][1]) for _ in range(count)])
                return count, self._chain.estimate_gas(registry, data, sender=self._keys.agent.address)

            self._identities = GasModel.calibrate(estimate(1), estimate(_SAMPLE))
        return self._identities.gas_limit(len(lines))

    def go_on(self) -> bool:
        """Sign what can be signed, look once at the chain; false when nothing is under way any more."""
        signed = self._sign() if self._has_news else 0
        seen = self._submitter.look(self._target.offering, self._target.token)
        self._has_news = seen.delivering < self._delivering
        self._delivering = seen.delivering
        if seen.posted:
            self._posted += seen.posted
            self._tell("deliver", self._posted)
        decided = [each for each in self._registering if each not in seen.under_way]
        for transaction in decided:
            self._has_news = True
            wallets = self._registering.pop(transaction)
            if transaction not in seen.through:
                (registry,) = self._chain.read([identity_registry(self._target.token)])
                there = self._chain.read([is_registered(registry, wallet) for wallet in wallets])
                wallets = [w for w, is_there in zip(wallets, there, strict=True) if is_there]
            self._known.update(wallets)
        return bool(signed or seen.under_way or decided or self._has_news)

    def finish(self) -> None:
        """Go on until nothing is under way; raises ChainStalled when nothing becomes final for long.

        Refuses ``token_is_as_recorded`` after what was under way is posted.
        """
        posted, deadline = self._posted, time.monotonic() + STALLED_SECONDS
        while self.go_on():
            if self._posted != posted:
                posted, deadline = self._posted, time.monotonic() + STALLED_SECONDS
            if time.monotonic() > deadline:
                raise ChainStalled(f"the transactions of {self._target.offering} are not final")
        if self._refused is not None:
            raise self._refused

    def _sign(self) -> int:
        free = BATCHES_AT_ONCE - self._delivering
        signed = 0
        while signed < free and self._refused is None and (rows := self._prepared(self._most())):
            if any(_wallet(row) not in self._known for row in rows):
                if not self._registering:
                    self.register()
                if any(_wallet(row) not in self._known for row in rows):
                    break
            if self._is_refused() or self._stop_poisoned(rows):
                continue
            signed += self.sign_batch(len(rows))
        self._delivering += signed
        if signed:
            self._tell("sign", self._posted)
            self._submitter.send_unfinished(self._target.offering)
            self._tell("send", self._posted)
        return signed

    def _is_refused(self) -> bool:
        """Look at the token before a delivery is signed; what is under way is posted all the same."""
        try:
            self._check.look()
        except Refused as refused:
            self._refused = refused
        return self._refused is not None

    def _stop_poisoned(self, rows: Sequence[Row]) -> bool:
        """Stop the lines that the token would refuse; true when there are any, or when fewer lines fit."""
        lines = [(_wallet(row), int(row["units"])) for row in rows]
        is_first = self._model is None or (self._sampled < len(lines) and self._sampled < _SAMPLE)
        faults = self._faults(lines, MAX_TRANSACTION_GAS if is_first else self._gas(len(lines)))
        for place, rule in faults.items():
            self._desk.registry.stop(
                actor=PROCESS,
                offering=self._target.offering,
                investments=[rows[place]["investment_id"]],
                because=rule,
            )
        if not faults and is_first:
            self._calibrate(lines)
            return True
        return bool(faults)

    def _faults(self, lines: Sequence[tuple[bytes, int]], gas: int) -> dict[int, str]:
        treasury = self._keys.treasury.address
        try:
            return self._chain.preflight(self._target.token, treasury, lines, gas=gas)
        except Refused as refused:
            if refused.rule != _TOO_MUCH_GAS or self._sampled >= len(lines) > 1:
                raise
            # The sample was cheaper than these lines are.
            self._calibrate(lines, sample=len(lines))
            return {}

    def _calibrate(self, lines: Sequence[tuple[bytes, int]], sample: int = _SAMPLE) -> None:
        """Fit the gas of this suite's deliveries, from holders who hold nothing yet where there are any."""
        treasury, token = self._keys.treasury.address, self._target.token
        held = self._chain.balances(token, [wallet for wallet, _ in lines])
        empty = [line for line, units in zip(lines, held, strict=True) if not units]
        chosen = (empty if len(empty) > 1 else list(lines))[:sample]

        def estimate(count: int) -> tuple[int, int]:
            data = transfer_batch(chosen[:count])
            return count, self._chain.estimate_gas(token, data, sender=treasury)

        self._sampled = len(chosen)
        if len(chosen) == 1:
            self._model = GasModel(estimate(1)[1], 0)
        else:
            self._model = GasModel.calibrate(estimate(1), estimate(len(chosen)))

    def _most(self) -> int:
        return self._lines if self._model is None else min(self._lines, self._model.lines_per_batch())

    def _gas(self, lines: int) -> int:
        return MAX_TRANSACTION_GAS if self._model is None else self._model.gas_limit(lines)

    def sign_batch(self, most: int) -> int:
        """Take so many lines at most, sign and store their delivery; return how many batches were signed."""
        # Rows are locked from here to the signature: what the chain says is asked before.
        terms = self._submitter.terms()
        of = {"offering": self._target.offering, "closing": self._target.closing}
        with self._desk.registry.together() as within:
            lines = within.take_lines(actor=PROCESS, **of, most=most)
            if not lines:
                return 0
            data = transfer_batch([(bytes.fromhex(line["address"]), line["units"]) for line in lines])
            order = self._order("deliver", self._target.token, data)
            gas = {"gas": self._gas(len(lines)), "terms": terms}
            self._submitter.store(within, self._keys.treasury, order | gas, lines)
        return 1

    def _prepared(self, most: int | None) -> list[Row]:
        of = {"offering": self._target.offering, "closing": self._target.closing}
        return list(self._desk.registry.prepared_addresses(**of, most=most))

    def _residences(self, rows: Sequence[Row]) -> dict[str, int]:
        if any(row["investment_id"] not in self._countries for row in rows):
            of = {"offering": self._target.offering, "closing": self._target.closing}
            lived = self._desk.engine.residences(**of)
            self._countries = {row["investment_id"]: country_number(row["country"]) for row in lived}
        return self._countries

    def _order(self, purpose: str, to: bytes, data: bytes) -> dict[str, object]:
        return {
            "offering": self._target.offering,
            "purpose": purpose,
            "intent": new_id("int"),
            "to": to,
            "data": data,
        }


def _identities(lines: Sequence[_Line]) -> bytes:
    return register_batch([(wallet, wallet, country) for wallet, country in lines])


def _wallet(row: Row) -> bytes:
    return bytes.fromhex(row["address"])
