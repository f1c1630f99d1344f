"""The identity providers whose messages are understood, and those that can be asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, SecretStr

from bookrunner.adapters.identity import IdentityEvent, IdentityProvider, VerifiedMessage
from bookrunner.adapters.identity.answers import SCHEMES
from bookrunner.adapters.identity.persona import Persona
from bookrunner.adapters.identity.remote import RemoteProvider
from bookrunner.adapters.identity.sumsub import Sumsub
from bookrunner.adapters.identity.webhook import decode_secret, parse_identity_event, verify
from bookrunner.core.errors import ConfigurationError

Posting = dict[str, tuple[IdentityProvider, dict[str, bytes]]]
"""The providers that may post, by name, each with its secrets by key id."""

Answering = Mapping[str, tuple[RemoteProvider, Mapping[str, bytes]]]
"""The providers that can be asked, by name, each with the secrets that sign its answers."""


class Inquiry(BaseModel):
    """Where a provider answers, and the credential that it knows us by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    credential: SecretStr


class Standard:
    """Reads messages under the Standard Webhooks specification, such as the sandbox provider's."""

    name = "standard"

    def verify(
        self, headers: Iterable[tuple[str, str]], body: bytes, *, now: datetime, secrets: Mapping[str, bytes]
    ) -> VerifiedMessage:
        """Return who signed a message; refuses as `bookrunner.adapters.identity.webhook.verify` does."""
        return verify(headers, body, now=now, secrets=secrets)

    def decode(self, text: str) -> bytes:
        """Return the bytes of a secret written as ``whsec_`` and base64."""
        return decode_secret(text)

    def read(self, body: bytes) -> IdentityEvent:
        """Return the event; refuses ``event_has_its_shape`` and ``event_keys_are_unique``."""
        return parse_identity_event(body)


PROVIDERS: Final[Mapping[str, IdentityProvider]] = {
    one.name: one for one in (Persona(), Standard(), Sumsub())
}


def posting(secrets: Mapping[str, Mapping[str, str]]) -> Posting:
    """Return the providers with these secrets, by name and key id as each provider shows them.

    Raises ConfigurationError for a provider that is not known and for a secret that cannot be one.
    """
    _know(secrets, PROVIDERS, "BOOKRUNNER_IDENTITY_SECRETS")
    return {
        name: (PROVIDERS[name], {key: PROVIDERS[name].decode(secret) for key, secret in keys.items()})
        for name, keys in secrets.items()
    }


def answering(asked: Mapping[str, Inquiry], signing: Mapping[str, Mapping[str, bytes]]) -> Answering:
    """Return the providers that can be asked, with what signs their answers.

    Raises ConfigurationError for a provider that is not known, and for an address or credential that cannot
    be one.
    """
    _know(asked, SCHEMES, "BOOKRUNNER_IDENTITY_INQUIRIES")
    return {
        name: (
            RemoteProvider(SCHEMES[name], one.url, one.credential.get_secret_value()),
            signing.get(name, {}),
        )
        for name, one in asked.items()
    }


def _know(named: Iterable[str], known: Iterable[str], setting: str) -> None:
    unknown = sorted(set(named) - set(known))
    if unknown:
        raise ConfigurationError(f"{setting}: there is no provider {', '.join(unknown)}")
