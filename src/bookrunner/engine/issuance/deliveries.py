"""Deliveries of a closing: wallets registered, lines tried, signed in batches, several under way at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from bookrunner.adapters.chain import (
    MAX_LINES,
    MAX_TRANSACTION_GAS,
    Chain,
    GasModel,
    transfer_batch,
)
from bookrunner.core.countries import country_number
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.issuance.checks import TokenCheck
from bookrunner.engine.issuance.posting import Postings, Stored
from bookrunner.engine.issuance.registrations import Registrations
from bookrunner.engine.issuance.submission import ChainStalled, Keys, Submitter, Terms

BATCHES_AT_ONCE: Final = 4
POSTINGS_BEHIND: Final = 2
STALLED_SECONDS: Final = 120.0
_SAMPLE: Final = 21
_TOO_MUCH_GAS: Final = "batch_fits_its_gas_limit"


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
        self._countries: dict[str, int] = {}
        self._wallets = Registrations(signing, target.offering, target.token)
        self._check = TokenCheck(desk.registry, self._chain, self._keys, (target.offering, target.token))
        self._refused: Refused | None = None
        self._delivering = 0
        self._has_news = True
        self._posted = 0
        self._moved = time.monotonic()
        self._postings: Postings | None = None
        self._tell: Callable[[str, int], None] = lambda *_: None

    def beside(self, postings: Postings) -> None:
        """Have final deliveries posted by ``postings`` from now on, and not by `go_on` itself."""
        self._postings = postings

    def expect(self, total: int, progress: Callable[[str, int, int], None]) -> None:
        """Count from here, of so many that are still to be posted, and say so; patience begins anew."""
        self._posted = 0
        self._moved = time.monotonic()
        self._tell = lambda phase, done: progress(phase, done, total)
        self._tell("instruct", 0)

    def register(self, rows: Sequence[Row] | None = None) -> None:
        """Have the wallets of these members, else of all prepared lines, registered where they are not."""
        self._has_news = True
        asked = self._prepared(None) if rows is None else rows
        new = set(self._wallets.unknown(map(_wallet, asked)))
        lines = [row for row in asked if _wallet(row) in new]
        if lines:
            self._tell("register", self._posted)
            countries = self._residences(lines)
            self._wallets.ask({_wallet(row): countries[row["investment_id"]] for row in lines})

    def may_issue(self, rows: Sequence[Row], begun: int) -> bool:
        """Return whether these may follow what is under way and so many that are being signed.

        Their wallets must be known; where they are not and nothing is under way for them, they are asked for.
        """
        if self._refused is not None:
            return True
        if not self._wallets.know(map(_wallet, rows)) and not self._wallets.is_busy:
            self.register(rows)
        return self._free() > begun and self._wallets.know(map(_wallet, rows))

    def try_out(self, rows: Sequence[Row]) -> Terms | None:
        """Try the delivery of these members, and return what the chain asks for it.

        None when the token is not as recorded or would refuse a line: then they are instructed first, and the
        line is stopped under the broken rule.
        """
        if self._refused is not None or self._is_refused():
            return None
        lines = [(_wallet(row), int(row["units"])) for row in rows]
        if self._is_first(lines) and not self._faults(lines, MAX_TRANSACTION_GAS):
            self._calibrate(lines)
        if len(lines) > self.most() or self._faults(lines, self._gas(len(lines))):
            return None
        self._tell("sign", self._posted)
        return self._submitter.terms()

    def issue(self, rows: Sequence[Row], terms: Terms) -> list[str]:
        """Compute the gates of these members, instruct and sign for them in one transaction, and send it.

        Returns the investments whose gate is closed. May run in a thread beside `go_on`.
        """
        of = {"offering": self._target.offering, "closing": self._target.closing}
        members = [
            {"investment": row["investment_id"], "instruction": new_id("ins"), "address": row["address"]}
            for row in rows
        ]
        with self._desk.registry.together() as within:
            opened = within.open_lines(actor=PROCESS, **of, members=members)
            stored = self._store(within, opened["lines"], terms, closing=self._target.closing)
        self._submitter.send(stored)
        self._moved = time.monotonic()
        return sorted(opened["refused"])

    def go_on(self, *, may_pause: bool = True) -> bool:
        """Sign what can be signed, look once at the chain; false when nothing is under way any more.

        Raises ChainStalled when nothing becomes final for long.
        """
        signed = self._sign() if self._has_news else 0
        at = (self._target.offering, self._target.token)
        seen = self._submitter.look(*at, self._postings, may_pause=may_pause and not signed)
        self._has_news = bool(signed) or seen.delivering < self._delivering
        self._delivering = seen.delivering
        if seen.posted:
            self._posted += seen.posted
            self._tell("deliver", self._posted)
        registered = self._wallets.follow(seen)
        self._has_news = self._has_news or registered
        if signed or seen.posted or registered or not seen.under_way:
            self._moved = time.monotonic()
        elif time.monotonic() - self._moved > STALLED_SECONDS:
            raise ChainStalled(f"the transactions of {self._target.offering} are not final")
        return bool(signed or seen.under_way or registered or self._has_news)

    def finish(self) -> None:
        """Go on until nothing is under way.

        Refuses ``token_is_as_recorded`` after what was under way is posted.
        """
        while self.go_on():
            pass
        if self._refused is not None:
            raise self._refused

    def _free(self) -> int:
        """Return how many deliveries may follow; a register that falls behind the chain holds them back."""
        behind = len(self._postings) if self._postings else 0
        return BATCHES_AT_ONCE - self._delivering - max(0, behind - POSTINGS_BEHIND)

    def _sign(self) -> int:
        """Sign the next delivery, if one may follow; what came through meanwhile is posted before another."""
        while self._free() > 0 and self._refused is None and (rows := self._prepared(self.most())):
            if not self._wallets.know(map(_wallet, rows)):
                if not self._wallets.is_busy:
                    self.register()
                if not self._wallets.know(map(_wallet, rows)):
                    break
            if self._is_refused() or self._stop_poisoned(rows):
                continue
            stored = self.sign_batch(len(rows))
            self._send(stored)
            self._delivering += len(stored)
            return len(stored)
        return 0

    def _send(self, stored: Sequence[Stored]) -> None:
        """Send at once, so that the node works while the next is signed."""
        self._tell("sign", self._posted)
        self._submitter.send(stored)
        self._tell("send", self._posted)

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
        is_first = self._is_first(lines)
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

    def _is_first(self, lines: Sequence[object]) -> bool:
        """Return whether gas is not known well enough yet for so many lines."""
        return self._model is None or (self._sampled < len(lines) and self._sampled < _SAMPLE)

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
        empty: list[tuple[bytes, int]] = []
        for start in range(0, len(lines), sample):
            some = lines[start : start + sample]
            held = self._chain.balances(token, [wallet for wallet, _ in some])
            empty += [line for line, units in zip(some, held, strict=True) if not units]
            if len(empty) >= sample:
                break
        chosen = (empty if len(empty) > 1 else list(lines))[:sample]

        def estimate(count: int) -> tuple[int, int]:
            data = transfer_batch(chosen[:count])
            return count, self._chain.estimate_gas(token, data, sender=treasury)

        self._sampled = len(chosen)
        if len(chosen) == 1:
            self._model = GasModel(estimate(1)[1], 0)
        else:
            self._model = GasModel.calibrate(estimate(1), estimate(len(chosen)))

    def most(self) -> int:
        """Return the most lines of a delivery."""
        return self._lines if self._model is None else min(self._lines, self._model.lines_per_batch())

    def _gas(self, lines: int) -> int:
        return MAX_TRANSACTION_GAS if self._model is None else self._model.gas_limit(lines)

    def sign_batch(self, most: int) -> list[Stored]:
        """Take so many lines at most, sign and store their delivery; return it, if there is one."""
        # Rows are locked from here to the signature: what the chain says is asked before.
        terms = self._submitter.terms()
        of = {"offering": self._target.offering, "closing": self._target.closing}
        with self._desk.registry.together() as within:
            lines = within.take_lines(actor=PROCESS, **of, most=most)
            return self._store(within, lines, terms)

    def _store(
        self, within: Within, lines: Sequence[Row], terms: Terms, closing: str | None = None
    ) -> list[Stored]:
        if not lines:
            return []
        data = transfer_batch([(bytes.fromhex(line["address"]), line["units"]) for line in lines])
        order = {
            "offering": self._target.offering,
            "purpose": "deliver",
            "intent": new_id("int"),
            "to": self._target.token,
            "data": data,
            "gas": self._gas(len(lines)),
            "terms": terms,
            "closing": closing,
        }
        return [self._submitter.store(within, self._keys.treasury, order, lines)]

    def _prepared(self, most: int | None) -> list[Row]:
        of = {"offering": self._target.offering, "closing": self._target.closing}
        return list(self._desk.registry.prepared_addresses(**of, most=most))

    def _residences(self, rows: Sequence[Row]) -> dict[str, int]:
        if any(row["investment_id"] not in self._countries for row in rows):
            of = {"offering": self._target.offering, "closing": self._target.closing}
            lived = self._desk.engine.residences(**of)
            self._countries = {row["investment_id"]: country_number(row["country"]) for row in lived}
        return self._countries


def _wallet(row: Row) -> bytes:
    return bytes.fromhex(row["address"])
