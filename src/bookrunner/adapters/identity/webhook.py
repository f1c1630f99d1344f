"""Check signed webhooks of identity providers, and read the one event that each carries.

The signed text is ``id.timestamp.body`` under HMAC-SHA256, as the Standard Webhooks specification
1.0 lays down. Replays are the caller's: it stores each message id under a unique key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bookrunner.adapters.identity import (
    IdentityEvent,
    Outcome,
    VerifiedMessage,
    WebhookRefused,
    WebhookRule,
)
from bookrunner.core.errors import ConfigurationError

BODY_BYTES_MAX: Final = 1024 * 1024
WINDOW_SECONDS: Final = 300
SECRET_BYTES_MIN: Final = 24

_NAMES: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_SCHEME: Final = r"(?:v1,[A-Za-z0-9+/]{43}=|v1a,[A-Za-z0-9+/]{86}==)"
_SIGNATURES: Final = re.compile(rf"{_SCHEME}(?: {_SCHEME}){{0,7}}")


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
    _check_secrets(secrets.values())
    if len(body) > BODY_BYTES_MAX:
        raise WebhookRefused(WebhookRule.BODY_FITS_LIMIT, "more than 1 MiB")
    message_id, timestamp, signatures = _read_headers(headers)
    if abs(_seconds(now) - int(timestamp)) > WINDOW_SECONDS:
        raise WebhookRefused(WebhookRule.TIMESTAMP_IS_RECENT, "more than 300 seconds away")
    signed = _signed_text(message_id, timestamp, body)
    signer: tuple[str, str] | None = None
    # Every secret meets every signature: the time taken tells nothing about which one fits.
    for key_id, secret in secrets.items():
        expected = _signature(secret, signed)
        for token in signatures.split(" "):
            if hmac.compare_digest(expected.encode(), token.encode()):
                signer = signer or (key_id, token)
    if signer is None:
        raise WebhookRefused(WebhookRule.SIGNATURE_MATCHES, "no active secret made it")
    return VerifiedMessage(
        id=message_id,
        key_id=signer[0],
        signature_digest=hashlib.sha256(signer[1].encode()).hexdigest(),
        body_sha256=hashlib.sha256(body).hexdigest(),
    )


def sign(
    message_id: str, body: bytes, *, now: datetime, secrets: Sequence[bytes]
) -> tuple[tuple[str, str], ...]:
    """Return the three headers of a message, with one signature for each secret given.

    The id stays over retries; the time is that of the attempt.
    """
    _check_secrets(secrets)
    if _ID.fullmatch(message_id) is None:
        raise WebhookRefused(WebhookRule.HEADERS_FOLLOW_GRAMMAR, _NAMES[0])
    timestamp = str(_seconds(now))
    signed = _signed_text(message_id, timestamp, body)
    signatures = " ".join(_signature(secret, signed) for secret in secrets)
    return tuple(zip(_NAMES, (message_id, timestamp, signatures), strict=True))


def decode_secret(text: str) -> bytes:
    """Return the bytes of a secret written as ``whsec_`` and base64."""
    try:
        secret = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ConfigurationError("a webhook secret is no base64") from None
    _check_secrets([secret])
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
    json.loads(body, object_pairs_hook=_unique)
    outcome = event.outcome
    return IdentityEvent(
        event_id=event.event_id,
        kind=event.kind,
        subject=event.subject,
        outcome=Outcome(outcome) if outcome in set(Outcome) else Outcome.NEEDS_REVIEW,
        evidence_sha256=event.evidence_sha256,
        occurred_at=event.occurred_at,
    )


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise WebhookRefused(WebhookRule.EVENT_KEYS_ARE_UNIQUE, "a member stands twice")
    return members


def _read_headers(headers: Iterable[tuple[str, str]]) -> tuple[str, str, str]:
    values: dict[str, list[str]] = {name: [] for name in _NAMES}
    for name, value in headers:
        if name.lower() in values:
            values[name.lower()].append(value)
    for name in _NAMES:
        if not values[name]:
            raise WebhookRefused(WebhookRule.HEADERS_ARE_COMPLETE, name)
    for name in _NAMES:
        if len(values[name]) > 1:
            raise WebhookRefused(WebhookRule.HEADERS_STAND_ONCE, name)
    for name, grammar in zip(_NAMES, (_ID, _TIMESTAMP, _SIGNATURES), strict=True):
        if grammar.fullmatch(values[name][0]) is None:
            raise WebhookRefused(WebhookRule.HEADERS_FOLLOW_GRAMMAR, name)
    message_id, timestamp, signatures = (values[name][0] for name in _NAMES)
    return message_id, timestamp, signatures


def _check_secrets(secrets: Iterable[bytes]) -> None:
    lengths = [len(secret) for secret in secrets]
    if not lengths or min(lengths) < SECRET_BYTES_MIN:
        raise ConfigurationError("webhooks need at least one secret, each of 24 bytes or more")


def _seconds(now: datetime) -> int:
    if now.utcoffset() is None:
        raise ConfigurationError("a webhook is checked against a time with its zone")
    return int(now.timestamp())


def _signed_text(message_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{message_id}.{timestamp}.".encode() + body


def _signature(secret: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
