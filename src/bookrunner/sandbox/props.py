"""What the story needs at hand: keys made from the seed, evidence, the list of wallets, progress."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Progress = Callable[[str, int, int], None]
T = TypeVar("T")

GROUP = 500


def groups(things: Sequence[T], label: str, progress: Progress) -> Iterator[Sequence[T]]:
    """Yield the things in groups that one transaction can carry, and report how many are done."""
    for start in range(0, len(things), GROUP):
        progress(label, start, len(things))
        yield things[start : start + GROUP]
    progress(label, len(things), len(things))


def signing_key(seed: int, name: str) -> Ed25519PrivateKey:
    """Return the signing key that a seed and a name always give."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"{seed}/signing/{name}".encode()).digest())


def evidence(text: str) -> bytes:
    """Return the digest of a made-up piece of evidence."""
    return hashlib.sha256(f"evidence/{text}".encode()).digest()


def listed_addresses() -> bytes:
    """Return the shipped excerpt of listed wallet addresses."""
    return (files("bookrunner.sandbox") / "data" / "ofac_wallets_excerpt.csv").read_bytes()
