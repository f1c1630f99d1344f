"""Merkle roots agree with the recursive definition, and each leaf's proof leads to the root."""

from __future__ import annotations

import hashlib

import pytest

from bookrunner.audit.merkle import inclusion_proofs, merkle_root, root_of_proof


def _digests(count: int) -> list[bytes]:
    return [hashlib.sha256(b"\x00" + bytes([number])).digest() for number in range(count)]


def _defined(digests: list[bytes]) -> bytes:
    """Return the root defined in RFC 6962, 2.1: split at the largest power of two below the size."""
    if len(digests) == 1:
        return digests[0]
    split = 1 << (len(digests) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + _defined(digests[:split]) + _defined(digests[split:])).digest()


@pytest.mark.parametrize("count", range(1, 34))
def test_root_and_proofs_of_every_small_tree(count: int) -> None:
    digests = _digests(count)
    root = merkle_root(digests)
    assert root == _defined(digests)
    for position, path in inclusion_proofs(digests, range(count)).items():
        assert root_of_proof(digests[position], position, count, path) == root
        assert root_of_proof(digests[position], position, count, [*path, root]) is None
        assert path == [] or root_of_proof(digests[position], position, count, path[:-1]) is None
        assert count == 1 or root_of_proof(digests[(position + 1) % count], position, count, path) != root
        assert root_of_proof(digests[position], count, count, path) is None


def test_root_matches_the_published_vectors() -> None:
    leaves = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    digests = [hashlib.sha256(b"\x00" + bytes.fromhex(leaf)).digest() for leaf in leaves]
    assert merkle_root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle_root(digests).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
