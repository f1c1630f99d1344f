"""ERC-3643 tokens (T-REX suites): what to send, and how to read what comes back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bookrunner.adapters.chain import abi
from bookrunner.adapters.chain.abi import Read
from bookrunner.core.errors import ConfigurationError, Refused

if TYPE_CHECKING:
    # The front door imports this module, so only the type checker may look back.
    from bookrunner.adapters.chain import Receipt

MAX_LINES = 250
# EIP-7825: no transaction may carry more gas, whatever a block holds.
MAX_TRANSACTION_GAS = 16_777_216
TRANSFER = "Transfer(address,address,uint256)"

_APPROVE = "approve(address,uint256)"
_INITIATE = "initiateDVDTransfer(address,uint256,address,address,uint256)"
_TAKE = "takeDVDTransfer(bytes32)"
_SWAP = ("uint256", "address", "address", "uint256", "address", "address", "uint256")
_NOBODY = bytes(abi.ADDRESS_BYTES)
_VERSION = (4, 1, 6)
_MAX_PARTIES = 5
_IS_REFERENCE = True
_IS_LIBRARY = True
_SUITE = (
    "deployTREXSuite(string,"
    "(address,string,string,uint8,address,address,address[],address[],address[],bytes[]),"
    "(uint256[],address[],uint256[][]))"
)
_USE_VERSION = "addAndUseTREXVersion((uint8,uint8,uint8),(address,address,address,address,address,address))"
_TREX = "@tokenysolutions/t-rex"
_ONCHAIN_ID = "@onchain-id/solidity"


class _Contract(NamedTuple):
    package: str
    source: str
    types: tuple[str, ...]
    gas: int


# Gas limits stand a fifth above what these exact versions use; creating takes no more elsewhere.
_CONTRACTS = {
    "token": _Contract(_TREX, "token/Token", (), 3_800_000),
    "claim_topics": _Contract(_TREX, "registry/implementation/ClaimTopicsRegistry", (), 600_000),
    "identity_registry": _Contract(_TREX, "registry/implementation/IdentityRegistry", (), 1_900_000),
    "identity_storage": _Contract(_TREX, "registry/implementation/IdentityRegistryStorage", (), 1_300_000),
    "trusted_issuers": _Contract(_TREX, "registry/implementation/TrustedIssuersRegistry", (), 1_450_000),
    "compliance": _Contract(_TREX, "compliance/modular/ModularCompliance", (), 1_550_000),
    "authority": _Contract(
        _TREX,
        "proxy/authority/TREXImplementationAuthority",
        ("bool", "address", "address"),
        2_500_000,
    ),
    "identity": _Contract(_ONCHAIN_ID, "Identity", ("address", "bool"), 4_650_000),
    "identity_authority": _Contract(_ONCHAIN_ID, "proxy/ImplementationAuthority", ("address",), 700_000),
    "identity_factory": _Contract(_ONCHAIN_ID, "factory/IdFactory", ("address",), 4_700_000),
    "factory": _Contract(_TREX, "factory/TREXFactory", ("address", "address"), 6_300_000),
    "authority_factory": _Contract(_TREX, "proxy/authority/IAFactory", ("address",), 2_950_000),
}
_SUITE_GAS = 4_300_000
_SETTING_GAS = 350_000


@dataclass(frozen=True, slots=True)
class SuitePlan:
    """One offer's token: ``salt`` is the offering's id, and units are whole (no decimals).

    The transfer agent's key stands in both agent lists; the factory adds the token itself to the
    registry's agents. Without ``claim_topics`` every registered wallet counts as verified.
    """

    salt: str
    owner: bytes
    name: str
    symbol: str
    registry_agents: tuple[bytes, ...]
    token_agents: tuple[bytes, ...]
    claim_topics: tuple[int, ...] = ()
    claim_issuers: tuple[tuple[bytes, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class DeployStep:
    """One transaction of a deployment; ``creates`` is the new contract's address."""

    name: str
    nonce: int
    to: bytes | None
    data: bytes
    gas: int
    creates: bytes | None


class Delivery(NamedTuple):
    """One transfer that a receipt proves; ``ordinal`` counts the logs within the receipt."""

    sender: bytes
    receiver: bytes
    amount: int
    ordinal: int


