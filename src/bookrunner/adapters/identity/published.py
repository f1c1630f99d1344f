"""What an OpenID provider publishes: its configuration and its keys, read at safe addresses and bounded."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from bookrunner.adapters.identity.address import is_loopback, is_safe
from bookrunner.core.errors import ConfigurationError, NotAuthenticated, NotReady

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""Only what is signed with a private key: a public key can then never serve as a shared secret."""
SECONDS: Final = 5.0
DOCUMENT_BYTES_MAX: Final = 256 * 1024
STANDS_SECONDS: Final = 300.0
"""How long a configuration is used before it is read again."""
KEYS_STAND_SECONDS: Final = 60.0
"""How long its keys are used for what a stranger sends in its name."""
FAILED_SECONDS: Final = 5.0
"""How long a provider that gave none is not asked again."""
TURN_SECONDS: Final = 1.0
"""How long somebody waits for what another asks already."""


@asynccontextmanager
async def asking() -> AsyncIterator[httpx.AsyncClient]:
    """Lend a client for a few questions to a provider, none of which takes long.

    It follows no redirect and no proxy of the environment. Raises NotReady ``token_issuer_answers``.
    """
    try:
        async with asyncio.timeout(SECONDS), httpx.AsyncClient(timeout=SECONDS, trust_env=False) as client:
            yield client
    except TimeoutError:
        raise silent(f"no answer within {SECONDS:g} seconds") from None
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        raise silent(type(fault).__name__) from None
    except ConfigurationError:
        raise silent("it publishes an unsafe address") from None
    except (JoseError, ValueError, TypeError, KeyError):
        raise silent("what it publishes cannot be read") from None


