"""Any EVM chain through the JSON-RPC of one node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from bookrunner.adapters.chain import (
    Arrival,
    BlockNumbers,
    Fees,
    Receipt,
    SendHint,
    SendOutcome,
    TransferLog,
    abi,
    trex,
)
from bookrunner.adapters.chain.receipts import read_receipt
from bookrunner.adapters.chain.rpc import (
    ChainAnswerInvalid,
    ChainError,
    NodeRefused,
    Rpc,
    fields,
    items,
    octets,
    quantity,
)
from bookrunner.core.errors import Refused

T = TypeVar("T")

_RECEIPTS_AT_ONCE = 20
_RECEIVERS_AT_ONCE = 1_000
_KNOWN_TEXTS = ("already known", "already imported", "already in mempool")


class EvmNode:
    """The questions of `Chain` to one node.

    ``finality_depth`` is for networks whose nodes know no ``finalized`` tag: a block that deep under the
    newest counts as final.
    """

    def __init__(self, url: str, *, finality_depth: int | None = None, timeout: float = 10.0) -> None:
        """Prepare the connection; nothing is sent yet."""
        self._rpc = Rpc(url, timeout=timeout)
        self._depth = finality_depth

    def close(self) -> None:
        """Close the connection."""
        self._rpc.close()

    def chain_id(self) -> int:
        """Return the chain's id (EIP-155)."""
        return quantity(self._rpc.call("eth_chainId"))

    def genesis(self) -> bytes:
        """Return the hash of block 0, which names the incarnation of an embedded chain."""
        (block_hash,) = self.canonical([0])
        if block_hash is None:
            raise ChainAnswerInvalid("the node does not know block 0")
        return block_hash

    def block_numbers(self) -> BlockNumbers:
        """Return the newest block and the newest one that cannot be undone."""
        if self._depth is not None:
            latest = quantity(self._rpc.call("eth_blockNumber"))
            return BlockNumbers(latest, max(0, latest - self._depth))
        tags = ("finalized", "latest")
        heads = self._all([("eth_getBlockByNumber", (tag, False)) for tag in tags])
        finalized, latest = (quantity(fields(head).get("number")) for head in heads)
        if finalized > latest:
            raise ChainAnswerInvalid("the final block is above the newest")
        return BlockNumbers(latest, finalized)

    def send(self, raws: Sequence[bytes]) -> list[SendHint]:
        """Broadcast signed transactions in order and return what the node says of each.

        Without an answer, `ChainUnreachable` or `ChainAnswerInvalid`: the bytes may be out all the same.
        """
        calls = [("eth_sendRawTransaction", (_hex(raw),)) for raw in raws]
        return [_hint(answer) for chunk in self._rpc.chunks(calls) for answer in self._rpc.chunk(chunk)]

    def receipts(self, hashes: Sequence[bytes]) -> list[Receipt | None]:
        """Return the receipts in order; None while a transaction is not mined, or unknown."""
        found: list[Receipt | None] = []
        for start in range(0, len(hashes), _RECEIPTS_AT_ONCE):
            part = hashes[start : start + _RECEIPTS_AT_ONCE]
            answers = self._all([("eth_getTransactionReceipt", (_hex(each),)) for each in part])
            found.extend(None if answer is None else read_receipt(answer) for answer in answers)
        return found

    def canonical(self, block_numbers: Sequence[int]) -> list[bytes | None]:
        """Return the hash that each height has now; None for a height not reached."""
        calls = [("eth_getBlockByNumber", (hex(number), False)) for number in block_numbers]
        answers = self._all(calls)
        return [None if block is None else octets(fields(block).get("hash")) for block in answers]

    def block_times(self, block_numbers: Sequence[int]) -> list[datetime]:
        """Return when each block was made; raises `ChainAnswerInvalid` for one that is not there."""
        blocks = self._all([("eth_getBlockByNumber", (hex(number), False)) for number in block_numbers])
        return [datetime.fromtimestamp(quantity(fields(block).get("timestamp")), UTC) for block in blocks]

    def nonce(self, address: bytes, block: int | str = "latest") -> int:
        """Return how many transactions of ``address`` the chain has mined by ``block``."""
        tag = self._tag(block)
        return quantity(self._rpc.call("eth_getTransactionCount", _hex(address), tag))

    def balance(self, address: bytes) -> int:
        """Return the address's coin in wei, for fees."""
        return quantity(self._rpc.call("eth_getBalance", _hex(address), "latest"))

    def code_hash(self, address: bytes) -> bytes:
        """Return keccak of the contract's code; of nothing for an address without code."""
        return abi.keccak(octets(self._rpc.call("eth_getCode", _hex(address), "latest")))

    def call(self, to: bytes, data: bytes, *, gas: int | None = None, sender: bytes | None = None) -> bytes:
        """Try a call without sending it; a revert raises `NodeRefused`."""
        fields_sent = _call_fields(to, data, gas=gas, sender=sender)
        return octets(self._rpc.call("eth_call", fields_sent, "latest"))

    def estimate_gas(self, to: bytes | None, data: bytes, *, sender: bytes) -> int:
        """Return the gas that the call would need now; a revert raises `NodeRefused`."""
        return quantity(self._rpc.call("eth_estimateGas", _call_fields(to, data, sender=sender)))

    def fees(self) -> Fees:
        """Return the suggested tip, and twice the base fee above it.

        The base fee rises by an eighth a block at most, so the offer outlasts five full blocks.
        """
        calls = [("eth_getBlockByNumber", ("latest", False)), ("eth_maxPriorityFeePerGas", ())]
        head, tip = self._all(calls)
        priority = quantity(tip)
        return Fees(2 * quantity(fields(head).get("baseFeePerGas")) + priority, priority)

    def read(self, reads: Sequence[abi.Read[T]], block: int | str = "latest") -> list[T]:
        """Answer several questions to contracts in as few requests as the node allows."""
        tag = self._tag(block)
        calls = [("eth_call", (_call_fields(read.to, read.data), tag)) for read in reads]
        answers = self._all(calls)
        return [read.decode(octets(answer)) for read, answer in zip(reads, answers, strict=True)]

    def balances(self, token: bytes, addresses: Sequence[bytes], block: int | str = "latest") -> list[int]:
        """Return each holder's units of ``token``."""
        return self.read([trex.balance_of(token, holder) for holder in addresses], block)

    def transfer_logs(
        self,
        token: bytes,
        from_block: int,
        to_block: int,
        *,
        receivers: Sequence[bytes] | None = None,
    ) -> list[TransferLog]:
        """Return the token's transfers in both blocks and between, in chain order.

        Only status-1 receipts count. ``to_block`` should be final; when a block changes while it
        is read, `ChainAnswerInvalid` asks for another try.
        """
        wanted = None if receivers is None else frozenset(receivers)
        places: dict[bytes, tuple[int, int]] = {}
        for topics in _topic_filters(receivers):
            query: dict[str, object] = {"address": _hex(token), "topics": topics}
            for log in map(fields, self._logs(query, from_block, to_block)):
                place = (quantity(log.get("blockNumber")), quantity(log.get("transactionIndex")))
                places[octets(log.get("transactionHash"))] = place
        found: list[TransferLog] = []
        for receipt in self.receipts(sorted(places, key=places.__getitem__)):
            if receipt is None or not from_block <= receipt.block_number <= to_block:
                raise ChainAnswerInvalid("a block changed while its transfers were read")
            found.extend(
                _transfer(receipt, line)
                for line in trex.delivered(receipt, token)
                if wanted is None or line.receiver in wanted
            )
        return found

    def arrivals(self, receivers: Sequence[bytes], from_block: int, to_block: int) -> list[Arrival]:
        """Return the transfers of every token to ``receivers`` in both blocks and between, in chain order.

        Those of nothing are left out. When a block changes while it is read, `ChainAnswerInvalid` asks for
        another try.
        """
        places: dict[tuple[int, int], bytes] = {}
        for topics in _topic_filters(receivers):
            for log in map(fields, self._logs({"topics": topics}, from_block, to_block)):
                place = (quantity(log.get("blockNumber")), quantity(log.get("transactionIndex")))
                places[place] = octets(log.get("transactionHash"))
        watched = frozenset(receivers)
        found: list[Arrival] = []
        for receipt in self.receipts([places[place] for place in sorted(places)]):
            if receipt is None or not from_block <= receipt.block_number <= to_block:
                raise ChainAnswerInvalid("a block changed while its transfers were read")
            for token in dict.fromkeys(log.address for log in receipt.logs):
                found.extend(
                    Arrival(token, _transfer(receipt, line))
                    for line in trex.delivered(receipt, token)
                    if line.receiver in watched and line.amount
                )
        return found

    def preflight(
        self, token: bytes, sender: bytes, lines: Sequence[tuple[bytes, int]], *, gas: int
    ) -> dict[int, str]:
        """Return the broken rule of each line that would revert its batch; empty when it passes.

        The whole batch is tried under ``gas``, its own limit. Rules of a line, in order:
        ``receiver_is_verified``, ``receiver_is_not_frozen``, ``compliance_allows_the_transfer``,
        ``line_can_be_delivered``. Refused, as no line is at fault: ``token_is_not_paused``,
        ``treasury_holds_the_units``, ``batch_fits_its_gas_limit``.
        """
        if self._passes(token, sender, lines, gas):
            return {}
        if self.read([trex.paused(token)])[0]:
            raise Refused("token_is_not_paused", "an agent must unpause it first")
        if self.balances(token, [sender])[0] < sum(amount for _, amount in lines):
            raise Refused("treasury_holds_the_units", "the batch is larger than the treasury")
        faults = self._named_faults(token, sender, lines)
        rest = [index for index in range(len(lines)) if index not in faults]
        if rest and not self._passes(token, sender, [lines[index] for index in rest], gas):
            singles = [i for i in rest if not self._passes(token, sender, [lines[i]], gas)]
            faults |= dict.fromkeys(singles, "line_can_be_delivered")
            if not singles:
                raise Refused("batch_fits_its_gas_limit", "each line passes alone, not all at once")
        return faults

    def check(
        self,
        expected_chain_id: int,
        *,
        genesis: bytes | None = None,
        code_hashes: Mapping[bytes, bytes] | None = None,
        next_nonces: Mapping[bytes, int] | None = None,
        finalized_seen: int = 0,
    ) -> None:
        """Refuse to go on with a chain or a node that is not the expected one.

        ``code_hashes`` maps contracts to keccak of their code, ``next_nonces`` our keys to the
        nonce after our highest. Refused, in this order: ``chain_id_is_the_expected_one``,
        ``chain_genesis_is_the_expected_one``, ``chain_node_is_in_step``,
        ``contract_code_is_unchanged``, ``key_is_used_by_us_alone``.
        """
        if self.chain_id() != expected_chain_id:
            raise Refused("chain_id_is_the_expected_one", f"{expected_chain_id} is expected")
        if genesis is not None and self.genesis() != genesis:
            raise Refused("chain_genesis_is_the_expected_one", "this is another network")
        if self._rpc.call("eth_syncing") is not False:
            raise Refused("chain_node_is_in_step", "the node is still syncing")
        if self.block_numbers().finalized < finalized_seen:
            raise Refused("chain_node_is_in_step", "final blocks that we saw are missing here")
        for address, code_hash in (code_hashes or {}).items():
            if self.code_hash(address) != code_hash:
                raise Refused("contract_code_is_unchanged", _hex(address))
        for address, next_nonce in (next_nonces or {}).items():
            if self.nonce(address) > next_nonce:
                raise Refused("key_is_used_by_us_alone", _hex(address))

    def _all(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[object]:
        answers = self._rpc.batch(calls)
        for answer in answers:
            if isinstance(answer, ChainError):
                raise answer
        return answers

    def _tag(self, block: int | str) -> str:
        if block == "finalized" and self._depth is not None:
            return hex(self.block_numbers().finalized)
        return block if isinstance(block, str) else hex(block)

    def _logs(self, query: dict[str, object], first: int, last: int) -> list[object]:
        found: list[object] = []
        span = last - first + 1
        while first <= last:
            end = min(first + span - 1, last)
            asked = query | {"fromBlock": hex(first), "toBlock": hex(end)}
            try:
                found.extend(items(self._rpc.call("eth_getLogs", asked)))
            except NodeRefused:
                # Hosted nodes cap range and result in ways that only trying can tell.
                if first == end:
                    raise
                span = (end - first + 1) // 2
                continue
            first, span = end + 1, span * 2
        return found

    def _passes(self, token: bytes, sender: bytes, lines: Sequence[tuple[bytes, int]], gas: int) -> bool:
        try:
            self.call(token, trex.transfer_batch(lines), gas=gas, sender=sender)
        except NodeRefused:
            return False
        return True

    def _named_faults(
        self, token: bytes, sender: bytes, lines: Sequence[tuple[bytes, int]]
    ) -> dict[int, str]:
        registry, rules = self.read([trex.identity_registry(token), trex.compliance_contract(token)])
        verified = self.read([trex.is_verified(registry, receiver) for receiver, _ in lines])
        frozen = self.read([trex.is_frozen(token, receiver) for receiver, _ in lines])
        allowed = self.read([trex.can_transfer(rules, sender, *line) for line in lines])
        faults: dict[int, str] = {}
        for index in range(len(lines)):
            if not verified[index]:
                faults[index] = "receiver_is_verified"
            elif frozen[index]:
                faults[index] = "receiver_is_not_frozen"
            elif not allowed[index]:
                faults[index] = "compliance_allows_the_transfer"
        return faults


def _transfer(receipt: Receipt, line: trex.Delivery) -> TransferLog:
    return TransferLog(
        transaction_hash=receipt.hash,
        ordinal=line.ordinal,
        block_number=receipt.block_number,
        block_hash=receipt.block_hash,
        sender=line.sender,
        receiver=line.receiver,
        amount=line.amount,
    )


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _call_fields(
    to: bytes | None, data: bytes, *, gas: int | None = None, sender: bytes | None = None
) -> dict[str, str]:
    optional = {
        "to": None if to is None else _hex(to),
        "from": None if sender is None else _hex(sender),
        "gas": None if gas is None else hex(gas),
    }
    return {"data": _hex(data)} | {key: text for key, text in optional.items() if text is not None}


def _hint(answer: object) -> SendHint:
    if not isinstance(answer, NodeRefused):
        return SendHint(SendOutcome.ACCEPTED)
    known = any(text in answer.text.lower() for text in _KNOWN_TEXTS)
    outcome = SendOutcome.ALREADY_KNOWN if known else SendOutcome.OTHERWISE
    return SendHint(outcome, answer.code, answer.text)


def _topic_filters(receivers: Sequence[bytes] | None) -> list[list[object]]:
    transfer = _hex(abi.topic(trex.TRANSFER))
    if receivers is None:
        return [[transfer]]
    words = [_hex(abi.padded(receiver)) for receiver in receivers]
    starts = range(0, len(words), _RECEIVERS_AT_ONCE)
    return [[transfer, None, words[start : start + _RECEIVERS_AT_ONCE]] for start in starts]