def deployment(artifacts: Path, deployer: bytes, start_nonce: int, suite: SuitePlan) -> list[DeployStep]:
    """Return the 17 transactions that put a factory and one suite on a chain, in nonce order.

    Every address follows from ``deployer`` and its nonces, so all of them can be signed and stored
    before the first is broadcast. ``artifacts`` is the folder that holds both npm packages; raises
    `ConfigurationError` when one is missing. Refused: ``suite_names_at_most_five_parties``.
    """
    plan = _Deployment(artifacts, deployer, start_nonce)
    logic = tuple(
        plan.create(name)
        for name in (
            "token",
            "claim_topics",
            "identity_registry",
            "identity_storage",
            "trusted_issuers",
            "compliance",
        )
    )
    authority = plan.create("authority", _IS_REFERENCE, _NOBODY, _NOBODY)
    plan.set(authority, "use_version", abi.call_data(_USE_VERSION, _VERSION, logic))
    identity = plan.create("identity", deployer, _IS_LIBRARY)
    identities = plan.create("identity_factory", plan.create("identity_authority", identity))
    factory = plan.create("factory", authority, identities)
    authorities = plan.create("authority_factory", factory)
    plan.set(authority, "set_factory", abi.call_data("setTREXFactory(address)", factory))
    plan.set(authority, "set_authorities", abi.call_data("setIAFactory(address)", authorities))
    plan.set(identities, "add_factory", abi.call_data("addTokenFactory(address)", factory))
    return [*plan.steps, further_suite(factory, plan.nonce, suite)]


def further_suite(factory: bytes, nonce: int, suite: SuitePlan) -> DeployStep:
    """Return the one transaction that adds a suite to a factory of the deployer's own.

    The contract refuses a salt that was used, so repeating it makes no second token.
    Refused: ``suite_names_at_most_five_parties``.
    """
    parties = (suite.registry_agents, suite.token_agents, suite.claim_topics, suite.claim_issuers)
    if max(map(len, parties)) > _MAX_PARTIES:
        raise Refused("suite_names_at_most_five_parties", "more are added one by one afterwards")
    agents = (suite.registry_agents, suite.token_agents)
    token = (suite.owner, suite.name, suite.symbol, 0, _NOBODY, _NOBODY, *agents, (), ())
    issuers = [issuer for issuer, _ in suite.claim_issuers]
    topics = [topics for _, topics in suite.claim_issuers]
    claims = (suite.claim_topics, issuers, topics)
    data = abi.call_data(_SUITE, suite.salt, token, claims)
    return DeployStep("suite", nonce, factory, data, _SUITE_GAS, None)


class _Deployment:
    def __init__(self, artifacts: Path, deployer: bytes, nonce: int) -> None:
        self._artifacts = artifacts
        self._deployer = deployer
        self.nonce = nonce
        self.steps: list[DeployStep] = []

    def create(self, name: str, *arguments: object) -> bytes:
        contract = _CONTRACTS[name]
        address = abi.created_address(self._deployer, self.nonce)
        data = _creation_code(self._artifacts, contract) + abi.encode(contract.types, arguments)
        self.steps.append(DeployStep(name, self.nonce, None, data, contract.gas, address))
        self.nonce += 1
        return address

    def set(self, target: bytes, name: str, data: bytes) -> None:
        self.steps.append(DeployStep(name, self.nonce, target, data, _SETTING_GAS, None))
        self.nonce += 1


def _creation_code(artifacts: Path, contract: _Contract) -> bytes:
    name = contract.source.rpartition("/")[2]
    path = artifacts / contract.package / f"artifacts/contracts/{contract.source}.sol/{name}.json"
    try:
        return bytes.fromhex(json.loads(path.read_bytes())["bytecode"][2:])
    except FileNotFoundError:
        raise ConfigurationError(f"the contract artifact {name} is not installed") from None


def token_of(factory: bytes, salt: str) -> Read[bytes]:
    """Ask a factory for the token of an offering; 20 zero bytes when there is none yet."""
    return Read(factory, abi.call_data("getToken(string)", salt), abi.read_address)


