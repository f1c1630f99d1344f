"""Personal data at rest: a data key per investor, wrapped by a master key; blind indexes for search."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bookrunner.core.errors import Refused
from bookrunner.db import Secrets

__all__ = ["Vault"]

_MASTER = "personal-data"

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Vault:
    """Seals and opens with AES-256-GCM; the context is authenticated, so a text opens only where it belongs.

    ``master`` is any secret of at least 256 bits. Refuses ``master_key_is_long_enough`` at the start and
    ``sealed_text_opens_in_its_context`` for whatever was changed, moved or sealed under another key.
    """

    def __init__(self, master: bytes) -> None:
        if len(master) < _KEY_BYTES:
            raise Refused("master_key_is_long_enough", f"{len(master)} bytes")
        self._wrapping = AESGCM(_derived(master, b"wrap data keys"))
        self._blinding = _derived(master, b"blind index")

    @classmethod
    def of(cls, kept: Secrets) -> Vault:
        """Return the vault whose master key stands with the secrets of an installation."""
        return cls(kept.obtain(_MASTER).encode())

    def __repr__(self) -> str:
        """Show nothing of the keys."""
        return "Vault()"

    def new_key(self, owner: str) -> bytes:
        """Return a fresh data key, wrapped for its owner."""
        return _sealed(self._wrapping, f"key/{owner}", AESGCM.generate_key(bit_length=256))

    def seal(self, wrapped: bytes, owner: str, context: str, text: bytes) -> bytes:
        """Return nonce and ciphertext of ``text`` under the owner's key."""
        return _sealed(self._key(wrapped, owner), f"{owner}/{context}", text)

    def open(self, wrapped: bytes, owner: str, context: str, sealed: bytes) -> bytes:
        """Return what was sealed under the same key, owner and context."""
        return _opened(self._key(wrapped, owner), f"{owner}/{context}", sealed)

    def blind(self, field: str, value: str | bytes) -> bytes:
        """Return 32 bytes that are equal for equal values of one field and tell nothing else."""
        said = value.encode() if isinstance(value, str) else value
        return hmac.digest(self._blinding, field.encode() + b"\0" + said, sha256)

    def _key(self, wrapped: bytes, owner: str) -> AESGCM:
        return AESGCM(_opened(self._wrapping, f"key/{owner}", wrapped))


def _derived(master: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"bookrunner/1/" + purpose).derive(master)


def _sealed(key: AESGCM, context: str, text: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, text, context.encode())


def _opened(key: AESGCM, context: str, sealed: bytes) -> bytes:
    try:
        return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError):
        raise Refused("sealed_text_opens_in_its_context", "changed, moved, or under another key") from None
