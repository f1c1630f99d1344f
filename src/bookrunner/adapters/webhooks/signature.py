"""Signatures of Standard Webhooks 1.0 over ``id.timestamp.body``: HMAC-SHA256 is ``v1``, ed25519 ``v1a``."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET_BYTES: Final = 32
NAMES: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass(frozen=True, slots=True, repr=False)
class SecretKeys:
    """The two keys of one secret: what both sides share, and the seed that only we have."""

    shared: bytes
    seed: bytes

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return the keys that ``pack`` wrote."""
        return cls(packed[:SECRET_BYTES], packed[SECRET_BYTES:])

    def pack(self) -> bytes:
        """Return both as 64 bytes, to be sealed."""
        return self.shared + self.seed

    @property
    def public(self) -> bytes:
        """The 32 bytes that verify ``v1a``."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()

    def shown(self) -> str:
        """Return the shared secret as a subscriber keeps it: ``whsec_`` and base64."""
        return "whsec_" + base64.b64encode(self.shared).decode()


def make_secret() -> SecretKeys:
    """Return fresh keys of 256 bits each."""
    return SecretKeys(secrets.token_bytes(SECRET_BYTES), secrets.token_bytes(SECRET_BYTES))


def public_text(public: bytes) -> str:
    """Return a public key as it is published: ``whpk_`` and base64."""
    return "whpk_" + base64.b64encode(public).decode()


def sign(message: str, body: bytes, *, now: datetime, keys: Sequence[SecretKeys]) -> dict[str, str]:
    """Return the three headers of one try: the id stays over tries, the time is that of the try.

    Each secret signs twice, ``v1`` and ``v1a``; a receiver takes whichever it knows.
    """
    moment = str(int(now.timestamp()))
    signed = f"{message}.{moment}.".encode() + body
    signatures = " ".join(part for each in keys for part in _both(each, signed))
    return dict(zip(NAMES, (message, moment, signatures), strict=True))


def _both(keys: SecretKeys, signed: bytes) -> tuple[str, str]:
    made = hmac.digest(keys.shared, signed, "sha256")
    private = Ed25519PrivateKey.from_private_bytes(keys.seed)
    return (
        "v1," + base64.b64encode(made).decode(),
        "v1a," + base64.b64encode(private.sign(signed)).decode(),
    )
