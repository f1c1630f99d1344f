"""Control actions on their way to the chain and the register: signed by the agent's key, exactly once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from bookrunner.adapters.chain import (
    Chain,
    ChainError,
    NodeRefused,
    balance_of,
    country_of,
    forced_transfer,
    freeze_part,
    frozen_units,
    identity_registry,
    is_frozen,
    is_registered,
    pause,
    paused,
    register_batch,
    remove_identity,
    set_frozen,
    thaw_part,
    unpause,
)
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.core.log import tell, warn
from bookrunner.db import Row
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.issuance.submission import ChainStalled, Keys, Submitter

_PURPOSE: Final = "control"
# What one call may use at most: a later call of a try cannot be estimated before the earlier ones are mined.
_GAS: Final = 1_000_000
PATIENCE_SECONDS: Final = 30
_WHOLE: Final = frozenset({"freeze_account", "thaw_account", "freeze_unknown", "thaw_unknown"})


class Step(NamedTuple):
    """One call of an action, as the register records it; ``receiver`` and ``units`` are those of a move."""

    call: str
    to: bytes
    data: bytes
    receiver: bytes | None = None
    units: int | None = None


@dataclass(slots=True)
class _Place:
    """What the chain has of one wallet, in token units."""

    balance: int
    frozen: int

    def give(self, units: int) -> None:
        """Take units out as the token does by force: it thaws what the free ones do not cover."""
        self.balance -= units
        self.frozen = min(self.frozen, self.balance)


class Controls:
    """Carries approved control actions to the chain and, when every call is final, to the register.

    The calls follow from the difference between chain and register, so an action whose run ended anywhere is
    carried on, and one that finds the chain as it should be sends nothing.
    """

    def __init__(self, desk: Desk, chain: Chain, keys: Keys, submitter: Submitter) -> None:
        self._desk = desk
        self._chain = chain
        self._keys = keys
        self._submitter = submitter

    def carry_announced(self, scopes: frozenset[str] | None) -> int | None:
        """Carry out what is approved in these offers, or in all; return in how many seconds to look again.

        None when nothing is left. What the chain does not have yet, only the chain can tell of.
        """
        offers = scopes
        if offers is None:
            offers = frozenset(row["offering_id"] for row in self._desk.registry.controls_under_way())
        for offering in sorted(offers):
            try:
                self.carry(offering)
            except (ChainError, ChainStalled) as silent:
                warn("control actions wait", offering=offering, kind=type(silent).__name__)
        return PATIENCE_SECONDS if offers and self._desk.registry.controls_under_way() else None

    def carry(self, offering: str) -> int:
        """Carry out every approved action of an offer; return how many are done.

        One that the token refuses stays approved, and the log says why.
        """
        actions = self._desk.registry.control_actions(offering=offering)
        waiting = [r["action_id"] for r in reversed(actions) if r["status"] in {"approved", "submitted"}]
        to_sign = [r["action_id"] for r in reversed(actions) if r["status"] == "approved"]
        self._settle(offering)
        for action in to_sign:
            try:
                self._submit(offering, action)
            except (Refused, NodeRefused) as fault:
                rule = fault.rule if isinstance(fault, Refused) else "chain_accepts_the_action"
                warn("a control action waits", offering=offering, subject=action, rule=rule)
        self._settle(offering)
        after = self._desk.registry.control_actions(offering=offering)
        done = [r for r in after if r["action_id"] in waiting and r["status"] == "executed"]
        if done:
            tell("control actions are done", offering=offering, rows=len(done))
        return len(done)

    def retry(self, offering: str, action: str) -> None:
        """Sign anew what a reverted action still lacks, and wait for it.

        Refuses what :meth:`carry` only logs.
        """
        self._settle(offering)
        self._submit(offering, action)
        self._settle(offering)

    def _settle(self, offering: str) -> None:
        token = self._token(offering)
        self._submitter.send_unfinished(offering)
        self._submitter.settle(offering, token)

    def _token(self, offering: str) -> bytes | None:
        named = self._desk.offer(offering)["token_address"]
        return None if named is None else bytes(named)

    def _submit(self, offering: str, action: str) -> None:
        """Store the calls of one action in one transaction, with the action; nothing is sent here."""
        asked: Row | None = self._desk.registry.control_plan(offering=offering, action=action)
        if asked is None:
            raise UnknownRecord("control_action_exists", f"there is no control action {action}")
        token = self._token(offering)
        steps = [] if token is None else list(self._plan(asked, token))
        if steps:
            # A refusal of the first call is known before a nonce is taken for any.
            self._chain.call(steps[0].to, steps[0].data, sender=self._keys.agent.address)
        terms = self._submitter.terms() if steps else None
        with self._desk.registry.together() as within:
            stored = []
            for step in steps:
                order = {
                    "offering": offering,
                    "purpose": _PURPOSE,
                    "intent": new_id("int"),
                    "to": step.to,
                    "data": step.data,
                    "gas": _GAS,
                    "terms": terms,
                }
                line = {"action": action, "call": step.call}
                self._submitter.store(within, self._keys.agent, order, [line])
                stored.append(_recorded(step, str(order["intent"])))
            within.submit_control(
                actor=PROCESS,
                offering=offering,
                action=action,
                version=asked["version"],
                steps=json.dumps(stored),
            )
        self._submitter.send_unfinished(offering)

    def _plan(self, asked: Row, token: bytes) -> Iterator[Step]:
        kind, wallet = asked["kind"], asked["address"] and bytes(asked["address"])
        if kind in {"pause", "resume"}:
            (stands,) = self._chain.read([paused(token)])
            if stands != (kind == "pause"):
                yield Step("unpause" if stands else "pause", token, unpause() if stands else pause())
        elif wallet is None:
            return
        elif kind in _WHOLE:
            for each in _wallets(asked):
                yield from self._account(token, each, is_frozen_after=kind.startswith("freeze"))
        elif kind in {"freeze_units", "thaw_units"}:
            less = asked["units"] if kind == "thaw_units" else 0
            yield from self._part(token, self._places(token, asked), asked["frozen_units"] - less)
        elif kind == "force_transfer":
            yield from self._order(token, wallet, asked)
        else:
            yield from self._recovery(token, asked)

    def _order(self, token: bytes, wallet: bytes, asked: Row) -> Iterator[Step]:
        """Move the units once, whichever try did it; the other wallets take over what stays frozen."""
        units = asked["units"]
        if not asked["has_moved"]:
            if asked["to_address"] is None:
                rule = "receiver_wallet_is_linked"
                raise Refused(rule, f"the wallet that {asked['action_id']} was decided for has ended")
            receiver = bytes(asked["to_address"])
            yield Step("move", token, forced_transfer(wallet, receiver, units), receiver, units)
        if len(_wallets(asked)) > 1:
            places = self._places(token, asked)
            if wallet in places and not asked["has_moved"]:
                places[wallet].give(units)
            left = min(asked["frozen_units"], asked["held_units"] - units)
            yield from self._part(token, places, left)

    def _account(self, token: bytes, wallet: bytes, *, is_frozen_after: bool) -> Iterator[Step]:
        (stands,) = self._chain.read([is_frozen(token, wallet)])
        if stands != is_frozen_after:
            call = "freeze" if is_frozen_after else "thaw"
            yield Step(call, token, set_frozen(wallet, is_frozen=is_frozen_after))

    def _places(self, token: bytes, asked: Row) -> dict[bytes, _Place]:
        wallets = _wallets(asked)
        asks = [ask(token, wallet) for wallet in wallets for ask in (balance_of, frozen_units)]
        said = self._chain.read(asks)
        return {wallet: _Place(*said[2 * n : 2 * n + 2]) for n, wallet in enumerate(wallets)}

    def _part(self, token: bytes, places: dict[bytes, _Place], wanted: int) -> Iterator[Step]:
        """Freeze or thaw units until ``wanted`` are frozen in all; the token says what one wallet cannot."""
        change = wanted - sum(place.frozen for place in places.values())
        if change < 0:
            for wallet, place in places.items():
                less = min(place.frozen, -change)
                change += less
                if less:
                    yield Step("thaw_part", token, thaw_part(wallet, less))
            return
        for n, (wallet, place) in enumerate(places.items(), start=1):
            more = change if n == len(places) else min(change, place.balance - place.frozen)
            change -= more
            if more:
                yield Step("freeze_part", token, freeze_part(wallet, more))

    def _recovery(self, token: bytes, asked: Row) -> Iterator[Step]:
        """Move all to the new wallet; both are frozen while anything is on its way, and nothing thaws."""
        lost, new = bytes(asked["address"]), bytes(asked["to_address"])
        (registry,) = self._chain.read([identity_registry(token)])
        known, had_identity, lost_is_frozen, new_is_frozen = self._chain.read(
            [
                is_registered(registry, new),
                is_registered(registry, lost),
                is_frozen(token, lost),
                is_frozen(token, new),
            ]
        )
        balance, part, country = self._chain.read(
            [balance_of(token, lost), frozen_units(token, new), country_of(registry, lost)]
        )
        others = [wallet for wallet in _wallets(asked) if wallet not in {lost, new}]
        wanted = asked["frozen_units"] - sum(self._chain.read([frozen_units(token, one) for one in others]))
        if not lost_is_frozen:
            yield Step("freeze", token, set_frozen(lost, is_frozen=True))
        if not known:
            yield Step("register", registry, register_batch([(new, new, country)]))
        if not new_is_frozen:
            yield Step("freeze", token, set_frozen(new, is_frozen=True))
        if balance:
            yield Step("move", token, forced_transfer(lost, new, balance), new, balance)
        if part < wanted:
            yield Step("freeze_part", token, freeze_part(new, wanted - part))
        if not asked["is_frozen"]:
            yield Step("thaw", token, set_frozen(new, is_frozen=False))
        if had_identity:
            yield Step("remove", registry, remove_identity(lost))


def _wallets(asked: Row) -> list[bytes]:
    return [bytes(wallet) for wallet in asked["addresses"]]


def _recorded(step: Step, intent: str) -> dict[str, object]:
    return {
        "intent": intent,
        "call": step.call,
        "receiver": step.receiver and step.receiver.hex(),
        "units": step.units,
    }