async def configuration_of(client: httpx.AsyncClient, issuer: str) -> dict[str, Any]:
    """Return what a provider says of itself, which names this very issuer (OpenID Connect Discovery, 4.3)."""
    about = await _document(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if about.get("issuer") != issuer:
        raise silent("its configuration names another issuer")
    return about


@dataclass(slots=True)
class _Told:
    """What a provider said last, until when that stands, and whose turn it is to ask."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    about: dict[str, Any] | None = None
    stands_until: float = float("-inf")
    keys: KeySet | None = None
    keys_stand_until: float = float("-inf")


class Configurations:
    """What providers say of themselves, kept for minutes; whoever comes often makes us ask no oftener."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take ``clock``, which counts seconds."""
        self._clock = clock
        self._told: dict[str, _Told] = {}
        self._own = threading.Lock()

    def of(self, issuer: str) -> dict[str, Any]:
        """Return what the provider of an issuer says of itself; one thread asks, others wait a second.

        Raises NotReady ``token_issuer_answers``, also for some seconds after it gave no answer.
        """
        told = self._of(issuer)
        if self._clock() >= told.stands_until:
            with _turn(told):
                if self._clock() >= told.stands_until:
                    self._ask(issuer, told)
        about = told.about
        if about is None:
            raise silent("it gave no answer a moment ago")
        return about

    def keys(self, issuer: str) -> KeySet:
        """Return the keys of the provider of an issuer, read once a minute at most.

        Raises NotReady ``token_issuer_answers``, also for some seconds after it gave none.
        """
        about, told = self.of(issuer), self._of(issuer)
        if self._clock() >= told.keys_stand_until:
            with _turn(told):
                if self._clock() >= told.keys_stand_until:
                    told.keys, told.keys_stand_until = None, self._clock() + FAILED_SECONDS
                    told.keys = asyncio.run(_keys(about))
                    told.keys_stand_until = self._clock() + KEYS_STAND_SECONDS
        keys = told.keys
        if keys is None:
            raise silent("it gave no keys a moment ago")
        return keys

    def _of(self, issuer: str) -> _Told:
        with self._own:
            return self._told.setdefault(issuer, _Told())

    def _ask(self, issuer: str, told: _Told) -> None:
        try:
            told.about = asyncio.run(_configuration(issuer))
        except NotReady:
            told.about, told.stands_until = None, self._clock() + FAILED_SECONDS
            raise
        told.stands_until = self._clock() + STANDS_SECONDS


@contextmanager
def _turn(told: _Told) -> Iterator[None]:
    """Take the turn to ask a provider; raises NotReady where another asks for longer than a second."""
    if not told.turn.acquire(timeout=TURN_SECONDS):
        raise silent("it is being asked")
    try:
        yield
    finally:
        told.turn.release()


async def _keys(about: dict[str, Any]) -> KeySet:
    async with asking() as client:
        return await keys_of(client, about)


async def _configuration(issuer: str) -> dict[str, Any]:
    async with asking() as client:
        about = await configuration_of(client, issuer)
        address_in(about, "authorization_endpoint")
        address_in(about, "token_endpoint")
    return about


async def keys_of(client: httpx.AsyncClient, about: dict[str, Any]) -> KeySet:
    """Return the keys that a provider signs with now."""
    return signing_keys((await _document(client, address_in(about, "jwks_uri"))).get("keys"))


def address_in(about: dict[str, Any], name: str) -> str:
    """Return an address of the configuration; raises NotReady, or ConfigurationError for an unsafe one.

    Only an issuer that is on the loopback itself has addresses there.
    """
    address = about.get(name)
    if not isinstance(address, str):
        raise silent(f"its configuration names no {name}")
    require_safe(address)
    if is_loopback(address) and not is_loopback(about["issuer"]):
        raise silent(f"its {name} is on the loopback")
    return address


async def read(client: httpx.AsyncClient, asked: httpx.Request) -> tuple[int, dict[str, Any]]:
    """Return status and object of an answer, of at most 256 KiB."""
    answer = await client.send(asked, stream=True)
    try:
        body = bytearray()
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > DOCUMENT_BYTES_MAX:
                raise silent("its answer is longer than 256 KiB")
    finally:
        await answer.aclose()
    if answer.is_redirect or answer.is_server_error:
        raise silent(f"it answered {answer.status_code}")
    found = httpx.Response(HTTPStatus.OK, content=bytes(body)).json()
    if not isinstance(found, dict):
        raise silent("its answer is no object")
    return answer.status_code, found


def require_safe(address: str) -> None:
    """Raise ConfigurationError for an address that is not at ``https``, or ``http`` on the loopback."""
    if not is_safe(address):
        raise ConfigurationError("an OpenID provider is asked at an https address, or on the loopback")


def unknown(why: str) -> NotAuthenticated:
    """Return the refusal of a token."""
    return NotAuthenticated("credential_is_in_force", why)


def silent(why: str) -> NotReady:
    """Return what is said of a provider that gives no answer to work with."""
    return NotReady("token_issuer_answers", f"the OpenID provider can be asked again later: {why}")


async def _document(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    status, found = await read(
        client, client.build_request("GET", address, headers={"Accept-Encoding": "identity"})
    )
    if status != HTTPStatus.OK:
        raise silent(f"it answered {status}")
    return found


def signing_keys(listed: object) -> KeySet:
    """Return the public keys that sign; a shared secret among them is left out.

    Several are told apart by their ids; one alone needs none (OpenID Connect Core, 10.1).
    """
    if not isinstance(listed, list):
        raise silent("it names no keys")
    ours = [
        each
        for each in listed
        if isinstance(each, dict)
        and each.get("kty") in {"RSA", "EC", "OKP"}
        and each.get("use", "sig") == "sig"
    ]
    if len(ours) > 1 or any("kid" in each for each in ours):
        ours = [each for each in ours if isinstance(each.get("kid"), str)]
    return KeySet([key for each in ours if (key := _key(each)) is not None])


def _key(said: dict[str, Any]) -> Key | None:
    """Return a key, or None for one that we do not know how to read: the others stay in force."""
    try:
        key = JWKRegistry.import_key(said)
        # Some kinds are read only when they are needed.
        key.as_dict(private=False)
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError):
        return None
    return key
