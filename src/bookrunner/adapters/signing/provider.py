"""The port of e-sign providers: what they are asked, and why their word alone executes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bookrunner.adapters.documents.packet import ISSUER
from bookrunner.adapters.identity import WebhookRefused, WebhookRule
from bookrunner.adapters.identity.webhook import verify
from bookrunner.adapters.signing.authority import Trust
from bookrunner.adapters.signing.ceremony import Envelope
from bookrunner.adapters.signing.execution import (
    Expected,
    ExpectedSigner,
    Verdict,
    verify_executed,
    verify_partly_signed,
)
from bookrunner.core.errors import Refused


class EnvelopeEvent(StrEnum):
    """What a provider says has happened to an envelope, in words common to all providers."""

    SENT = "sent"
    DELIVERED = "delivered"
    VIEWED = "viewed"
    CONSENTED = "consented"
    SIGNED = "signed"
    DECLINED = "declined"
    EXPIRED = "expired"
    VOIDED = "voided"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Notice:
    """One event of a provider: a hint to ask for the status, never a fact of ours."""

    id: str
    kind: EnvelopeEvent
    ref: str
    party: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file from a provider and the serial number that it claims for each party, by field."""

    content: bytes
    serials: Mapping[str, int]


class SigningProvider(Protocol):
    """Who lets the parties sign a packet; ``ref`` is the provider's name of the envelope."""

    def create(self, envelope: Envelope, *, expires_at: datetime, idempotency_key: str) -> str:
        """Return the reference of a new envelope, or the earlier one of the same key."""

    def signing_url(self, ref: str, party: str, *, ttl: timedelta) -> str:
        """Return where this party signs, good for ``ttl``."""

    def void(self, ref: str, reason: str) -> None:
        """End an envelope that is not executed."""

    def status(self, ref: str) -> EnvelopeEvent:
        """Return the last thing that happened, as the provider sees it."""

    def fetch_signed(self, ref: str) -> Fetched:
        """Return the file as far as the investor's signers have signed it."""

    def fetch_executed(self, ref: str) -> Fetched:
        """Return the file that the provider calls completed."""

    def verify_webhook(self, headers: Iterable[tuple[str, str]], raw_body: bytes) -> Sequence[Notice]:
        """Return the notices of one authenticated message; refuses each rule of a webhook."""


def accept_executed(
    provider: SigningProvider, ref: str, envelope: Envelope, trust: Trust
) -> tuple[bytes, Verdict]:
    """Fetch what a provider calls completed and return bytes and verdict, if our own checks pass.

    Only these bytes may become the stored ones. Refuses ``envelope_is_completed``,
    ``every_party_has_signed`` and what :func:`verify_executed` refuses: another text than the rendered one
    fails as to its origin.
    """
    if provider.status(ref) is not EnvelopeEvent.COMPLETED:
        raise Refused("envelope_is_completed", ref)
    fetched = provider.fetch_executed(ref)
    expected = _claimed(envelope, fetched, trust, fields=[*envelope.signers, ISSUER])
    return fetched.content, verify_executed(fetched.content, expected)


def accept_signed(
    provider: SigningProvider, ref: str, envelope: Envelope, trust: Trust
) -> list[tuple[bytes, Verdict]]:
    """Fetch what the investor signed so far; return bytes and verdict after each of its signatures.

    Each signature covers what stands before it, so the file cut behind it is what that signer signed; every
    such file passes our own checks. Refuses ``every_party_has_signed`` when no serial is claimed for any
    signer, and what :func:`verify_partly_signed` refuses.
    """
    fetched = provider.fetch_signed(ref)
    fields = [field for field in envelope.signers if field in fetched.serials]
    whole = _claimed(envelope, fetched, trust, fields=fields or list(envelope.signers))
    verdict = verify_partly_signed(fetched.content, whole)
    steps: list[tuple[bytes, Verdict]] = []
    done: dict[str, ExpectedSigner] = {}
    for found in verdict.signatures[:-1]:
        done[found.field] = whole.signers[found.field]
        part = fetched.content[: found.end]
        steps.append((part, verify_partly_signed(part, replace(whole, signers=dict(done)))))
    return [*steps, (fetched.content, verdict)]


def _claimed(envelope: Envelope, fetched: Fetched, trust: Trust, *, fields: Sequence[str]) -> Expected:
    if missing := set(fields) - fetched.serials.keys():
        raise Refused("every_party_has_signed", f"{envelope.id} lacks {', '.join(sorted(missing))}")
    signers = {
        field: ExpectedSigner(fetched.serials[field], envelope.party(field).id, envelope.id)
        for field in fields
    }
    return Expected(envelope.rendered.content, envelope.rendered.boxes, signers, trust)


class _Notice(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    id: Annotated[str, Field(pattern=r"\A[A-Za-z0-9_-]{1,128}\z")]
    kind: Annotated[str, Field(pattern=r"\A[a-z]{1,32}\z")]
    ref: Annotated[str, Field(pattern=r"\A[A-Za-z0-9_-]{1,128}\z")]
    party: Annotated[str, Field(max_length=128)] = ""
    occurred_at: AwareDatetime


def read_notice(
    headers: Iterable[tuple[str, str]], raw_body: bytes, *, now: datetime, secrets: Mapping[str, bytes]
) -> Notice:
    """Return the notice of a signed message; refuses each :class:`WebhookRule`.

    An event of a kind that is not known is refused and not guessed.
    """
    verify(headers, raw_body, now=now, secrets=secrets)
    try:
        read = _Notice.model_validate_json(raw_body)
        kind = EnvelopeEvent(read.kind)
    except (ValidationError, ValueError):
        raise WebhookRefused(WebhookRule.EVENT_HAS_ITS_SHAPE, "body") from None
    return Notice(read.id, kind, read.ref, read.party, read.occurred_at)
