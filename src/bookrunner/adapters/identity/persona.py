"""Persona's webhooks: their signature, and what an inquiry says about a subject.

``Persona-Signature`` has ``t=<seconds>,v1=<hex>`` under HMAC-SHA256 of ``t.body``, and several such sets with
a space between them while a secret is being rotated (Persona's documentation, "Webhook best practices").
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bookrunner.adapters.identity import IdentityEvent, Outcome, VerifiedMessage, WebhookRefused, WebhookRule
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

HEADER: Final = "persona-signature"
_SET: Final = r"t=[0-9]{1,12},v1=[0-9a-f]{64}"
_GRAMMAR: Final = {HEADER: re.compile(rf"{_SET}(?: {_SET}){{0,3}}")}
# An inquiry that expires was not finished in time; it says nothing of an earlier approval.
OUTCOMES: Final = {
    "created": Outcome.IN_PROGRESS,
    "pending": Outcome.IN_PROGRESS,
    "expired": Outcome.NEEDS_INPUT,
    "completed": Outcome.IN_REVIEW,
    "approved": Outcome.APPROVED,
    "declined": Outcome.DECLINED,
}
"""What the status of an inquiry says; one that is not listed is for a person to look at."""


class _Attributes(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    status: Annotated[str, Field(max_length=64)]
    reference: Annotated[str, Field(alias="reference-id", pattern=r"\A[A-Za-z0-9_-]{1,128}\z")]


class _Inquiry(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    attributes: _Attributes


class _Payload(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    data: _Inquiry


class _Told(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    name: Annotated[str, Field(pattern=r"\Ainquiry\.[a-z.-]{1,64}\z")]
    created_at: Annotated[AwareDatetime, Field(alias="created-at")]
    payload: _Payload


class _Event(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    id: Annotated[str, Field(pattern=r"\Aevt_[A-Za-z0-9]{1,64}\z")]
    attributes: _Told


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    data: _Event


class Persona:
    """Reads messages about inquiries; our subject stands in their reference id."""

    name = "persona"

    def verify(
        self, headers: Iterable[tuple[str, str]], body: bytes, *, now: datetime, secrets: Mapping[str, bytes]
    ) -> VerifiedMessage:
        """Return who signed a message, or raise WebhookRefused with the first broken rule.

        The scheme has no id of a message outside its body: the digest of the body is the id. Each signature
        is judged by its own time; a set that is too old is no signature.
        """
        check_secrets(secrets.values())
        check_body(body)
        (written,) = read_headers(headers, _GRAMMAR)
        sets = [tuple(part.partition("=")[2] for part in one.split(",")) for one in written.split(" ")]
        recent = [(timestamp, token) for timestamp, token in sets if _is_recent(int(timestamp), now)]
        if not recent:
            check_age(int(sets[0][0]), now)
        signed: list[tuple[str, str]] = []
        for timestamp, _ in recent:
            text = f"{timestamp}.".encode() + body
            signed += [
                (key_id, f"{timestamp}:{_signature(secret, text)}") for key_id, secret in secrets.items()
            ]
        signer = signer_of(signed, [f"{timestamp}:{token}" for timestamp, token in recent])
        return verified(hashlib.sha256(body).hexdigest(), signer, body)

    def decode(self, text: str) -> bytes:
        """Return the bytes of a secret as Persona shows it; ConfigurationError for a short one."""
        check_secrets([text.encode()])
        return text.encode()

    def read(self, body: bytes) -> IdentityEvent:
        """Return the event in a verified body; a status that is not known becomes ``needs_review``.

        Refuses ``event_has_its_shape`` and ``event_keys_are_unique``.
        """
        try:
            event = _Message.model_validate_json(body).data
        except ValidationError:
            raise WebhookRefused(WebhookRule.EVENT_HAS_ITS_SHAPE, "no event of an inquiry") from None
        json.loads(body, object_pairs_hook=unique_members)
        said = event.attributes.payload.data.attributes
        return IdentityEvent(
            event_id=event.id,
            kind=event.attributes.name,
            subject=said.reference,
            outcome=OUTCOMES.get(said.status, Outcome.NEEDS_REVIEW),
            evidence_sha256=hashlib.sha256(body).hexdigest(),
            occurred_at=event.attributes.created_at,
        )


def sign(body: bytes, *, now: datetime, secrets: Iterable[bytes]) -> str:
    """Return the header of a message, with one signature for each secret given."""
    timestamp = str(seconds(now))
    text = f"{timestamp}.".encode() + body
    return " ".join(f"t={timestamp},v1={_signature(secret, text)}" for secret in secrets)


def _is_recent(timestamp: int, now: datetime) -> bool:
    try:
        check_age(timestamp, now)
    except WebhookRefused:
        return False
    return True


def _signature(secret: bytes, text: bytes) -> str:
    return hmac.digest(secret, text, "sha256").hex()
