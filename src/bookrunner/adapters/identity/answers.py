"""What each provider is asked about a subject, and what its answer says in words common to all providers.

An answer of our own scheme is signed like a message. Persona and Sumsub do not sign answers: what vouches for
one is the connection to the configured address, opened with our credential.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bookrunner.adapters.identity import (
    IdentityEvent,
    InquiryScheme,
    Outcome,
    Question,
    VerifiedMessage,
    WebhookRefused,
    WebhookRule,
)
from bookrunner.adapters.identity.persona import OUTCOMES
from bookrunner.adapters.identity.scheme import check_body, seconds, unique_members, verified
from bookrunner.adapters.identity.sumsub import outcome_of
from bookrunner.adapters.identity.webhook import parse_identity_event, verify
from bookrunner.core.errors import ConfigurationError, UnknownRecord

ANSWER_KEY: Final = "answer"
_PERSONA_VERSION: Final = "2023-01-05"
_STRICT = ConfigDict(strict=True, extra="ignore", frozen=True)
_Subject = Annotated[str, Field(pattern=r"\A[A-Za-z0-9_-]{1,128}\z")]
_Id = Annotated[str, Field(pattern=r"\A[A-Za-z0-9_-]{1,64}\z")]


class SignedAnswers:
    """The sandbox provider: its answer is its latest message about the subject, signed like any other."""

    name = "standard"

    def question(self, subject: str, credential: str, *, now: datetime) -> Question:
        """Return what to ask; ``now`` is not needed."""
        seconds(now)
        return Question(f"/inquiries/{quote(subject, safe='')}", (_bearer(credential),))

    def verify(
        self, headers: Iterable[tuple[str, str]], body: bytes, *, now: datetime, secrets: Mapping[str, bytes]
    ) -> VerifiedMessage:
        """Return who signed an answer; refuses as `bookrunner.adapters.identity.webhook.verify` does."""
        return verify(headers, body, now=now, secrets=secrets)

    def read(self, body: bytes) -> IdentityEvent:
        """Return the event; refuses ``event_has_its_shape`` and ``event_keys_are_unique``."""
        return parse_identity_event(body)


class _Times(BaseModel):
    model_config = _STRICT

    created: Annotated[AwareDatetime, Field(alias="created-at")]
    started: Annotated[AwareDatetime | None, Field(alias="started-at")] = None
    completed: Annotated[AwareDatetime | None, Field(alias="completed-at")] = None
    failed: Annotated[AwareDatetime | None, Field(alias="failed-at")] = None
    marked: Annotated[AwareDatetime | None, Field(alias="marked-for-review-at")] = None
    decided: Annotated[AwareDatetime | None, Field(alias="decisioned-at")] = None
    expired: Annotated[AwareDatetime | None, Field(alias="expired-at")] = None

    @property
    def last(self) -> datetime:
        """When the inquiry came to its present status."""
        known = (self.created, self.started, self.completed, self.failed, self.marked, self.decided)
        return max(moment for moment in (*known, self.expired) if moment is not None)


class _Inquiry(_Times):
    status: Annotated[str, Field(max_length=64)]
    reference: Annotated[_Subject, Field(alias="reference-id")]


class _Found(BaseModel):
    model_config = _STRICT

    id: _Id
    attributes: _Inquiry


class _Inquiries(BaseModel):
    model_config = _STRICT

    data: Annotated[list[_Found], Field(max_length=100)]


class PersonaAnswers:
    """Persona's list of inquiries by reference id; the one that changed last speaks."""

    name = "persona"

    def question(self, subject: str, credential: str, *, now: datetime) -> Question:
        """Return what to ask; ``now`` is not needed."""
        seconds(now)
        path = f"/api/v1/inquiries?filter%5Breference-id%5D={quote(subject, safe='')}"
        return Question(path, (_bearer(credential), ("persona-version", _PERSONA_VERSION)))

    def verify(
        self, headers: Iterable[tuple[str, str]], body: bytes, *, now: datetime, secrets: Mapping[str, bytes]
    ) -> VerifiedMessage:
        """Return the digests of an answer, which has no signature; refuses ``body_fits_limit``."""
        return _unsigned(headers, body, now=now, secrets=secrets)

    def read(self, body: bytes) -> IdentityEvent:
        """Return what the inquiry says that changed last.

        Refuses ``event_has_its_shape``, ``event_keys_are_unique``, and ``inquiry_exists`` for an empty list.
        """
        try:
            found = _Inquiries.model_validate_json(body).data
        except ValidationError:
            raise WebhookRefused(WebhookRule.EVENT_HAS_ITS_SHAPE, "no list of inquiries") from None
        json.loads(body, object_pairs_hook=unique_members)
        if not found:
            raise UnknownRecord("inquiry_exists", "the provider knows no inquiry of this subject")
        last = max(found, key=lambda one: (one.attributes.last, one.id))
        said = last.attributes
        return IdentityEvent(
            event_id=last.id,
            kind="inquiry.retrieved",
            subject=said.reference,
            outcome=OUTCOMES.get(said.status, Outcome.NEEDS_REVIEW),
            evidence_sha256=hashlib.sha256(body).hexdigest(),
            occurred_at=said.last,
        )


