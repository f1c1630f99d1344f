"""What the story needs at hand: keys made from the seed, evidence, the list of wallets, progress."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.resources import files
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bookrunner.sandbox.bank import Payment

Progress = Callable[[str, int, int], None]
Wires = Callable[[Payment], Sequence[Payment]]
T = TypeVar("T")

GROUP = 250
_TABLES = ("sdn.csv", "alt.csv", "add.csv", "comments.csv")
AT_ONCE = 2


def spread(
    things: Sequence[T],
    label: str,
    progress: Progress,
    work: Callable[[Sequence[T]], object],
    *,
    ahead: int = 0,
) -> None:
    """Do the work on the things in groups that one transaction can carry, two groups at a time.

    The first ones, as many as ``ahead`` says, are a group that is done before the others begin.
    """
    others = things[ahead:]
    size = max(1, min(GROUP, -(-len(others) // (2 * AT_ONCE))))
    parts = [others[start : start + size] for start in range(0, len(others), size)]
    done = 0
    progress(label, done, len(things))
    if ahead:
        work(things[:ahead])
        done = min(ahead, len(things))
        progress(label, done, len(things))
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="story") as pool:
        for part, _ in zip(parts, pool.map(work, parts), strict=True):
            done += len(part)
            progress(label, done, len(things))


def signing_key(seed: int, name: str) -> Ed25519PrivateKey:
    """Return the signing key that a seed and a name always give."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"{seed}/signing/{name}".encode()).digest())


def evidence(text: str) -> bytes:
    """Return the digest of a made-up piece of evidence."""
    return hashlib.sha256(f"evidence/{text}".encode()).digest()


def list_files() -> dict[str, bytes]:
    """Return the sandbox's excerpts of published lists: four tables of names, one file of wallets."""
    data = files("bookrunner.sandbox") / "data"
    tables = data / "ofac_sdn_excerpt"
    found = {name: (tables / name).read_bytes() for name in _TABLES}
    return found | {"ETH.txt": (data / "ofac_wallets_excerpt.csv").read_bytes()}


def silent(wire: Payment) -> Sequence[Payment]:
    """Return a wire whose sender forgot the reference."""
    return [replace(wire, reference=None)]


def as_asked(wire: Payment) -> Sequence[Payment]:
    """Return the wire that was asked for."""
    return [wire]
