"""The chain as Bookrunner sees it: what can be asked of it, and what it answers.

Addresses are 20 bytes, hashes 32 bytes, units whole token units, coin and fees wei.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar

from bookrunner.adapters.chain.abi import Read, keccak
from bookrunner.adapters.chain.control import (
    ChainRule,
    broken_rules,
    burn_batch,
    contracts_of,
    country_of,
    forced_transfer,
    freeze_part,
    frozen_units,
    mint_batch,
    remove_identity,
    set_frozen,
    thaw_part,
    transfer,
)
from bookrunner.adapters.chain.rpc import (
    ChainAnswerInvalid,
    ChainError,
    ChainUnreachable,
    NodeRefused,
)
from bookrunner.adapters.chain.trex import (
    MAX_LINES,
    MAX_TRANSACTION_GAS,
    Call,
    Delivery,
    DeployStep,
    GasModel,
    SuitePlan,
    Swap,
    balance_of,
    can_transfer,
    compliance_contract,
    compliance_implementation,
    decimals,
    delivered,
    deployment,
    further_suite,
    identity_registry,
    implementation_authority,
    is_agent,
    is_frozen,
    is_registered,
    is_verified,
    mint,
    pause,
    paused,
    register_batch,
    registry_implementation,
    token_implementation,
    token_of,
    total_supply,
    transfer_batch,
    unpause,
)
from bookrunner.adapters.chain.wallets import (
    Challenge,
    checksum,
    contract_accepts,
    message_digest,
    new_nonce,
    parse_address,
    recover,
)

__all__ = [
    "MAX_LINES",
    "MAX_TRANSACTION_GAS",
    "AddressTree",
    "Arrival",
    "BlockNumbers",
    "Call",
    "Chain",
    "ChainAnswerInvalid",
    "ChainError",
    "ChainRule",
    "ChainUnreachable",
    "Challenge",
    "Delivery",
    "DeployStep",
    "Fees",
    "GasModel",
    "Log",
    "NodeRefused",
    "Read",
    "Receipt",
    "SendHint",
    "SendOutcome",
    "SignedTransaction",
    "Signer",
    "SuitePlan",
    "Swap",
    "Transaction",
    "TransferLog",
    "balance_of",
    "broken_rules",
    "burn_batch",
    "can_transfer",
    "checksum",
    "compliance_contract",
    "compliance_implementation",
    "contract_accepts",
    "contracts_of",
    "country_of",
    "decimals",
    "delivered",
    "deployment",
    "forced_transfer",
    "freeze_part",
    "frozen_units",
    "further_suite",
    "identity_registry",
    "implementation_authority",
    "is_agent",
    "is_frozen",
    "is_registered",
    "is_verified",
    "keccak",
    "message_digest",
    "mint",
    "mint_batch",
    "new_nonce",
    "parse_address",
    "pause",
    "paused",
    "recover",
    "register_batch",
    "registry_implementation",
    "remove_identity",
    "set_frozen",
    "thaw_part",
    "token_implementation",
    "token_of",
    "total_supply",
    "transfer",
    "transfer_batch",
    "unpause",
]

T = TypeVar("T")


class SendOutcome(StrEnum):
    """What a node said to a transaction; only a hint, receipts and nonces are the truth."""

    ACCEPTED = "accepted"  # The node took the transaction.
    ALREADY_KNOWN = "already_known"  # The node says that it has these bytes.
    OTHERWISE = "otherwise"  # The node said something else; `SendHint.text` keeps it.
    UNANSWERED = "unanswered"  # No answer came, so the transaction may be out.


@dataclass(frozen=True, slots=True)
class SendHint:
    """A node's answer to one transaction, with its code and text for people."""

    outcome: SendOutcome
    code: int = 0
    text: str = ""


class BlockNumbers(NamedTuple):
    """The newest block and the newest one that cannot be undone."""

    latest: int
    finalized: int


class Fees(NamedTuple):
    """What a new transaction should offer, in wei for each unit of gas (EIP-1559)."""

    max_fee: int
    priority_fee: int


@dataclass(frozen=True, slots=True)
class Log:
    """One event of a contract; ``ordinal`` counts from 0 within its receipt."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    ordinal: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a mined transaction did; ``status`` is 1 for done, 0 for reverted."""

    hash: bytes
    block_number: int
    block_hash: bytes
    status: int
    gas_used: int
    logs: Sequence[Log]


