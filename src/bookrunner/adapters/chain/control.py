"""Control of an ERC-3643 token by its agent, and which of its rules keeps units from moving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from bookrunner.adapters.chain import abi, trex
from bookrunner.adapters.chain.abi import Read

T = TypeVar("T")


class ChainRule(StrEnum):
    """Rules of the token in the order in which it asks them, named as the register names them."""

    UNITS_ARE_POSITIVE = "units_are_positive"
    SECURITY_IS_NOT_PAUSED = "security_is_not_paused"
    SELLER_ACCOUNT_IS_NOT_FROZEN = "seller_account_is_not_frozen"
    BUYER_ACCOUNT_IS_NOT_FROZEN = "buyer_account_is_not_frozen"
    SELLER_HOLDS_THE_UNITS = "seller_holds_the_units"
    UNITS_ARE_NOT_FROZEN = "units_are_not_frozen"
    BUYER_WALLET_IS_LINKED = "buyer_wallet_is_linked"
    # The compliance contract says no and does not say why; the register names its own rule.
    TOKEN_RULES_LET_IT_PASS = "token_rules_let_it_pass"  # noqa: S105 - the name of a rule


class Reader(Protocol):
    """Whatever answers several questions to contracts at one block."""

    def read(self, reads: Sequence[Read[T]], block: int | str = "latest") -> list[T]:
        """Return the answers in order."""


@dataclass(frozen=True, slots=True)
class Contracts:
    """The three contracts that decide on a transfer: the token, its identity registry, its rules."""

    token: bytes
    registry: bytes
    rules: bytes


def contracts_of(chain: Reader, token: bytes) -> Contracts:
    """Ask a token which registry and which rules it follows now."""
    registry, rules = chain.read([trex.identity_registry(token), trex.compliance_contract(token)])
    return Contracts(token, registry, rules)


def frozen_units(token: bytes, wallet: bytes) -> Read[int]:
    """Ask how many units of a wallet are frozen."""
    return Read(token, abi.call_data("getFrozenTokens(address)", wallet), abi.read_int)


def country_of(registry: bytes, wallet: bytes) -> Read[int]:
    """Ask for the ISO 3166 numeric country of a registered wallet; 0 for a stranger's."""
    return Read(registry, abi.call_data("investorCountry(address)", wallet), abi.read_int)


def set_frozen(wallet: bytes, *, is_frozen: bool) -> bytes:
    """Return the call that freezes or thaws a whole wallet; it goes to the token."""
    return abi.call_data("setAddressFrozen(address,bool)", wallet, is_frozen)


def freeze_part(wallet: bytes, units: int) -> bytes:
    """Return the call that freezes units of a wallet; refused by the token above what is free."""
    return abi.call_data("freezePartialTokens(address,uint256)", wallet, units)


def thaw_part(wallet: bytes, units: int) -> bytes:
    """Return the call that thaws units of a wallet; refused by the token above what is frozen."""
    return abi.call_data("unfreezePartialTokens(address,uint256)", wallet, units)


def remove_identity(wallet: bytes) -> bytes:
    """Return the call that takes a wallet out of the identity registry; it keeps its freezes."""
    return abi.call_data("deleteIdentity(address)", wallet)


def set_country(wallet: bytes, country: int) -> bytes:
    """Return the call that gives a registered wallet another ISO 3166 numeric country."""
    return abi.call_data("updateCountry(address,uint16)", wallet, country)


def transfer(receiver: bytes, units: int) -> bytes:
    """Return the call by which a holder moves its own units."""
    return abi.call_data("transfer(address,uint256)", receiver, units)


def forced_transfer(sender: bytes, receiver: bytes, units: int) -> bytes:
    """Return the call that moves units between wallets, from a token agent; the receiver must be registered.

    It goes to the token, asks none of its transfer rules, and thaws what it needs of a frozen part.
    """
    return abi.call_data("forcedTransfer(address,address,uint256)", sender, receiver, units)


def mint_batch(lines: Sequence[tuple[bytes, int]]) -> bytes:
    """Return the call that creates units for (receiver, units), from a token agent; paused or not.

    Every receiver must be registered, and one that is not reverts all.
    """
    return abi.call_columns("batchMint(address[],uint256[])", *map(list, zip(*lines, strict=True)))


def burn_batch(lines: Sequence[tuple[bytes, int]]) -> bytes:
    """Return the call that destroys units of (holder, units), from a token agent; paused or not.

    It thaws what it needs of a frozen part; a holder with fewer units reverts all.
    """
    return abi.call_columns("batchBurn(address[],uint256[])", *map(list, zip(*lines, strict=True)))


def broken_rules(
    chain: Reader, of: Contracts, lines: Sequence[tuple[bytes, bytes, int]], block: int | str = "latest"
) -> list[list[ChainRule]]:
    """Return for each (seller, buyer, units) every rule that it breaks at a block; none if it passes.

    All questions of all lines go out together.
    """
    token = of.token
    flags: list[Read[bool]] = [trex.paused(token)]
    amounts: list[Read[int]] = []
    for seller, buyer, units in lines:
        flags += [
            trex.is_frozen(token, seller),
            trex.is_frozen(token, buyer),
            trex.is_verified(of.registry, buyer),
            trex.can_transfer(of.rules, seller, buyer, units),
        ]
        amounts += [trex.balance_of(token, seller), frozen_units(token, seller)]
    answers, numbers = chain.read(flags, block), chain.read(amounts, block)
    return [
        _broken([answers[0], *answers[1 + 4 * n : 5 + 4 * n]], numbers[2 * n : 2 * n + 2], units)
        for n, (_, _, units) in enumerate(lines)
    ]


def _broken(flags: Sequence[bool], held: Sequence[int], units: int) -> list[ChainRule]:
    is_paused, seller_is_frozen, buyer_is_frozen, is_verified, may = flags
    balance, frozen = held
    found = {
        ChainRule.UNITS_ARE_POSITIVE: units <= 0,
        ChainRule.SECURITY_IS_NOT_PAUSED: is_paused,
        ChainRule.SELLER_ACCOUNT_IS_NOT_FROZEN: seller_is_frozen,
        ChainRule.BUYER_ACCOUNT_IS_NOT_FROZEN: buyer_is_frozen,
        ChainRule.SELLER_HOLDS_THE_UNITS: units > balance,
        ChainRule.UNITS_ARE_NOT_FROZEN: balance - frozen < units <= balance,
        ChainRule.BUYER_WALLET_IS_LINKED: not is_verified,
        ChainRule.TOKEN_RULES_LET_IT_PASS: not may,
    }
    return [rule for rule, is_broken in found.items() if is_broken]