def _moment(written: object) -> object:
    """Read a time as Sumsub writes it: UTC, with or without saying so."""
    if not isinstance(written, str):
        return written
    return datetime.fromisoformat(written.removesuffix("+0000").removesuffix("Z")).replace(tzinfo=UTC)


_Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


class _Result(BaseModel):
    model_config = _STRICT

    answer: Annotated[str, Field(alias="reviewAnswer", max_length=16)]
    rejected: Annotated[str | None, Field(alias="reviewRejectType", max_length=16)] = None


class _Review(BaseModel):
    model_config = _STRICT

    status: Annotated[str, Field(alias="reviewStatus", max_length=32)]
    created: Annotated[_Moment | None, Field(alias="createDate")] = None
    reviewed: Annotated[_Moment | None, Field(alias="reviewDate")] = None
    result: Annotated[_Result | None, Field(alias="reviewResult")] = None


class _Applicant(BaseModel):
    model_config = _STRICT

    id: _Id
    subject: Annotated[_Subject, Field(alias="externalUserId")]
    created: Annotated[_Moment, Field(alias="createdAt")]
    review: _Review


class SumsubAnswers:
    """Sumsub's applicant by external user id; a question is signed with the secret of our token."""

    name = "sumsub"

    def question(self, subject: str, credential: str, *, now: datetime) -> Question:
        """Return what to ask; ``credential`` is token and secret with a colon between them."""
        token, _, secret = credential.rpartition(":")
        if not (token and secret):
            raise ConfigurationError("a credential of sumsub is written as token:secret")
        path = f"/resources/applicants/-;externalUserId={quote(subject, safe='')}/one"
        at = str(seconds(now))
        signature = hmac.digest(secret.encode(), f"{at}GET{path}".encode(), "sha256").hex()
        headers = (("x-app-token", token), ("x-app-access-ts", at), ("x-app-access-sig", signature))
        return Question(path, headers)

    def verify(
        self, headers: Iterable[tuple[str, str]], body: bytes, *, now: datetime, secrets: Mapping[str, bytes]
    ) -> VerifiedMessage:
        """Return the digests of an answer, which has no signature; refuses ``body_fits_limit``."""
        return _unsigned(headers, body, now=now, secrets=secrets)

    def read(self, body: bytes) -> IdentityEvent:
        """Return what the review says; refuses ``event_has_its_shape`` and ``event_keys_are_unique``."""
        try:
            found = _Applicant.model_validate_json(body)
        except ValidationError:
            raise WebhookRefused(WebhookRule.EVENT_HAS_ITS_SHAPE, "no applicant") from None
        json.loads(body, object_pairs_hook=unique_members)
        review, result = found.review, found.review.result
        return IdentityEvent(
            event_id=found.id,
            kind="applicant.retrieved",
            subject=found.subject,
            outcome=outcome_of(
                review.status, *(("", None) if result is None else (result.answer, result.rejected))
            ),
            evidence_sha256=hashlib.sha256(body).hexdigest(),
            occurred_at=review.reviewed or review.created or found.created,
        )


SCHEMES: Final[Mapping[str, InquiryScheme]] = {
    one.name: one for one in (PersonaAnswers(), SignedAnswers(), SumsubAnswers())
}


def _bearer(credential: str) -> tuple[str, str]:
    return "authorization", f"Bearer {credential}"


def _unsigned(
    headers: Iterable[tuple[str, str]], body: bytes, *, now: datetime, secrets: Mapping[str, bytes]
) -> VerifiedMessage:
    """Return the digests of an answer; the same answer again is the same message."""
    del headers, secrets
    seconds(now)
    check_body(body)
    digest = hashlib.sha256(body).hexdigest()
    return verified(f"{ANSWER_KEY}.{digest}", (ANSWER_KEY, digest), body)
