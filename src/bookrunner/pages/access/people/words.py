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
from zxcvbn import zxcvbn

from bookrunner.core import clock
from bookrunner.core.errors import Refused

ALONE, WITH_CODE, LONGEST = 15, 8, 256
RECOVERY_CODES = 10
STEP_SECONDS = 30
_CODE_BYTES = 16

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
# Guesses of a password alone, and of one beside codes. zxcvbn has 30,000 common passwords, 11,611 of them of
# eight characters or more, and knows them doubled, with other letters, and with numbers or years behind.
_GUESSES_ALONE, _GUESSES_WITH_CODE = 10**10, 10**8
_GUESSED = 72


def check_password(password: str, about: Iterable[str], *, with_code: bool) -> None:
    """Raise Refused for a password that is too short, too long or too common.

    NIST SP 800-63B-4, 3.1.1.2; ASVS 5.0, V6.2.4. ``about`` are words of its person, such as the name. Nothing
    is asked of which characters it has. Refuses ``password_is_long_enough``, ``password_is_not_too_long`` and
    ``password_is_no_common_one``.
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
    guesses = zxcvbn(password[:_GUESSED])["guesses"]
    if (
        len(left) < _LEAST_OF_ITS_OWN
        or len(set(password)) < _LEAST_CHARACTERS
        or guesses < (_GUESSES_WITH_CODE if with_code else _GUESSES_ALONE)
    ):
        raise Refused("password_is_no_common_one", "this is among the first that anybody would try")


def encoded(password: str) -> bytes:
    """Return the argon2id encoding under which a password is kept."""
    return _HASHER.hash(password).encode()


def is_password(kept: bytes | None, password: str) -> bool:
    """Whether a password, exactly as it came, is the kept one; for nobody's it is worked as hard."""
    try:
        _HASHER.verify(_NOBODYS if kept is None else kept.decode(), password)
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
    """Return the present step if this is its code, or None: a code lives 30 seconds (ASVS 5.0, V6.5.5)."""
    now = int(clock.now().timestamp()) // STEP_SECONDS
    is_its = hmac.compare_digest(
        pyotp.TOTP(secret).generate_otp(now).encode(), code.replace(" ", "").encode()
    )
    return now if is_its else None


def new_codes() -> list[str]:
    """Return fresh recovery codes of 128 random bits each, as a person writes them.

    So many bits need no salt and no stretching (ASVS 5.0, V6.5.2).
    """
    made = (secrets.token_hex(_CODE_BYTES) for _ in range(RECOVERY_CODES))
    return ["-".join(code[i : i + 4] for i in range(0, 2 * _CODE_BYTES, 4)) for code in made]


def code_digest(code: str) -> bytes:
    """Return the digest that a recovery code is kept under; blanks, dashes and case do not count."""
    return sha256(re.sub(r"[\s-]", "", code).casefold().encode()).digest()
