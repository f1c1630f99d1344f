"""Random steps on the register and the real T-REX contracts: one decision, one state, after each."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bookrunner.adapters.chain import trex
from bookrunner.adapters.chain.control import (
    ChainRule,
    forced_transfer,
    freeze_part,
    remove_identity,
    set_country,
    set_frozen,
    thaw_part,
    transfer,
)
from tests.chain.sides import COUNTRIES, ORDER, TREASURY, Sides, refused

pytestmark = pytest.mark.chain

# Where the register refuses on purpose what the token lets pass; docs/decisions tells why.
STRICTER = frozenset(
    {
        "account_to_freeze_is_free",
        "account_to_thaw_is_frozen",
        "control_units_are_positive",
        "forced_transfer_goes_to_another",
    }
)
WEIGHTS = {
    "issue": 14,
    "mint": 3,
    "transfer": 16,
    "force": 10,
    "freeze_account": 6,
    "thaw_account": 6,
    "freeze_units": 12,
    "thaw_units": 10,
    "pause": 3,
    "unpause": 6,
    "remove": 4,
    "register": 7,
    "recover": 5,
    "country": 6,
}


@dataclass
class Run:
    """One seeded sequence on both sides."""

    sides: Sides
    dice: random.Random

    def step(self) -> str:
        """Take one random step, compare, and say what it was."""
        name = self.dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        said = getattr(self, name)()
        register, chain = self.sides.register_stands(), self.sides.chain_stands()
        assert register == chain, said
        return f"{name} {said}"

    def _holder(self) -> str:
        return self.dice.choice(self.sides.holders)

    def _units(self, around: int = 100) -> int:
        return self.dice.choice(
            [0, 1, self.dice.randint(1, 40), self.dice.randint(1, max(1, around)), around]
        )

    def _held(self, holder: str, place: int = 0) -> int:
        return int(str(self.sides.register_stands()[holder][place]))

    def _agree(self, rule: str, to: bytes, data: bytes) -> str:
        """Compare what the register did with what the contracts say of the agent's call."""
        may = self.sides.accepts(to, data, self.sides.agent.address)
        assert may == (not rule) or (may and rule in STRICTER), rule
        return rule

    def _ordered(self, kind: str, to: bytes, data: bytes, **terms: object) -> str:
        """Ask the contracts first, then carry an order out on both sides or see it refused."""
        may = self.sides.accepts(to, data, self.sides.agent.address)
        rule = refused(self.sides.control, kind, **terms)
        assert may == (not rule) or (may and rule in STRICTER), (kind, rule, may)
        return rule

    def issue(self) -> str:
        """Deliver units from the treasury wallet to a holder."""
        holder, units = self._holder(), self._units() or 1
        register = self.sides.register_says(TREASURY, holder, units)
        assert register == self.sides.chain_says(TREASURY, holder, units)
        if not register:
            self.sides.as_holder(TREASURY, self.sides.of.token, transfer(self.sides.address(holder), units))
            self.sides.issue(holder, units)
        return f"{holder} {units} {register}"

    def mint(self) -> str:
        """Ask for a mint, which the token makes while paused and to frozen wallets; the register does not."""
        holder, units = self._holder(), self._units() or 1
        register = self.sides.register_says(TREASURY, holder, units)
        call = trex.mint(self.sides.address(holder), units)
        may = self.sides.accepts(self.sides.of.token, call, self.sides.agent.address)
        unasked = {ChainRule.SECURITY_IS_NOT_PAUSED.value, ChainRule.BUYER_ACCOUNT_IS_NOT_FROZEN.value}
        assert may == (not register - unasked)
        return f"{holder} {units} {register}"

    def transfer(self) -> str:
        """Let a holder send units with its own key, perhaps to itself."""
        seller, buyer = self._holder(), self._holder()
        units = self._units(self._held(seller))
        register = self.sides.register_says(seller, buyer, units)
        assert register == self.sides.chain_says(seller, buyer, units), (seller, buyer, units)
        if not register:
            self.sides.as_holder(seller, self.sides.of.token, transfer(self.sides.address(buyer), units))
            if seller != buyer:
                self.sides.move(seller, buyer, units)
        return f"{seller} {buyer} {units} {register}"

    def force(self) -> str:
        """Move units by an order; what it needs of a frozen part thaws."""
        seller, buyer = self._holder(), self._holder()
        units = self._units(self._held(seller))
        call = forced_transfer(self.sides.address(seller), self.sides.address(buyer), units)
        terms = {"investor": seller, "receiver": buyer, "units": units, **ORDER}
        return f"{seller} {buyer} {units} " + self._ordered(
            "force_transfer", self.sides.of.token, call, **terms
        )

    def freeze_account(self) -> str:
        """Freeze a whole account, perhaps twice."""
        return self._account("freeze_account", is_frozen=True)

    def thaw_account(self) -> str:
        """Thaw a whole account, frozen or not."""
        return self._account("thaw_account", is_frozen=False)

    def _account(self, kind: str, *, is_frozen: bool) -> str:
        holder = self._holder()
        call = set_frozen(self.sides.address(holder), is_frozen=is_frozen)
        return f"{holder} " + self._ordered(kind, self.sides.of.token, call, investor=holder)

    def freeze_units(self) -> str:
        """Freeze a part, perhaps more than is free."""
        return self._part("freeze_units", freeze_part, 0)

    def thaw_units(self) -> str:
        """Thaw a part, perhaps more than is frozen."""
        return self._part("thaw_units", thaw_part, 1)

    def _part(self, kind: str, call: Callable[[bytes, int], bytes], place: int) -> str:
        holder = self._holder()
        units = self._units(self._held(holder, place))
        data = call(self.sides.address(holder), units)
        return f"{holder} {units} " + self._ordered(
            kind, self.sides.of.token, data, investor=holder, units=units
        )

    def pause(self) -> str:
        """Pause the security, perhaps twice."""
        return self._ordered("pause", self.sides.of.token, trex.pause())

    def unpause(self) -> str:
        """Let the security go on, paused or not."""
        return self._ordered("resume", self.sides.of.token, trex.unpause())

    def remove(self) -> str:
        """Take the identity from a wallet; its balance and freezes stay."""
        holder = self._holder()
        call = remove_identity(self.sides.address(holder))
        rule = self._agree_after(refused(self.sides.revoke, holder), call)
        return f"{holder} {rule}"

    def register(self) -> str:
        """Give a wallet its identity, perhaps twice."""
        holder = self._holder()
        call = self.sides.registration(holder)
        rule = self._agree_after(refused(self.sides.link, holder), call)
        return f"{holder} {rule}"

    def _agree_after(self, rule: str, call: bytes) -> str:
        self._agree(rule, self.sides.of.registry, call)
        if not rule:
            self.sides.as_agent(self.sides.of.registry, call)
        return rule

    def country(self) -> str:
        """Let a holder move house; the token knows it of registered wallets alone."""
        holder, country = self._holder(), self.dice.choice(list(COUNTRIES))
        call = set_country(self.sides.address(holder), COUNTRIES[country])
        is_known = bool(self.sides.register_stands()[holder][3])
        assert self.sides.accepts(self.sides.of.registry, call, self.sides.agent.address) == is_known
        self.sides.change_country(holder, country)
        if is_known:
            self.sides.as_agent(self.sides.of.registry, call)
        return f"{holder} {country}"

    def recover(self) -> str:
        """Recover a lost wallet: units, frozen part and freeze go along, and the old one is out."""
        holder = self._holder()
        if self.sides.place[holder] + 1 == len(self.sides.wallets[holder]):
            return f"{holder} has no more wallets"
        before = self.sides.register_stands()[holder]
        lost, new = self.sides.address(holder), self.sides.wallets[holder][self.sides.place[holder] + 1]
        mapping = self.sides.claim(holder, new.address)
        rule = refused(self.sides.control, "recover_wallet", investor=holder, mapping=mapping, **ORDER)
        if rule:
            assert (rule, before[3]) == ("lost_wallet_is_linked", False)
            self.sides.world.call("registry.reject_wallet", self.sides.offering, mapping, "not now")
            return f"{holder} {rule}"
        self.sides.place[holder] += 1
        assert self.sides.register_stands()[holder] == before
        token, registry = self.sides.of.token, self.sides.of.registry
        flags = [trex.is_frozen(token, lost), trex.is_registered(registry, lost)]
        assert self.sides.chain.read(flags) == [True, False]
        return f"{holder} recovered"


def _play(sides: Sides, seed: int, steps: int) -> None:
    run, told = Run(sides, random.Random(seed)), [f"seed {seed}"]
    try:
        told.extend(run.step() for _ in range(steps))
        issued, lots, delivered = sides.totals()
        assert issued == lots == delivered
        assert sides.by_address() == sides.all_balances()
    except BaseException:
        print("\n".join(told))  # noqa: T201 - the steps that led here
        raise


@pytest.mark.parametrize("seed", [1, 2])
def test_register_and_token_agree_after_each_step(sides: Callable[[str], Sides], seed: int) -> None:
    _play(sides(f"diff{seed}"), seed, 60)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(100, 112))
def test_register_and_token_agree_over_long_sequences(sides: Callable[[str], Sides], seed: int) -> None:
    _play(sides(f"long{seed}"), seed, 400)
