"""Receipts as a node tells them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from bookrunner.adapters.chain import Log, Receipt
from bookrunner.adapters.chain.rpc import ChainAnswerInvalid, fields, items, octets, quantity


def read_receipt(answer: object) -> Receipt:
    """Read what a node says of a transaction in a block; `ChainAnswerInvalid` when it is no receipt."""
    entry = fields(answer)
    status = quantity(entry.get("status"))
    if status not in (0, 1):
        raise ChainAnswerInvalid("a receipt says neither done nor reverted")
    return Receipt(
        hash=octets(entry.get("transactionHash")),
        block_number=quantity(entry.get("blockNumber")),
        block_hash=octets(entry.get("blockHash")),
        status=status,
        gas_used=quantity(entry.get("gasUsed")),
        logs=_Logs(items(entry.get("logs"))),
    )


class _Logs(Sequence[Log]):
    """The logs of a receipt, read when somebody asks: of most transactions only the outcome counts."""

    def __init__(self, told: Sequence[object]) -> None:
        self._told = told

    @overload
    def __getitem__(self, place: int) -> Log: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Log]: ...

    def __getitem__(self, place: int | slice) -> Log | Sequence[Log]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        log = fields(self._told[place])
        return Log(
            address=octets(log.get("address")),
            topics=tuple(map(octets, items(log.get("topics")))),
            data=octets(log.get("data")),
            ordinal=place,
        )

    def __len__(self) -> int:
        return len(self._told)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))
