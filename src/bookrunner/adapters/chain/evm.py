"""An EVM chain behind several nodes, of which one is asked at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Self, TypeVar

from bookrunner.adapters.chain import (
    Arrival,
    BlockNumbers,
    Fees,
    Receipt,
    SendHint,
    SendOutcome,
    TransferLog,
)
from bookrunner.adapters.chain.abi import Read
from bookrunner.adapters.chain.node import EvmNode
from bookrunner.adapters.chain.rpc import ChainAnswerInvalid, ChainError, ChainUnreachable
from bookrunner.core.log import traces, warn

T = TypeVar("T")


class EvmChain:
    """The `Chain` behind the URLs of one or several nodes.

    When the node that is asked falls silent or answers in no usable form, the question goes to the next
    one that is on the same chain and in step: its newest final block is not below the highest that any
    of them has shown, for a node that lags would report as missing what stands. The node that answered
    last is asked first the next time. ``finality_depth`` is for networks whose nodes know no
    ``finalized`` tag: a block that deep under the newest counts as final.
    """

    def __init__(self, *urls: str, finality_depth: int | None = None, timeout: float = 10.0) -> None:
        """Prepare the connections; nothing is sent yet."""
        self._nodes = [EvmNode(url, finality_depth=finality_depth, timeout=timeout) for url in urls]
        self._current = 0
        self._highest = 0
        self._chain_id: int | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        for node in self._nodes:
            node.close()

    def chain_id(self) -> int:
        """Return the chain's id (EIP-155)."""
        self._chain_id = self._ask(lambda node: node.chain_id())
        return self._chain_id

    def genesis(self) -> bytes:
        """Return the hash of block 0, which names the incarnation of an embedded chain."""
        return self._ask(lambda node: node.genesis())

    def block_numbers(self) -> BlockNumbers:
        """Return the newest block and the newest one that cannot be undone.

        Raises `ChainUnreachable` when every node that answers is behind what was seen before.
        """
        return self._ask(self._in_step)

    def send(self, raws: Sequence[bytes]) -> list[SendHint]:
        """Broadcast signed transactions in order; may be repeated with the same bytes for ever."""
        try:
            with traces.span("chain", transactions=len(raws)):
                return self._ask(lambda node: node.send(raws))
        except (ChainUnreachable, ChainAnswerInvalid) as error:
            # The bytes may be out, so silence is an answer and not a failure.
            return [SendHint(SendOutcome.UNANSWERED, text=str(error))] * len(raws)

    def receipts(self, hashes: Sequence[bytes]) -> list[Receipt | None]:
        """Return the receipts in order; None while a transaction is not mined, or unknown."""
        return self._ask(lambda node: node.receipts(hashes))

    def canonical(self, block_numbers: Sequence[int]) -> list[bytes | None]:
        """Return the hash that each height has now; None for a height not reached."""
        return self._ask(lambda node: node.canonical(block_numbers))

    def block_times(self, block_numbers: Sequence[int]) -> list[datetime]:
        """Return when each of these blocks was made, by the chain's own clock, in UTC."""
        return self._ask(lambda node: node.block_times(block_numbers))

    def nonce(self, address: bytes, block: int | str = "latest") -> int:
        """Return how many transactions of ``address`` the chain has mined by ``block``."""
        return self._ask(lambda node: node.nonce(address, block))

    def balance(self, address: bytes) -> int:
        """Return the address's coin in wei, for fees."""
        return self._ask(lambda node: node.balance(address))

    def code_hash(self, address: bytes) -> bytes:
        """Return keccak of the contract's code; of nothing for an address without code."""
        return self._ask(lambda node: node.code_hash(address))

    def call(self, to: bytes, data: bytes, *, gas: int | None = None, sender: bytes | None = None) -> bytes:
        """Try a call without sending it; a revert raises `NodeRefused`."""
        return self._ask(lambda node: node.call(to, data, gas=gas, sender=sender))

    def estimate_gas(self, to: bytes | None, data: bytes, *, sender: bytes) -> int:
        """Return the gas that the call would need now; a revert raises `NodeRefused`."""
        return self._ask(lambda node: node.estimate_gas(to, data, sender=sender))

    def fees(self) -> Fees:
        """Return the suggested tip, and twice the base fee above it; see `EvmNode.fees`."""
        return self._ask(lambda node: node.fees())

    def read(self, reads: Sequence[Read[T]], block: int | str = "latest") -> list[T]:
        """Answer several questions to contracts in as few requests as the node allows."""
        return self._ask(lambda node: node.read(reads, block))

    def balances(self, token: bytes, addresses: Sequence[bytes], block: int | str = "latest") -> list[int]:
        """Return each holder's units of ``token``."""
        return self._ask(lambda node: node.balances(token, addresses, block))

    def transfer_logs(
        self,
        token: bytes,
        from_block: int,
        to_block: int,
        *,
        receivers: Sequence[bytes] | None = None,
    ) -> list[TransferLog]:
        """Return the token's transfers in both blocks and between, in chain order; see `EvmNode`."""
        return self._ask(lambda node: node.transfer_logs(token, from_block, to_block, receivers=receivers))

    def arrivals(self, receivers: Sequence[bytes], from_block: int, to_block: int) -> list[Arrival]:
        """Return the transfers of every token to ``receivers`` in both blocks and between."""
        return self._ask(lambda node: node.arrivals(receivers, from_block, to_block))

    def preflight(
        self, token: bytes, sender: bytes, lines: Sequence[tuple[bytes, int]], *, gas: int
    ) -> dict[int, str]:
        """Return the broken rule of each line that would revert its batch; refuses as `EvmNode.preflight`."""
        return self._ask(lambda node: node.preflight(token, sender, lines, gas=gas))

    def check(
        self,
        expected_chain_id: int,
        *,
        genesis: bytes | None = None,
        code_hashes: Mapping[bytes, bytes] | None = None,
        next_nonces: Mapping[bytes, int] | None = None,
        finalized_seen: int = 0,
    ) -> None:
        """Refuse to go on with a chain or a node that is not the expected one; see `EvmNode.check`."""
        self._ask(
            lambda node: node.check(
                expected_chain_id,
                genesis=genesis,
                code_hashes=code_hashes,
                next_nonces=next_nonces,
                finalized_seen=finalized_seen,
            )
        )

    def _in_step(self, node: EvmNode) -> BlockNumbers:
        shown = node.block_numbers()
        # What the only node takes back is a reorganisation, and no lag.
        if shown.finalized < self._highest and len(self._nodes) > 1:
            raise ChainUnreachable(f"the node's final block {shown.finalized} is below {self._highest}")
        self._highest = max(self._highest, shown.finalized)
        return shown

    def _ask(self, question: Callable[[EvmNode], T]) -> T:
        for others in range(len(self._nodes) - 1, -1, -1):
            try:
                return question(self._nodes[self._current])
            except (ChainUnreachable, ChainAnswerInvalid):
                if not others:
                    raise
                self._leave()
        raise AssertionError("there is no node")

    def _leave(self) -> None:
        """Go on to the next node that answers, is on the same chain and in step.

        Raises `ChainUnreachable` when there is none.
        """
        for _ in self._nodes[1:]:
            self._current = (self._current + 1) % len(self._nodes)
            with suppress(ChainError):
                node = self._nodes[self._current]
                if self._chain_id is None or node.chain_id() == self._chain_id:
                    self._in_step(node)
                    warn("a node is left for another", rows=self._current)
                    return
        raise ChainUnreachable("no node that answers is in step")
