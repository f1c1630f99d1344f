"""Tokens of an OpenID provider: signature, issuer, audience, time and scope, under keys that rotate."""

from __future__ import annotations

import asyncio
import math
import re
import time
from datetime import UTC, datetime
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from bookrunner.adapters.identity import Claims
from bookrunner.adapters.identity.published import (
    ALGORITHMS,
    asking,
    configuration_of,
    keys_of,
    require_safe,
    silent,
    unknown,
)
from bookrunner.core.errors import ConfigurationError, NotAllowed

LEEWAY_SECONDS: Final = 60
LIFETIME_SECONDS_MAX: Final = 24 * 3600
KEYS_STAND_SECONDS: Final = 600.0
"""After this a key that the provider has withdrawn counts no longer."""
LOOK_AGAIN_SECONDS: Final = 5.0
"""An unknown key id makes us look again, at most this often."""
TOKEN_CHARACTERS_MAX: Final = 8192
_ACCESS_TOKENS: Final = ("at+jwt", "application/at+jwt")
_SUBJECT: Final = re.compile(r"[A-Za-z0-9_.:@|-]{1,120}", re.ASCII)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


class TokenIssuer:
    """One OpenID provider and the audience that its tokens must name."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        keys_stand_seconds: float = KEYS_STAND_SECONDS,
        look_again_seconds: float = LOOK_AGAIN_SECONDS,
    ) -> None:
        """Raise ConfigurationError for an issuer that is not at ``https``, or ``http`` on the loopback."""
        require_safe(issuer)
        if not audience.strip():
            raise ConfigurationError("the tokens of an OpenID provider name an audience")
        self.issuer = issuer
        self.audience = audience
        self._keys_stand = keys_stand_seconds
        self._look_again = look_again_seconds
        self._keys: KeySet | None = None
        self._read_at = 0.0
        self._failed_at = -math.inf
        self._turn = asyncio.Lock()

    async def verify(self, token: str, scope: str) -> Claims:
        """Return whom a token speaks for.

        Raises NotAuthenticated ``credential_is_in_force``, NotAllowed ``token_has_the_scope`` and NotReady
        ``token_issuer_answers``. Nothing of the token enters an error.
        """
        found = await self.vouch(token)
        if scope not in found.scopes:
            raise NotAllowed("token_has_the_scope", f"this takes a token with the scope {scope}")
        return found

    async def vouch(self, token: str) -> Claims:
        """Return whom a token speaks for; it is an access token of its issuer for us (RFC 9068, 4).

        Raises NotAuthenticated ``credential_is_in_force`` and NotReady ``token_issuer_answers``. Nothing of
        the token enters an error.
        """
        if len(token) > TOKEN_CHARACTERS_MAX or _TOKEN.fullmatch(token) is None:
            raise unknown("it is no signed token")
        claims = await self._claims(token)
        subject = claims.get("sub")
        if not isinstance(subject, str) or _SUBJECT.fullmatch(subject) is None:
            raise unknown("it names no subject")
        said = claims.get("scope", "")
        scopes = frozenset(said.split()) if isinstance(said, str) else frozenset()
        return Claims(subject, scopes, self.issuer, datetime.fromtimestamp(claims["exp"], UTC))

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jws.extract_compact(token.encode()).headers()
            kid, kind = header.get("kid"), str(header.get("typ", "")).lower()
        except (JoseError, ValueError, TypeError, AttributeError):
            raise unknown("it is no signed token") from None
        if not isinstance(kid, str):
            raise unknown("it names no key")
        if kind not in _ACCESS_TOKENS:
            raise unknown("it is no access token")
        keys = await self._current(kid)
        try:
            read = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
            _registry(self.issuer, self.audience).validate(read.claims)
        except (JoseError, ValueError, TypeError, OverflowError):
            raise unknown("signature, issuer, audience or time do not hold") from None
        lives = read.claims["exp"] - read.claims["iat"]
        if not 0 < lives <= LIFETIME_SECONDS_MAX:
            raise unknown("it lives longer than a day")
        return dict(read.claims)

    async def _current(self, kid: str) -> KeySet:
        """Return the keys in force, read again when they are old or do not have this one."""
        async with self._turn:
            age = time.monotonic() - self._read_at
            keys = self._keys
            is_known = keys is not None and any(key.kid == kid for key in keys.keys)
            if keys is None or age > self._keys_stand or (not is_known and age > self._look_again):
                if time.monotonic() - self._failed_at <= self._look_again:
                    raise silent("it gave no keys a moment ago")
                self._failed_at = time.monotonic()
                keys = await self._read()
                self._failed_at = -math.inf
                self._keys, self._read_at = keys, time.monotonic()
        if not any(key.kid == kid for key in keys.keys):
            raise unknown("its key is none of the issuer's")
        return keys

    async def _read(self) -> KeySet:
        async with asking() as client:
            return await keys_of(client, await configuration_of(client, self.issuer))


def _registry(issuer: str, audience: str) -> jwt.JWTClaimsRegistry:
    essential: Any = {"essential": True}
    return jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp=essential,
        iat=essential,
        sub=essential,
    )
