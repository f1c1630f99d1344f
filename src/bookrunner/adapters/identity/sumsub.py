"""Sumsub's webhooks: their digest, and what a review says about an applicant.

``X-Payload-Digest`` is the hexadecimal HMAC of the raw body, ``X-Payload-Digest-Alg`` names its hash; SHA-256
and SHA-512 are taken, SHA-1 is not (Sumsub's documentation, "Webhook manager"). The scheme has no time: a
message that was caught and sent again is known by its body.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bookrunner.adapters.identity import IdentityEvent, Outcome, VerifiedMessage, WebhookRefused, WebhookRule
from bookrunner.adapters.identity.scheme import (
    check_body,
    check_secrets,
    read_headers,
    seconds,
    signer_of,
    unique_members,
    verified,
)

DIGEST: Final = "x-payload-digest"
ALGORITHM: Final = "x-payload-digest-alg"
_HASHES: Final = {"HMAC_SHA256_HEX": ("sha256", 64), "HMAC_SHA512_HEX": ("sha512", 128)}
_GRAMMARS: Final = {DIGEST: re.compile(r"[0-9a-f]{64,128}"), ALGORITHM: re.compile("|".join(_HASHES))}
_STATUSES: Final = {
    "init": Outcome.IN_PROGRESS,
    "pending": Outcome.IN_PROGRESS,
    "prechecked": Outcome.IN_PROGRESS,
    "queued": Outcome.IN_PROGRESS,
    "awaitingService": Outcome.IN_PROGRESS,
    "awaitingUser": Outcome.NEEDS_INPUT,
    "onHold": Outcome.IN_REVIEW,
}
# What takes an earlier review back, whatever status the applicant has now.
_UNDOING: Final = frozenset(
    {"applicantReset", "applicantDeactivated", "applicantDeleted", "applicantPersonalInfoChanged"}
)


class _Review(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    answer: Annotated[str, Field(alias="reviewAnswer", max_length=16)]
    rejected: Annotated[str | None, Field(alias="reviewRejectType", max_length=16)] = None


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    correlation: Annotated[str, Field(alias="correlationId", pattern=r"\A[A-Za-z0-9_-]{1,128}\z")]
    subject: Annotated[str, Field(alias="externalUserId", pattern=r"\A[A-Za-z0-9_-]{1,128}\z")]
    kind: Annotated[str, Field(alias="type", pattern=r"\Aapplicant[A-Za-z]{1,48}\z")]
    status: Annotated[str, Field(alias="reviewStatus", max_length=32)]
    created: Annotated[
        str, Field(alias="createdAtMs", pattern=r"\A\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d{3}(?:\+0000|Z)?\z")
    ]
    review: Annotated[_Review | None, Field(alias="reviewResult")] = None


class Sumsub:
    """Reads messages about applicants; our subject stands in their external user id."""

    name = "sumsub"

    def verify(
        self, headers: Iterable[tuple[str, str]], body: bytes, *, now: datetime, secrets: Mapping[str, bytes]
    ) -> VerifiedMessage:
        """Return who signed a message, or raise WebhookRefused with the first broken rule.

        The digest of the body is the id of the message; ``now`` is only asked for its zone.
        """
        seconds(now)
        check_secrets(secrets.values())
        check_body(body)
        token, algorithm = read_headers(headers, _GRAMMARS)
        name, length = _HASHES[algorithm]
        if len(token) != length:
            raise WebhookRefused(WebhookRule.HEADERS_FOLLOW_GRAMMAR, DIGEST)
        candidates = [(key_id, hmac.digest(secret, body, name).hex()) for key_id, secret in secrets.items()]
        return verified(hashlib.sha256(body).hexdigest(), signer_of(candidates, [token]), body)

    def decode(self, text: str) -> bytes:
        """Return the bytes of a secret as Sumsub shows it; ConfigurationError for a short one."""
        check_secrets([text.encode()])
        return text.encode()

    def read(self, body: bytes) -> IdentityEvent:
        """Return the event in a verified body; what is not known becomes ``needs_review``.

        Refuses ``event_has_its_shape`` and ``event_keys_are_unique``.
        """
        try:
            message = _Message.model_validate_json(body)
            created = datetime.fromisoformat(message.created[:23]).replace(tzinfo=UTC)
        except (ValidationError, ValueError):
            raise WebhookRefused(WebhookRule.EVENT_HAS_ITS_SHAPE, "no event of an applicant") from None
        json.loads(body, object_pairs_hook=unique_members)
        # A check of one act by an applicant says nothing of who the applicant is.
        if message.kind.startswith("applicantAction"):
            raise WebhookRefused(WebhookRule.EVENT_HAS_ITS_SHAPE, "no event of an applicant")
        return IdentityEvent(
            event_id=message.correlation,
            kind=message.kind,
            subject=message.subject,
            outcome=_outcome(message),
            evidence_sha256=hashlib.sha256(body).hexdigest(),
            occurred_at=created,
        )


def sign(
    body: bytes, secret: bytes, algorithm: Literal["HMAC_SHA256_HEX", "HMAC_SHA512_HEX"] = "HMAC_SHA256_HEX"
) -> tuple[tuple[str, str], ...]:
    """Return the two headers of a message."""
    return (DIGEST, hmac.digest(secret, body, _HASHES[algorithm][0]).hex()), (ALGORITHM, algorithm)


def _outcome(message: _Message) -> Outcome:
    if message.kind in _UNDOING:
        return Outcome.NEEDS_REVIEW
    review = message.review
    return outcome_of(message.status, *(("", None) if review is None else (review.answer, review.rejected)))


def outcome_of(status: str, answer: str, rejected: str | None) -> Outcome:
    """Return what a review says; a rejection that may be tried again is for a person to look at."""
    if status == "completed" and answer:
        if answer == "GREEN":
            return Outcome.APPROVED
        return Outcome.DECLINED if (answer, rejected) == ("RED", "FINAL") else Outcome.NEEDS_REVIEW
    return _STATUSES.get(status, Outcome.NEEDS_REVIEW)