def identity_registry(token: bytes) -> Read[bytes]:
    """Ask which registry decides who may hold the token."""
    return Read(token, abi.call_data("identityRegistry()"), abi.read_address)


def compliance_contract(token: bytes) -> Read[bytes]:
    """Ask which contract holds the token's transfer rules."""
    return Read(token, abi.call_data("compliance()"), abi.read_address)


def implementation_authority(proxy: bytes) -> Read[bytes]:
    """Ask which authority a T-REX proxy follows; its slot is not the one of EIP-1967."""
    return Read(proxy, abi.call_data("getImplementationAuthority()"), abi.read_address)


def token_implementation(authority: bytes) -> Read[bytes]:
    """Ask an authority for the code that its tokens run now."""
    return Read(authority, abi.call_data("getTokenImplementation()"), abi.read_address)


def registry_implementation(authority: bytes) -> Read[bytes]:
    """Ask an authority for the code that its identity registries run now."""
    return Read(authority, abi.call_data("getIRImplementation()"), abi.read_address)


def compliance_implementation(authority: bytes) -> Read[bytes]:
    """Ask an authority for the code that its compliance contracts run now."""
    return Read(authority, abi.call_data("getMCImplementation()"), abi.read_address)


def balance_of(token: bytes, holder: bytes) -> Read[int]:
    """Ask for a holder's units."""
    return Read(token, abi.call_data("balanceOf(address)", holder), abi.read_int)


def total_supply(token: bytes) -> Read[int]:
    """Ask for the units that exist."""
    return Read(token, abi.call_data("totalSupply()"), abi.read_int)


def decimals(token: bytes) -> Read[int]:
    """Ask for the token's decimals; suites made here have none."""
    return Read(token, abi.call_data("decimals()"), abi.read_int)


def paused(token: bytes) -> Read[bool]:
    """Ask whether transfers are paused; minting is not."""
    return Read(token, abi.call_data("paused()"), abi.read_bool)


def is_agent(contract: bytes, wallet: bytes) -> Read[bool]:
    """Ask a token or a registry whether a key has the agent's role."""
    return Read(contract, abi.call_data("isAgent(address)", wallet), abi.read_bool)


def is_frozen(token: bytes, wallet: bytes) -> Read[bool]:
    """Ask whether a whole wallet is frozen."""
    return Read(token, abi.call_data("isFrozen(address)", wallet), abi.read_bool)


def is_registered(registry: bytes, wallet: bytes) -> Read[bool]:
    """Ask whether a wallet has an identity; registering it twice reverts the batch."""
    return Read(registry, abi.call_data("contains(address)", wallet), abi.read_bool)


def is_verified(registry: bytes, wallet: bytes) -> Read[bool]:
    """Ask whether a wallet may hold the token now."""
    return Read(registry, abi.call_data("isVerified(address)", wallet), abi.read_bool)


def can_transfer(rules: bytes, sender: bytes, receiver: bytes, amount: int) -> Read[bool]:
    """Ask the compliance contract whether it would let a transfer pass."""
    data = abi.call_data("canTransfer(address,address,uint256)", sender, receiver, amount)
    return Read(rules, data, abi.read_bool)


def register_batch(entries: Sequence[tuple[bytes, bytes, int]]) -> bytes:
    """Return the call that registers (wallet, identity contract, ISO 3166 numeric country).

    It goes to the identity registry, from an agent's key. A wallet registered before reverts all.
    """
    columns = [list(column) for column in zip(*entries, strict=True)] or [[], [], []]
    return abi.call_columns("batchRegisterIdentity(address[],address[],uint16[])", *columns)


def transfer_batch(lines: Sequence[tuple[bytes, int]]) -> bytes:
    """Return the call that delivers (receiver, units), from the treasury.

    Refused: ``batch_has_a_line``, ``batch_amounts_are_positive`` (the contract reverts on zero).
    """
    if not lines:
        raise Refused("batch_has_a_line", "nothing would be delivered")
    if any(amount <= 0 for _, amount in lines):
        raise Refused("batch_amounts_are_positive", "one such line would revert the batch")
    receivers, amounts = [receiver for receiver, _ in lines], [amount for _, amount in lines]
    return abi.call_columns("batchTransfer(address[],uint256[])", receivers, amounts)


