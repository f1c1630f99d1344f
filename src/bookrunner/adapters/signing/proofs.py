"""Proofs of intent: Ed25519 over a stated intent and the SHA-256 of the document."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bookrunner.core.errors import Refused

Proof = dict[str, str]


def signed(key: Ed25519PrivateKey, digest: bytes, *, capacity: str, intent: str) -> Proof:
    """Return the proof that the key's holder meant ``intent`` about the document with this SHA-256."""
    return {
        "capacity": capacity,
        "intent": intent,
        "signed_sha256": digest.hex(),
        "public_key": key.public_key().public_bytes_raw().hex(),
        "signature": key.sign(_message(digest, capacity, intent)).hex(),
    }


def verify(proof: Proof) -> None:
    """Refuse a proof whose signature is not by its key over its own words: ``signature_is_valid``."""
    message = _message(bytes.fromhex(proof["signed_sha256"]), proof["capacity"], proof["intent"])
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(proof["public_key"]))
        key.verify(bytes.fromhex(proof["signature"]), message)
    except (InvalidSignature, ValueError):
        raise Refused("signature_is_valid", "the signature does not verify") from None


def _message(digest: bytes, capacity: str, intent: str) -> bytes:
    return b"\n".join([b"bookrunner/signature/1", digest.hex().encode(), capacity.encode(), intent.encode()])
