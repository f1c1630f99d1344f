"""Check signed webhooks of identity providers, and read the one event that each carries.

The signed text is ``id.timestamp.body`` under HMAC-SHA256, as the Standard Webhooks specification
1.0 lays down. Replays are the caller's: it stores each message id under a unique key.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bookrunner.adapters.identity import (
    IdentityEvent,
    Outcome,
    SignedMessage,
    VerifiedMessage,
    WebhookRefused,
    WebhookRule,
)
from bookrunner.adapters.identity.scheme import (
    check_age,
    check_body,
    check_secrets,
    read_headers,
    seconds,
    signer_of,
    unique_members,
    verified,
)
from bookrunner.core.errors import ConfigurationError

_NAMES: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_SCHEME: Final = r"(?:v1,[A-Za-z0-9+/]{43}=|v1a,[A-Za-z0-9+/]{86}==)"
_SIGNATURES: Final = re.compile(rf"{_SCHEME}(?: {_SCHEME}){{0,7}}")
_GRAMMARS: Final = dict(zip(_NAMES, (_ID, _TIMESTAMP, _SIGNATURES), strict=True))


def verify(
    headers: Iterable[tuple[str, str]],
    body: bytes,
    *,
    now: datetime,
    secrets: Mapping[str, bytes],
) -> VerifiedMessage:
    """Return who signed this message, or raise :class:`WebhookRefused` with the first broken rule.

    ``headers`` as they arrived, so that a repeated one is seen; ``body`` untouched; ``secrets`` by
    key id, every active one. Header names are compared without case, values must fit exactly, the
    timestamp may be 300 seconds off either way. No text of the message enters an error.
    """
    check_secrets(secrets.values())
    check_body(body)
    message_id, timestamp, signatures = read_headers(headers, _GRAMMARS)
    check_age(int(timestamp), now)
    signed = _signed_text(message_id, timestamp, body)
    candidates = [(key_id, _signature(secret, signed)) for key_id, secret in secrets.items()]
    return verified(message_id, signer_of(candidates, signatures.split(" ")), body)


def verify_public(
    headers: Iterable[tuple[str, str]], body: bytes, *, now: datetime, public_key: bytes
) -> SignedMessage:
    """Return a message whose ``v1a`` signature this Ed25519 key of 32 bytes made, with what proves it.

    Everything else is as in `verify`; a third person checks the result with the key and the body alone.
    """
    check_body(body)
    message_id, timestamp, signatures = read_headers(headers, _GRAMMARS)
    check_age(int(timestamp), now)
    key = Ed25519PublicKey.from_public_bytes(public_key)
    signed = _signed_text(message_id, timestamp, body)
    for token in signatures.split(" "):
        scheme, _, text = token.partition(",")
        signature = base64.b64decode(text)
        if scheme == "v1a" and _is_made_by(key, signature, signed):
            return SignedMessage(message_id, int(timestamp), public_key, signature)
    raise WebhookRefused(WebhookRule.SIGNATURE_MATCHES, "the key in force made none of the signatures")


def _is_made_by(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def sign(
    message_id: str, body: bytes, *, now: datetime, secrets: Sequence[bytes]
) -> tuple[tuple[str, str], ...]:
    """Return the three headers of a message, with one signature for each secret given.

    The id stays over retries; the time is that of the attempt.
    """
    check_secrets(secrets)
    if _ID.fullmatch(message_id) is None:
        raise WebhookRefused(WebhookRule.HEADERS_FOLLOW_GRAMMAR, _NAMES[0])
    timestamp = str(seconds(now))
    signed = _signed_text(message_id, timestamp, body)
    signatures = " ".join(_signature(secret, signed) for secret in secrets)
    return tuple(zip(_NAMES, (message_id, timestamp, signatures), strict=True))


def decode_secret(text: str) -> bytes:
    """Return the bytes of a secret written as ``whsec_`` and base64."""
    try:
        secret = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ConfigurationError("a webhook secret is no base64") from None
    check_secrets([secret])
    return secret


class _Event(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    event_id: Annotated[str, Field(pattern=r"\A[A-Za-z0-9_-]{1,128}\z")]
    kind: Annotated[str, Field(pattern=r"\A[a-z][a-z0-9_.-]{0,63}\z")]
    subject: Annotated[str, Field(pattern=r"\A[A-Za-z0-9_-]{1,128}\z")]
    outcome: Annotated[str, Field(max_length=64)]
    evidence_sha256: Annotated[str, Field(pattern=r"\A[0-9a-f]{64}\z")]
    occurred_at: AwareDatetime


def parse_identity_event(body: bytes) -> IdentityEvent:
    """Return the event in a verified body; an unknown outcome becomes ``needs_review``.

    Refuses ``event_has_its_shape`` and ``event_keys_are_unique``; members that are not read may
    stand beside the known ones. The event is a hint: the clearance is the compliance book's own.
    """
    try:
        event = _Event.model_validate_json(body)
    except ValidationError as error:
        places = sorted({str(part["loc"][0]) if part["loc"] else "body" for part in error.errors()})
        known = [place for place in places if place in {*_Event.model_fields, "body"}]
        raise WebhookRefused(WebhookRule.EVENT_HAS_ITS_SHAPE, ", ".join(known)) from None
    json.loads(body, object_pairs_hook=unique_members)
    outcome = event.outcome
    return IdentityEvent(
        event_id=event.event_id,
        kind=event.kind,
        subject=event.subject,
        outcome=Outcome(outcome) if outcome in set(Outcome) else Outcome.NEEDS_REVIEW,
        evidence_sha256=event.evidence_sha256,
        occurred_at=event.occurred_at,
    )


def _signed_text(message_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{message_id}.{timestamp}.".encode() + body


def _signature(secret: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