def mint(receiver: bytes, amount: int) -> bytes:
    """Return the call that creates units, from a token agent; the receiver must be registered."""
    return abi.call_data("mint(address,uint256)", receiver, amount)


def unpause() -> bytes:
    """Return the call that lets a new token move, from a token agent."""
    return abi.call_data("unpause()")


def pause() -> bytes:
    """Return the call that stops transfers, from a token agent."""
    return abi.call_data("pause()")


def delivered(receipt: Receipt, token: bytes) -> list[Delivery]:
    """Return the transfers of ``token`` in a receipt, in order; a reverted one has none."""
    if receipt.status != 1:
        return []
    wanted = abi.topic(TRANSFER)
    return [
        Delivery(log.topics[1][12:], log.topics[2][12:], abi.read_int(log.data), log.ordinal)
        for log in receipt.logs
        if log.address == token and len(log.topics) == 3 and log.topics[0] == wanted  # noqa: PLR2004
    ]


@dataclass(frozen=True, slots=True)
class GasModel:
    """What a batch costs on one suite: ``fixed`` gas, and ``marginal`` gas for each line.

    Calibrate it for each suite, and again when a module or an implementation changes.
    """

    fixed: int
    marginal: int

    @classmethod
    def calibrate(cls, small: tuple[int, int], large: tuple[int, int]) -> GasModel:
        """Fit the line through two estimates, each (lines, gas), rounding against us.

        Refused: ``calibration_sizes_differ``.
        """
        if small[0] >= large[0]:
            raise Refused("calibration_sizes_differ", "the second batch must have more lines")
        marginal = -((small[1] - large[1]) // (large[0] - small[0]))
        return cls(max(0, small[1] - marginal * small[0]), marginal)

    def lines_per_batch(self, cap: int = MAX_TRANSACTION_GAS) -> int:
        """Return how many lines fit into four fifths of ``cap``, at most 250.

        Refused: ``one_line_fits_the_gas_cap``.
        """
        lines = min(MAX_LINES, (cap * 4 // 5 - self.fixed) // max(1, self.marginal))
        if lines < 1:
            raise Refused("one_line_fits_the_gas_cap", "the suite's rules cost too much gas")
        return lines

    def gas_limit(self, lines: int, cap: int = MAX_TRANSACTION_GAS) -> int:
        """Return the gas that a batch of ``lines`` may use: a fifth above the model, or ``cap``."""
        return min(cap, -(-(self.fixed + self.marginal * lines) * 6 // 5))


class Call(NamedTuple):
    """A call for whoever signs it: the contract that it goes to, and its data."""

    to: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Swap:
    """Units of ``maker`` against base units of a coin of ``taker``, through a contract that moves both.

    ``manager`` is a deployed ``DVDTransferManager`` of the suite.
    """

    manager: bytes
    token: bytes
    units: int
    maker: bytes
    coin: bytes
    amount: int
    taker: bytes

    def offered(self) -> list[Call]:
        """Return what the maker signs: the right to its units, and the offer of both legs."""
        told = (self.token, self.units, self.taker, self.coin, self.amount)
        return [
            Call(self.token, abi.call_data(_APPROVE, self.manager, self.units)),
            Call(self.manager, abi.call_data(_INITIATE, *told)),
        ]

    def taken(self, number: int | None) -> list[Call]:
        """Return what the taker signs: the right to its coin, and, of a numbered offer, taking it.

        ``number`` is the contract's count of offers before this one, its ``txNonce``.
        """
        right = Call(self.coin, abi.call_data(_APPROVE, self.manager, self.amount))
        if number is None:
            return [right]
        return [right, Call(self.manager, abi.call_data(_TAKE, self.name(number)))]

    def name(self, number: int) -> bytes:
        """Return the 32 bytes under which the contract keeps an offer (``calculateTransferID``)."""
        maker = (self.maker, self.token, self.units)
        return abi.keccak(abi.encode(_SWAP, (number, *maker, self.taker, self.coin, self.amount)))
