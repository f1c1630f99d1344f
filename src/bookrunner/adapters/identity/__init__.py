"""What the compliance book needs of an identity provider: checked messages, canonical outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from bookrunner.adapters.identity.openid import Answer, Flow, Logout, Registration, Vouched
from bookrunner.adapters.identity.published import Configurations
from bookrunner.core.errors import Refused

__all__ = [
    "BODY_BYTES_MAX",
    "Answer",
    "AskedProvider",
    "Claims",
    "Configurations",
    "Flow",
    "IdentityEvent",
    "IdentityProvider",
    "InquiryScheme",
    "Logout",
    "Outcome",
    "Question",
    "Registration",
    "SignedMessage",
    "TokenVerifier",
    "VerifiedMessage",
    "Vouched",
    "WebhookRefused",
    "WebhookRule",
]

BODY_BYTES_MAX: Final = 1024 * 1024


class WebhookRule(StrEnum):
    """The rules of an incoming message, in the order in which they are checked."""

    BODY_FITS_LIMIT = "body_fits_limit"
    """The body has at most 1 MiB."""
    HEADERS_ARE_COMPLETE = "headers_are_complete"
    """Id, timestamp and signature are there."""
    HEADERS_STAND_ONCE = "headers_stand_once"
    """None of the three is repeated."""
    HEADERS_FOLLOW_GRAMMAR = "headers_follow_grammar"
    """Each of the three is written exactly as specified."""
    TIMESTAMP_IS_RECENT = "timestamp_is_recent"
    """The message was signed within 300 seconds of now."""
    SIGNATURE_MATCHES = "signature_matches"
    """An active secret made one of the signatures."""
    EVENT_HAS_ITS_SHAPE = "event_has_its_shape"
    """The body is a JSON object with the members of an identity event."""
    EVENT_KEYS_ARE_UNIQUE = "event_keys_are_unique"
    """No JSON object of the body names a member twice."""


class WebhookRefused(Refused):
    """An incoming message was refused; the detail names a header or member, never its value."""

    def __init__(self, rule: WebhookRule, detail: str) -> None:
        super().__init__(rule.value, detail)


class Outcome(StrEnum):
    """What a provider says about a subject, in words common to all providers.

    None is final: each new event is a new fact, and none of them clears anybody by itself.
    """

    APPROVED = "approved"
    """The provider's checks passed."""
    DECLINED = "declined"
    """The provider's checks failed."""
    EXPIRED = "expired"
    """An approval has run out."""
    IN_PROGRESS = "in_progress"
    """The subject has begun."""
    IN_REVIEW = "in_review"
    """A person at the provider looks at it."""
    NEEDS_INPUT = "needs_input"
    """The subject has to add something."""
    NEEDS_REVIEW = "needs_review"
    """A person of ours has to look, also whenever the outcome is unknown to us."""
    REVOKED = "revoked"
    """An approval was taken back."""


@dataclass(frozen=True, slots=True)
class VerifiedMessage:
    """A message with a valid signature: its id, the key that fits, and digests for the inbox.

    One id with two different ``body_sha256`` is an alarm.
    """

    id: str
    key_id: str
    signature_digest: str
    body_sha256: str


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A message under a public key: id, second since 1970, key and signature over ``id.second.body``."""

    id: str
    signed_at: int
    public_key: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class IdentityEvent:
    """One event about one subject; ``occurred_at`` is the provider's time and orders events."""

    event_id: str
    kind: str
    subject: str
    outcome: Outcome
    evidence_sha256: str
    occurred_at: datetime


class IdentityProvider(Protocol):
    """A scheme of signed messages: who signed one, and what it says in words common to all providers."""

    @property
    def name(self) -> str:
        """The name in the address that the provider posts to."""

    def verify(
        self, headers: Iterable[tuple[str, str]], body: bytes, *, now: datetime, secrets: Mapping[str, bytes]
    ) -> VerifiedMessage:
        """Return who signed a message, or raise WebhookRefused with the first broken rule."""

    def decode(self, text: str) -> bytes:
        """Return the bytes of a secret as the provider shows it; ConfigurationError for an unfit one."""

    def read(self, body: bytes) -> IdentityEvent:
        """Return the event in a verified body, or raise WebhookRefused for one of another shape."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask a provider about one subject: the path below its address, and the headers."""

    path: str
    headers: tuple[tuple[str, str], ...]


class InquiryScheme(Protocol):
    """How a provider is asked for what it knows of a subject, and what its answer says."""

    @property
    def name(self) -> str:
        """The name of the provider, the same as that of its messages."""

    def question(self, subject: str, credential: str, *, now: datetime) -> Question:
        """Return what to ask; ConfigurationError for a credential that is none of this provider."""

    def verify(
        self, headers: Iterable[tuple[str, str]], body: bytes, *, now: datetime, secrets: Mapping[str, bytes]
    ) -> VerifiedMessage:
        """Return who signed an answer, or raise WebhookRefused with the first broken rule."""

    def read(self, body: bytes) -> IdentityEvent:
        """Return the latest event in an answer, or raise WebhookRefused for one of another shape."""


class AskedProvider(Protocol):
    """A provider at its address: the scheme of its answers, and the way to ask it."""

    @property
    def scheme(self) -> InquiryScheme:
        """How it is asked and what its answers say."""

    def ask(self, subject: str) -> tuple[list[tuple[str, str]], bytes]:
        """Return headers and untouched body of its answer about a subject.

        Refuses ``identity_provider_answers``, ``identity_provider_accepts_us``, ``inquiry_exists`` and
        ``body_fits_limit``.
        """


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom a token speaks for, and what it may be used for."""

    subject: str
    scopes: frozenset[str]
    issuer: str
    ends_at: datetime


class TokenVerifier(Protocol):
    """Who vouches for programs by signed tokens."""

    @property
    def issuer(self) -> str:
        """The provider, as its tokens name it."""

    async def vouch(self, token: str) -> Claims:
        """Return whom a token speaks for, with any scope.

        Raises NotAuthenticated ``credential_is_in_force`` and NotReady ``token_issuer_answers``. Nothing of
        the token enters an error.
        """

    async def verify(self, token: str, scope: str) -> Claims:
        """Return whom a token with this scope speaks for.

        Raises NotAuthenticated ``credential_is_in_force``, NotAllowed ``token_has_the_scope`` and NotReady
        ``token_issuer_answers``. Nothing of the token enters an error.
        """
