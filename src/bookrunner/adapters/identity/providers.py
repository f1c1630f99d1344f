"""The identity providers whose messages are understood."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from bookrunner.adapters.identity import IdentityEvent, IdentityProvider, VerifiedMessage
from bookrunner.adapters.identity.persona import Persona
from bookrunner.adapters.identity.sumsub import Sumsub
from bookrunner.adapters.identity.webhook import decode_secret, parse_identity_event, verify


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
