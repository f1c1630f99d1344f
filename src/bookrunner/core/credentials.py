"""The form of keys and session tokens: what they are made of, and what can be told without the database."""

from __future__ import annotations

import hashlib
import os
import re
import zlib

from bookrunner.core.errors import NotAuthenticated
from bookrunner.core.ids import encode

KEEPERS = ("portal", "compliance", "subscription", "treasury", "registry", "engine", "audit")

ISSUER = "issuer"
# How long a key is in force where its issuer names no other time.
DAYS = 90

_KEEPER = "|".join((*KEEPERS, ISSUER))
_KEY = re.compile(rf"(bookrunner_({_KEEPER})_[0-9a-z]{{52}})_([0-9a-f]{{8}})", re.ASCII)
_DOTS_OF_A_TOKEN = 2
_OF_A_TOKEN = b"\x01"
_TOKEN = re.compile(rf"({_KEEPER})\.[0-9a-z]{{52}}", re.ASCII)


def make_key(keeper: str) -> str:
    """Return a new key of 256 random bits: ``bookrunner_KEEPER_SECRET_CHECKSUM``."""
    body = f"bookrunner_{keeper}_{_secret()}"
    return f"{body}_{_checksum(body)}"


def read_key(key: str) -> tuple[str, bytes]:
    """Return the keeper that a key says it serves, and the key's digest; the database checks both.

    Raises NotAuthenticated for what no key of ours looks like, without asking the database.
    """
    found = _KEY.fullmatch(key)
    if found is None or _checksum(found[1]) != found[3]:
        raise NotAuthenticated("credential_is_in_force", "the key is not one of this installation")
    return found[2], digest(key)


def make_token(keeper: str) -> str:
    """Return a new session token of 256 random bits: ``KEEPER.SECRET``."""
    return f"{keeper}.{_secret()}"


def read_token(token: str) -> tuple[str, bytes]:
    """Return the keeper that a session token says it serves, and the token's digest.

    Raises NotAuthenticated for what no token of ours looks like, without asking the database.
    """
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise NotAuthenticated("session_is_in_force", "sign in again")
    return found[1], digest(token)


def digest(credential: str) -> bytes:
    """Return the SHA-256 under which a credential is kept."""
    return hashlib.sha256(credential.encode("ascii")).digest()


def digest_of_token(token: str) -> bytes:
    """Return what stands for a token of an OpenID provider: one byte longer than what stands for a key."""
    return _OF_A_TOKEN + digest(token)


def digest_shown(credential: str) -> bytes:
    """Return what stands for a credential of a call, a key or a token; it is ASCII."""
    return digest_of_token(credential) if is_token(credential) else digest(credential)


def is_token(credential: str) -> bool:
    """Say whether a credential has the form of a signed token: three parts with dots between (RFC 7515)."""
    return credential.count(".") == _DOTS_OF_A_TOKEN


def _secret() -> str:
    return "".join(encode(int.from_bytes(os.urandom(16))) for _ in range(2))


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode('ascii')):08x}"
