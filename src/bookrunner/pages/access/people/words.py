"""Passwords, one-time codes and recovery codes: how they are made, kept and compared."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from hashlib import sha256

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from bookrunner.core import clock
from bookrunner.core.errors import Refused

ALONE, WITH_CODE, LONGEST = 15, 8, 256
RECOVERY_CODES = 10
STEP_SECONDS = 30

# argon2id of RFC 9106, section 4, second choice: 64 MiB, three passes.
_HASHER = PasswordHasher()
# Compared with when nobody has the name, so that the answer takes as long.
_NOBODYS = _HASHER.hash(secrets.token_urlsafe(24))
_WORDS = (
    "password passwort motdepasse contrasena letmein iloveyou welcome qwertyuiop qwerty asdfghjkl asdf "
    "zxcvbnm abcdefghijklmnopqrstuvwxyz abcdefgh abcdef abc monkey dragon sunshine princess football "
    "baseball superman trustno master shadow whatever secret login admin changeme default "
    "correcthorsebatterystaple bookrunner investor compliance treasury registry subscription portal "
    "escrow token "
)
_COMMON = frozenset(_WORDS.split())
_LEAST_OF_ITS_OWN, _LEAST_CHARACTERS, _SHORTEST_WORD = 6, 5, 3


def check_password(password: str, about: Iterable[str], *, with_code: bool) -> None:
    """Raise Refused for a password that is too short, too long or too common (NIST SP 800-63B-4, 3.1.1.2).

    ``about`` are words of its person, such as the name. Nothing is asked of which characters it has.
    Refuses ``password_is_long_enough``, ``password_is_not_too_long`` and ``password_is_no_common_one``.
    """
    least = WITH_CODE if with_code else ALONE
    if len(password) < least:
        raise Refused("password_is_long_enough", f"a password has {least} characters or more here")
    if len(password) > LONGEST:
        raise Refused("password_is_not_too_long", f"a password has {LONGEST} characters at most")
    left = re.sub(r"[\W\d_]+", "", password.casefold())
    parts = [
        part
        for word in about
        for part in re.split(r"[\W\d_]+", word.casefold())
        if len(part) >= _SHORTEST_WORD
    ]
    for word in sorted({*_COMMON, *parts}, key=len, reverse=True):
        left = left.replace(word, "")
    if len(left) < _LEAST_OF_ITS_OWN or len(set(password)) < _LEAST_CHARACTERS:
        raise Refused("password_is_no_common_one", "this is among the first that anybody would try")


def encoded(password: str) -> bytes:
    """Return the argon2id encoding under which a password is kept."""
    return _HASHER.hash(password).encode()


def is_password(kept: bytes | None, password: str) -> bool:
    """Whether a password is the kept one; for nobody's it is worked as hard and said no."""
    try:
        _HASHER.verify(_NOBODYS if kept is None else kept.decode(), password[:LONGEST])
    except VerificationError:
        return False
    return kept is not None


def new_secret() -> str:
    """Return a fresh secret of one-time codes, in base32 (RFC 6238)."""
    return pyotp.random_base32()


def address_of(secret: str, name: str) -> str:
    """Return the address that an authenticator reads a secret from."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Bookrunner")


def step_of(secret: str, code: str) -> int | None:
    """Return the step whose code this is, of the last, the present and the next one, or None."""
    now = int(clock.now().timestamp()) // STEP_SECONDS
    made, said = pyotp.TOTP(secret), code.replace(" ", "").encode()
    for step in (now, now - 1, now + 1):
        if hmac.compare_digest(made.generate_otp(step).encode(), said):
            return step
    return None


def new_codes() -> list[str]:
    """Return fresh recovery codes of 80 random bits each, as a person writes them."""
    return [
        "-".join(secrets.token_hex(10)[i : i + 5] for i in range(0, 20, 5)) for _ in range(RECOVERY_CODES)
    ]


def code_digest(code: str) -> bytes:
    """Return the digest that a recovery code is kept under; blanks, dashes and case do not count."""
    return sha256(re.sub(r"[\s-]", "", code).casefold().encode()).digest()
