"""Signing people in with an OpenID provider: the code flow with a proof key, and the identity token.

OpenID Connect Core 1.0, RFC 7636 (proof key), RFC 9207 (whose answer it is), RFC 9700 (best practice).
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
import time
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote_plus

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from bookrunner.adapters.identity.published import (
    ALGORITHMS,
    Configurations,
    address_in,
    asking,
    keys_of,
    read,
    require_safe,
)
from bookrunner.core.errors import ConfigurationError, NotAuthenticated

SIGNED_IN_SECONDS_MAX: Final = 8 * 3600
"""How long ago the provider may have seen the factors that a session of ours counts as two."""
LEEWAY_SECONDS: Final = 60
LIFETIME_SECONDS_MAX: Final = 24 * 3600
ANSWER_CHARACTERS_MAX: Final = 8192
LOGOUT_SECONDS_MAX: Final = 600
"""How long ago a provider may have said that somebody signed out."""
_LOGOUT: Final = "http://schemas.openid.net/event/backchannel-logout"
# A token without this type is taken too: it is recommended and came into use late (Back-Channel Logout, 2.4).
_LOGOUT_TOKENS: Final = frozenset({"logout+jwt", "application/logout+jwt", "jwt"})
_FLOW_BYTES: Final = 32
_SUBJECT_CHARACTERS_MAX: Final = 255
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Flow:
    """One way to a provider and back: all of it follows from the secret that the browser has."""

    secret: bytes

    @classmethod
    def begun(cls) -> Flow:
        """Return a fresh flow of 256 random bits."""
        return cls(secrets.token_bytes(_FLOW_BYTES))

    @classmethod
    def of(cls, text: str) -> Flow:
        """Return the flow of a browser; raises NotAuthenticated ``sign_in_began_in_this_browser``."""
        try:
            secret = urlsafe_b64decode(text.encode("ascii") + b"=")
        except ValueError:
            secret = b""
        if len(secret) != _FLOW_BYTES:
            raise _elsewhere()
        return cls(secret)

    @property
    def text(self) -> str:
        """The secret, as a browser keeps it."""
        return _text(self.secret)

    @property
    def state(self) -> str:
        """What comes back with the answer."""
        return self._part(b"state")

    @property
    def nonce(self) -> str:
        """What the identity token repeats."""
        return self._part(b"nonce")

    @property
    def verifier(self) -> str:
        """What redeems the code; the provider was told its SHA-256 (RFC 7636, 4.1)."""
        return self._part(b"verifier")

    def check(self, state: str) -> None:
        """Raise NotAuthenticated ``sign_in_began_in_this_browser`` for an answer to another flow."""
        if not hmac.compare_digest(self.state.encode(), state.encode()):
            raise _elsewhere()

    def _part(self, name: bytes) -> str:
        return _text(hmac.digest(self.secret, name, "sha256"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider sent a browser back with."""

    code: str
    issuer: str | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom a provider vouches for, by its name for the person; whether two factors were shown lately."""

    subject: str
    has_two_factors: bool
    session: str | None = None
    """The name of the session at the provider, where it gives it one."""


@dataclass(frozen=True, slots=True)
class Logout:
    """Whom a provider signed out: a person, one session of it by its name there, or both; told once."""

    token_id: str
    subject: str | None
    session: str | None


@dataclass(frozen=True, slots=True)
class Registration:
    """What we are at one provider, and which values of its tokens say that two factors were shown."""

    issuer: str
    client_id: str
    secret: str
    strong_acr: frozenset[str]
    strong_amr: frozenset[str]
    told: Configurations = field(default_factory=Configurations, compare=False)

    def __post_init__(self) -> None:
        """Raise ConfigurationError for an issuer that is not at ``https``, or ``http`` on the loopback."""
        require_safe(self.issuer)
        if not (self.client_id and self.secret):
            raise ConfigurationError("an installation has a name and a secret at its OpenID provider")

    def __repr__(self) -> str:
        """Show nothing of the secret."""
        return f"Registration({self.issuer!r}, {self.client_id!r})"

    def leave(self, flow: Flow, back: str) -> str:
        """Return the address at the provider where a person goes, who comes back to ``back``.

        Raises NotReady ``token_issuer_answers``. It is asked how long ago the person was seen, and for the
        strength that counts as two factors, where a class of it is on record.
        """
        about = self.told.of(self.issuer)
        found: str = prepare_grant_uri(
            address_in(about, "authorization_endpoint"),
            self.client_id,
            "code",
            redirect_uri=back,
            scope="openid",
            state=flow.state,
            nonce=flow.nonce,
            code_challenge=create_s256_code_challenge(flow.verifier),
            code_challenge_method="S256",
            max_age=str(SIGNED_IN_SECONDS_MAX),
            acr_values=" ".join(sorted(self.strong_acr)) or None,
        )
        return found

    def redeem(self, answer: Answer, flow: Flow, back: str) -> Vouched:
        """Return whom an answer vouches for.

        Raises NotAuthenticated ``answer_is_of_the_asked_provider``, ``provider_vouches_for_the_person`` and
        ``identity_token_holds``, and NotReady ``token_issuer_answers``. Nothing of the answer enters
        an error.
        """
        about = self.told.of(self.issuer)
        self._check_issuer(answer, about)
        if answer.error is not None or not 0 < len(answer.code) <= ANSWER_CHARACTERS_MAX:
            raise _not_vouched("it sent no code")
        return asyncio.run(self._redeem(about, answer, flow, back))

    async def _redeem(self, about: dict[str, Any], answer: Answer, flow: Flow, back: str) -> Vouched:
        async with asking() as client:
            status, said = await read(
                client,
                self._asked(client, about, answer.code, code_verifier=flow.verifier, redirect_uri=back),
            )
            token = said.get("id_token")
            if status != HTTPStatus.OK or not isinstance(token, str):
                raise _not_vouched("it gave no identity token for the code")
            keys = await keys_of(client, about)
        return self._read(token, keys, flow.nonce)

    def _check_issuer(self, answer: Answer, about: dict[str, Any]) -> None:
        """Compare who answered with who was asked (RFC 9207, 2.4)."""
        is_due = about.get("authorization_response_iss_parameter_supported") is True
        if answer.issuer != self.issuer and (is_due or answer.issuer is not None):
            raise NotAuthenticated(
                "answer_is_of_the_asked_provider", "another provider answered than was asked"
            )

    def _asked(
        self, client: httpx.AsyncClient, about: dict[str, Any], code: str, **bound: str
    ) -> httpx.Request:
        """Return the request that redeems a code, under the secret of this installation (RFC 6749, 2.3.1)."""
        known = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        is_basic = "client_secret_basic" in known
        own = {} if is_basic else {"client_id": self.client_id, "client_secret": self.secret}
        body = prepare_token_request("authorization_code", code=code, **bound, **own)
        asked = client.build_request(
            "POST",
            address_in(about, "token_endpoint"),
            content=body,
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        if is_basic:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret)}"
            asked.headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode('ascii')}"
        return asked

    def _read(self, token: str, keys: KeySet, nonce: str) -> Vouched:
        """Return whom an identity token names (OpenID Connect Core, 3.1.3.7)."""
        if len(token) > ANSWER_CHARACTERS_MAX or _TOKEN.fullmatch(token) is None:
            raise _broken()
        essential: Any = {"essential": True}
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            nonce={"essential": True, "value": nonce},
            exp=essential,
            iat=essential,
            sub=essential,
        )
        try:
            claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
            registry.validate(claims)
            lives = claims["exp"] - claims["iat"]
        except (JoseError, ValueError, TypeError, OverflowError, KeyError):
            raise _broken() from None
        subject, party, audience = claims["sub"], claims.get("azp"), claims["aud"]
        is_for_others = isinstance(audience, list) and len(audience) > 1
        if (
            not _is_name(subject)
            or not 0 < lives <= LIFETIME_SECONDS_MAX
            or (party != self.client_id and (is_for_others or party is not None))
        ):
            raise _broken()
        session = claims.get("sid")
        return Vouched(subject, self._is_strong(claims), session if _is_name(session) else None)

    def heard(self, token: str) -> Logout:
        """Return whom a logout token signs out (OpenID Connect Back-Channel Logout 1.0, 2.6).

        Raises NotAuthenticated ``logout_token_holds`` and NotReady ``token_issuer_answers``. Nothing of the
        token enters an error. That it counts once is for whoever keeps its id.
        """
        if len(token) > ANSWER_CHARACTERS_MAX or _TOKEN.fullmatch(token) is None:
            raise _no_logout()
        keys, essential = self.told.keys(self.issuer), {"essential": True}
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            exp=essential,  # type: ignore[arg-type]
            iat=essential,  # type: ignore[arg-type]
            jti=essential,  # type: ignore[arg-type]
        )
        try:
            read = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
            claims = read.claims
            registry.validate(claims)
            is_timely = time.time() - claims["iat"] <= LOGOUT_SECONDS_MAX and claims["exp"] > claims["iat"]
        except (JoseError, ValueError, TypeError, OverflowError, KeyError):
            raise _no_logout() from None
        kind, told = read.header.get("typ"), claims.get("events")
        subject, session = claims.get("sub"), claims.get("sid")
        if (
            not is_timely
            or not _is_name(claims["jti"])
            or (kind is not None and str(kind).lower() not in _LOGOUT_TOKENS)
            or not (isinstance(told, dict) and isinstance(told.get(_LOGOUT), dict))
            or "nonce" in claims
            or {subject, session} == {None}
            or not all(each is None or _is_name(each) for each in (subject, session))
        ):
            raise _no_logout()
        return Logout(claims["jti"], subject, session)

    def _is_strong(self, claims: dict[str, Any]) -> bool:
        """Whether two factors were shown lately; what is not said counts for nothing (ASVS 5.0, V6.8.4)."""
        seen, means = claims.get("auth_time"), claims.get("amr", [])
        if type(seen) is not int or time.time() - seen > SIGNED_IN_SECONDS_MAX + LEEWAY_SECONDS:
            return False
        shown = {each for each in means if isinstance(each, str)} if isinstance(means, list) else set()
        reached = claims.get("acr")
        is_of_class = isinstance(reached, str) and reached in self.strong_acr
        return is_of_class or not shown.isdisjoint(self.strong_amr)


def _is_name(said: object) -> bool:
    return isinstance(said, str) and 0 < len(said) <= _SUBJECT_CHARACTERS_MAX


def _text(secret: bytes) -> str:
    return urlsafe_b64encode(secret).rstrip(b"=").decode("ascii")


def _elsewhere() -> NotAuthenticated:
    return NotAuthenticated(
        "sign_in_began_in_this_browser", "this is no answer to what this browser asked for; begin again"
    )


def _not_vouched(why: str) -> NotAuthenticated:
    return NotAuthenticated("provider_vouches_for_the_person", f"the provider did not sign you in: {why}")


def _broken() -> NotAuthenticated:
    return NotAuthenticated(
        "identity_token_holds", "signature, issuer, audience, nonce or time of the identity token do not hold"
    )


def _no_logout() -> NotAuthenticated:
    return NotAuthenticated(
        "logout_token_holds", "signature, issuer, audience, event, subject or time of the token do not hold"
    )
