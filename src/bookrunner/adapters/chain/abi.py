"""Contract calls as bytes: selectors, arguments, answers, and addresses of new contracts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Generic, TypeVar

from bookrunner.adapters.chain.rpc import ChainAnswerInvalid

T_co = TypeVar("T_co", covariant=True)

WORD = 32
ADDRESS_BYTES = 20
_SHORT_LIST = 0xC0
_SHORT_TEXT = 0x80


def _load_what_deepens_recursion() -> None:
    """Load the part of eth-account that lets calls nest 100,000 deep, and take the usual depth again.

    At that depth a JSON text of 100 kB that only opens lists overflows the stack of the process.
    """
    depth = sys.getrecursionlimit()
    with suppress(ModuleNotFoundError):
        import_module("py_ecc")
    sys.setrecursionlimit(depth)


_load_what_deepens_recursion()


@dataclass(frozen=True, slots=True)
class Read(Generic[T_co]):
    """A question to a contract: where it goes, its call data, and how its answer is read."""

    to: bytes
    data: bytes
    decode: Callable[[bytes], T_co]


def keccak(data: bytes) -> bytes:
    """Return the 32 bytes of Keccak-256."""
    from eth_hash.auto import keccak as digest

    return bytes(digest(data))


@cache
def topic(signature: str) -> bytes:
    """Return an event's first topic, from a signature such as ``Paused(address)``."""
    return keccak(signature.encode())


@cache
def selector(signature: str) -> bytes:
    """Return the 4 bytes that choose a function, from a signature such as ``pause()``."""
    return topic(signature)[:4]


def call_data(signature: str, *values: object) -> bytes:
    """Return selector and encoded arguments; addresses are given as 20 bytes."""
    return selector(signature) + encode(argument_types(signature), values)


def call_columns(signature: str, *columns: Sequence[bytes] | Sequence[int]) -> bytes:
    """Return what `call_data` does for arguments that are arrays of addresses or unsigned numbers alone.

    Batches of hundreds of lines are encoded, tried and signed again and again: this is quicker.
    """
    kinds = argument_types(signature)
    arrays = [_array(kind, column) for kind, column in zip(kinds, columns, strict=True)]
    place = WORD * len(arrays)
    head = b""
    for array in arrays:
        head += place.to_bytes(WORD)
        place += len(array)
    return selector(signature) + head + b"".join(arrays)


def _array(kind: str, column: Sequence[bytes] | Sequence[int]) -> bytes:
    words = [_word(kind.removesuffix("[]"), value) for value in column]
    return len(words).to_bytes(WORD) + b"".join(words)


def _word(kind: str, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(int(kind.removeprefix("uint")) // 8).rjust(WORD, b"\0")
    return padded(value) if len(value) == ADDRESS_BYTES else encode((kind,), (value,))


def encode(types: Sequence[str], values: Sequence[object]) -> bytes:
    """Encode ``values`` by the contract ABI."""
    if not types:
        return b""
    from eth_abi.abi import encode as encode_values

    return bytes(encode_values(types, values))


@cache
def argument_types(signature: str) -> tuple[str, ...]:
    """Split a signature's arguments at the commas that stand outside inner tuples."""
    inner = signature[signature.index("(") + 1 : -1]
    parts: list[str] = []
    depth, start = 0, 0
    for position, sign in enumerate(inner):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append(inner[start:position])
            start = position + 1
    return (*parts, inner[start:]) if inner else ()


def read_int(answer: bytes) -> int:
    """Read an unsigned number; an empty answer means that no such contract is there."""
    if len(answer) < WORD:
        raise ChainAnswerInvalid("the address has no contract that answers this call")
    return int.from_bytes(answer[:WORD])


def read_bool(answer: bytes) -> bool:
    """Read a truth value; raise `ChainAnswerInvalid` for any word but 0 and 1."""
    number = read_int(answer)
    if number > 1:
        raise ChainAnswerInvalid("a truth value is neither 0 nor 1")
    return number == 1


def read_address(answer: bytes) -> bytes:
    """Read the 20 bytes of an address; raise `ChainAnswerInvalid` when more bytes are set."""
    if read_int(answer) >> (8 * ADDRESS_BYTES):
        raise ChainAnswerInvalid("an address has more than 20 bytes")
    return answer[WORD - ADDRESS_BYTES : WORD]


def padded(address: bytes) -> bytes:
    """Return an address as the 32-byte word that topics carry."""
    return address.rjust(WORD, b"\0")


def created_address(creator: bytes, nonce: int) -> bytes:
    """Return the address of the contract that ``creator`` makes with ``nonce``.

    The last 20 bytes of keccak over the RLP list of both, as the Ethereum protocol says.
    """
    number = nonce.to_bytes((nonce.bit_length() + 7) // 8)
    if len(number) != 1 or number[0] >= _SHORT_TEXT:
        number = bytes([_SHORT_TEXT + len(number)]) + number
    body = bytes([_SHORT_TEXT + ADDRESS_BYTES]) + creator + number
    return keccak(bytes([_SHORT_LIST + len(body)]) + body)[-ADDRESS_BYTES:]
