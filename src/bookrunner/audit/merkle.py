"""Merkle roots and inclusion proofs in the manner of RFC 6962, chained from seal to seal.

Each kind of hash starts with its own byte, so that no leaf passes for a node and no node for a root.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FIRST_ROOT = hashlib.sha256(b"bookrunner/genesis/1/seal").digest()
"""The root that the first seal names as the one before it."""

_LEAF, _NODE, _ROOT = b"\x00", b"\x01", b"\x02"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A chain head as it was sealed: the subject's version and the 32-byte hash of that event."""

    scope: str
    subject: str
    version: int
    head: bytes

    def digest(self) -> bytes:
        """Return the leaf hash over head, version, length of the scope, scope and subject (UTF-8)."""
        scope = self.scope.encode()
        fixed = self.head + self.version.to_bytes(8, "big") + len(scope).to_bytes(4, "big")
        return hashlib.sha256(_LEAF + fixed + scope + self.subject.encode()).digest()


class Tree:
    """A Merkle root that grows leaf by leaf and keeps one hash per level."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, digest: bytes) -> None:
        """Append one leaf hash."""
        self._peaks.append(digest)
        self.size += 1
        done = self.size
        while done % 2 == 0:
            right, left = self._peaks.pop(), self._peaks.pop()
            self._peaks.append(_node(left, right))
            done //= 2

    def root(self) -> bytes:
        """Return the root over the leaves so far; of none it is the hash of nothing, as in RFC 6962."""
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        *others, root = self._peaks
        for left in reversed(others):
            root = _node(left, root)
        return root


def merkle_root(digests: Iterable[bytes]) -> bytes:
    """Return the Merkle tree hash over leaf hashes in their order (RFC 6962, 2.1)."""
    tree = Tree()
    for digest in digests:
        tree.add(digest)
    return tree.root()


def chained_root(previous: bytes, merkle: bytes, numbers: tuple[int, int, int, int], sealed_at: str) -> bytes:
    """Return the root of a seal: it covers its own leaves and, by the root before, all earlier ones.

    ``numbers`` are its own, the first and last place of the feed that it covers, and the count of its leaves;
    ``sealed_at`` is RFC 3339 text in UTC with microseconds.
    """
    fixed = b"".join(number.to_bytes(8, "big") for number in numbers)
    return hashlib.sha256(_ROOT + previous + merkle + fixed + sealed_at.encode()).digest()


def inclusion_proofs(digests: Sequence[bytes], wanted: Iterable[int]) -> dict[int, list[bytes]]:
    """Return the audit path of each wanted position, from the leaf upwards (RFC 6962, 2.1.1)."""
    places = {index: index for index in wanted}
    proofs: dict[int, list[bytes]] = {index: [] for index in places}
    level = list(digests)
    while len(level) > 1:
        for index, place in places.items():
            if place ^ 1 < len(level):
                proofs[index].append(level[place ^ 1])
            places[index] = place // 2
        paired = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2 :]
    return proofs


def root_of_proof(digest: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root to which a leaf's path leads in a tree of ``size`` leaves, None when it cannot fit."""
    if not 0 <= index < size:
        return None
    steps = iter(path)
    place, last = index, size - 1
    while last > 0:
        if place % 2 or place < last:
            sibling = next(steps, None)
            if sibling is None:
                return None
            digest = _node(sibling, digest) if place % 2 else _node(digest, sibling)
        place, last = place // 2, last // 2
    return digest if next(steps, None) is None else None


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