@dataclass(frozen=True, slots=True)
class TransferLog:
    """One transfer of a token; (chain, transaction hash, ordinal) names it for ever."""

    transaction_hash: bytes
    ordinal: int
    block_number: int
    block_hash: bytes
    sender: bytes
    receiver: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """A type-2 transaction before its signature; ``to`` is None to create a contract."""

    chain_id: int
    nonce: int
    to: bytes | None
    data: bytes
    gas: int
    fees: Fees
    value: int = 0


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """The bytes that a node takes, and the hash under which the chain will know them."""

    raw: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Arrival:
    """One transfer of any token to a watched address; ``ordinal`` counts from 0 within its receipt."""

    token: bytes
    transfer: TransferLog

    def told(self) -> dict[str, object]:
        """Return it as the books are told: bytes in hex, units as decimal text."""
        moved = self.transfer
        return {
            "hash": moved.transaction_hash.hex(),
            "ordinal": moved.ordinal,
            "number": moved.block_number,
            "block": moved.block_hash.hex(),
            "token": self.token.hex(),
            "sender": moved.sender.hex(),
            "receiver": moved.receiver.hex(),
            "units": str(moved.amount),
        }


class AddressTree(Protocol):
    """A tree of addresses that are derived and never used twice."""

    @property
    def name(self) -> str:
        """The digest under which the tree is known."""

    def address(self, place: int) -> bytes:
        """Return the 20 bytes of the address at a place."""


class Signer(Protocol):
    """A key that signs; signing the same transaction twice may give two different hashes."""

    @property
    def address(self) -> bytes:
        """The address that the key controls."""

    def sign(self, transaction: Transaction) -> SignedTransaction:
        """Return the signed bytes; the caller stores them before anybody else sees them."""

    def sign_again(self, raw: bytes, fees: Fees) -> SignedTransaction:
        """Return what earlier bytes of this key say, signed at the same nonce with other fees."""


class Chain(Protocol):
    """One chain, through its nodes.

    Every method may raise `ChainUnreachable`, `ChainAnswerInvalid` or `NodeRefused`. ``block`` is
    a number or a tag such as ``latest`` and ``finalized``.
    """

    def chain_id(self) -> int:
        """Return the chain's id (EIP-155)."""

    def genesis(self) -> bytes:
        """Return the hash of block 0, which names the incarnation of an embedded chain."""

    def block_numbers(self) -> BlockNumbers:
        """Return the newest block and the newest final one."""

    def send(self, raws: Sequence[bytes]) -> list[SendHint]:
        """Broadcast signed transactions in order; may be repeated with the same bytes for ever."""

    def receipts(self, hashes: Sequence[bytes]) -> list[Receipt | None]:
        """Return the receipts in order; None while a transaction is not mined, or unknown."""

    def canonical(self, block_numbers: Sequence[int]) -> list[bytes | None]:
        """Return the hash that each height has now; None for a height not reached."""

    def block_times(self, block_numbers: Sequence[int]) -> list[datetime]:
        """Return when each of these blocks was made, by the chain's own clock, in UTC."""

    def nonce(self, address: bytes, block: int | str = "latest") -> int:
        """Return how many transactions of ``address`` the chain has mined by ``block``."""

    def balance(self, address: bytes) -> int:
        """Return the address's coin in wei, for fees."""

    def code_hash(self, address: bytes) -> bytes:
        """Return keccak of the contract's code; of nothing for an address without code."""

    def call(self, to: bytes, data: bytes, *, gas: int | None = None, sender: bytes | None = None) -> bytes:
        """Try a call without sending it; a revert raises `NodeRefused`."""

    def estimate_gas(self, to: bytes | None, data: bytes, *, sender: bytes) -> int:
        """Return the gas that the call would need now; a revert raises `NodeRefused`."""

    def fees(self) -> Fees:
        """Return fees that outlast several full blocks."""

    def read(self, reads: Sequence[Read[T]], block: int | str = "latest") -> list[T]:
        """Answer several questions to contracts in as few requests as the node allows."""

    def balances(self, token: bytes, addresses: Sequence[bytes], block: int | str = "latest") -> list[int]:
        """Return each holder's units of ``token``."""

    def transfer_logs(
        self,
        token: bytes,
        from_block: int,
        to_block: int,
        *,
        receivers: Sequence[bytes] | None = None,
    ) -> list[TransferLog]:
        """Return the token's transfers in both blocks and between, in chain order."""

    def arrivals(self, receivers: Sequence[bytes], from_block: int, to_block: int) -> list[Arrival]:
        """Return the transfers of every token to ``receivers`` in both blocks and between, in chain order.

        Those of nothing are left out.
        """

    def preflight(
        self, token: bytes, sender: bytes, lines: Sequence[tuple[bytes, int]], *, gas: int
    ) -> dict[int, str]:
        """Return the broken rule of each line that would revert its batch; empty when it passes."""

    def check(
        self,
        expected_chain_id: int,
        *,
        genesis: bytes | None = None,
        code_hashes: Mapping[bytes, bytes] | None = None,
        next_nonces: Mapping[bytes, int] | None = None,
        finalized_seen: int = 0,
    ) -> None:
        """Refuse to go on with a chain or a node that is not the expected one."""
