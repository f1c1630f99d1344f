"""Deposit addresses from one public key: a tree of keys (BIP-32) whose public half is all that is needed."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from bookrunner.adapters.chain import abi
from bookrunner.adapters.chain.keys import LocalKey, open_secret
from bookrunner.core.errors import Refused

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PUBLIC_VERSION: Final = bytes.fromhex("0488b21e")
_MASTER: Final = b"Bitcoin seed"
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HARDENED: Final = 2**31
_EXTENDED_BYTES: Final = 78
_CHECK_BYTES: Final = 4
_SEED_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class DepositTree:
    """The public half of a key tree: 33 bytes of key and 32 of chain code; it can receive and never send."""

    public_key: bytes
    chain_code: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an extended public key (``xpub…``); refuses ``extended_key_is_valid``."""
        number = 0
        for sign in text:
            if sign not in _ALPHABET:
                raise Refused("extended_key_is_valid", "a sign is not of base 58")
            number = number * len(_ALPHABET) + _ALPHABET.index(sign)
        if number >> (8 * (_EXTENDED_BYTES + _CHECK_BYTES)):
            raise Refused("extended_key_is_valid", "it is too long")
        raw = number.to_bytes(_EXTENDED_BYTES + _CHECK_BYTES)
        body, check = raw[:_EXTENDED_BYTES], raw[_EXTENDED_BYTES:]
        if hashlib.sha256(hashlib.sha256(body).digest()).digest()[:_CHECK_BYTES] != check:
            raise Refused("extended_key_is_valid", "its check bytes are wrong")
        if body[:4] != _PUBLIC_VERSION:
            raise Refused("extended_key_is_valid", "it is no public key")
        return cls(body[45:], body[13:45])

    @property
    def name(self) -> str:
        """The digest under which the tree is known."""
        return hashlib.sha256(self.public_key + self.chain_code).hexdigest()[:32]

    def address(self, place: int) -> bytes:
        """Return the 20 bytes of the address at a place; refuses ``place_is_in_the_tree`` from 2^31 on."""
        from coincurve import PublicKey

        tweak = _child(self, place)
        point = PublicKey(self.public_key).add(tweak).format(compressed=False)
        return abi.keccak(point[1:])[-abi.ADDRESS_BYTES :]


class DepositKeys:
    """Both halves of a tree, from a seed file of the embedded chain."""

    def __init__(self, seed: bytes, *, chain_id: int) -> None:
        """Make the master key of a seed."""
        from coincurve import PrivateKey

        made = hmac.digest(_MASTER, seed, "sha512")
        self._secret = int.from_bytes(made[:32])
        self._chain_id = chain_id
        self.tree = DepositTree(PrivateKey(made[:32]).public_key.format(), made[32:])

    @classmethod
    def open(cls, folder: Path, *, chain_id: int) -> Self:
        """Open the seed in a folder, or make it on the first call; refuses ``secret_file_is_private``."""
        return cls(open_secret(folder, "deposits.seed", _SEED_BYTES), chain_id=chain_id)

    def key(self, place: int) -> LocalKey:
        """Return the key that controls the address at a place."""
        secret = (self._secret + int.from_bytes(_child(self.tree, place))) % _ORDER
        return LocalKey(secret.to_bytes(32), chain_id=self._chain_id)


def _child(tree: DepositTree, place: int) -> bytes:
    """Return what is added to the key of the tree for a place."""
    if not 0 <= place < _HARDENED:
        raise Refused("place_is_in_the_tree", f"{place}")
    return hmac.digest(tree.chain_code, tree.public_key + place.to_bytes(4), "sha512")[:32]
