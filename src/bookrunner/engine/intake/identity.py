"""What identity providers say, posted by them or asked for, recorded once each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bookrunner.adapters.identity import (
    AskedProvider,
    IdentityEvent,
    IdentityProvider,
    Outcome,
    VerifiedMessage,
    WebhookRefused,
    WebhookRule,
)
from bookrunner.adapters.vault import Vault
from bookrunner.books.compliance import keep_file, keep_files
from bookrunner.core import clock
from bookrunner.core.errors import Malformed, NotAuthenticated, Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Arguments, load
from bookrunner.engine.desk import Desk

PROVIDER = "identity"
VALID_FOR = timedelta(days=365)
CLOCKS_DIFFER_BY = timedelta(minutes=5)

_SUBJECT = re.compile(r"(.+)-([0-9a-f]{64})")

_OUTCOMES = {Outcome.APPROVED: "approved", Outcome.DECLINED: "declined"}
# What a subject has yet to do decides nothing, also not about an earlier approval.
_UNDECIDED = frozenset({Outcome.IN_PROGRESS, Outcome.NEEDS_INPUT})


def record_identities(
    desk: Desk, messages: Sequence[tuple[VerifiedMessage, IdentityEvent, bytes]]
) -> list[bool]:
    """Record what the identity provider found, all in one transaction; false where a message came before.

    A message goes with its event and body, which is sealed on file. The subject names the investor and the
    digest of the very profile that was verified. What contradicts an officer's refusal is kept as a
    discrepancy for an officer. Refuses a message that is known with another body, a subject of another form,
    and an event of the future, whose approval would outlive its year.
    """
    heard = [
        _Heard(PROVIDER, message, event, *_subject(event), bytes.fromhex(event.evidence_sha256))
        for message, event, _ in messages
    ]
    queries = load("bookrunner.engine")
    safe = Vault.of(desk.database.endpoint.secrets)
    bodies = [(one.investor, body) for one, (_, _, body) in zip(heard, messages, strict=True)]
    with desk.compliance.together() as within:
        fresh: list[bool] = within.using(queries).receive_message.each(
            {
                "provider": PROVIDER,
                "message": message.id,
                "body": f"sha256:{message.body_sha256}".encode(),
                "key_id": message.key_id,
            }
            for message, _, _ in messages
        )
        told = [one for one, is_new in zip(heard, fresh, strict=True) if is_new]
        new = [one for one, is_new in zip(bodies, fresh, strict=True) if is_new]
        keep_files(within, safe, new, actor=f"provider:{PROVIDER}")
        is_news = within.note_report.each(one.noted() for one in told)
        within.hear_identity.each(one.recorded() for one, news in zip(told, is_news, strict=True) if news)
    return fresh


def receive_identity(
    desk: Desk,
    provider: IdentityProvider,
    message: tuple[Iterable[tuple[str, str]], bytes],
    secrets: Mapping[str, bytes],
) -> bool:
    """Verify one message (headers, body) of a provider, keep and record it; false where it came before.

    Raises NotAuthenticated for a signature that does not fit, when nothing is kept, and Malformed for a body
    over the limit. The body of a signed message is sealed on file first: under the investor whom it names,
    or under the provider where it names none, when Malformed says what is wrong with it. The inbox holds the
    digest alone, so that no personal data outlives its key. What is older than the last word of the same
    provider is kept and changes nothing.
    """
    headers, body = message
    try:
        signed = provider.verify(headers, body, now=clock.now(), secrets=secrets)
    except WebhookRefused as refused:
        kind = Malformed if refused.rule == WebhookRule.BODY_FITS_LIMIT else NotAuthenticated
        raise kind(refused.rule, refused.detail) from None
    return _take(desk, _Said(provider.name, signed, body), provider.read)


def ask_identity(
    desk: Desk, remote: AskedProvider, secrets: Mapping[str, bytes], investor: str, *, actor: str
) -> bool:
    """Ask a provider for what it knows of an investor's present profile; false where it says nothing new.

    The answer goes the way of a posted message, and one that was posted before is known. Refuses
    ``profile_exists``, what `AskedProvider.ask` refuses, ``answer_is_about_the_subject``, each rule of the
    signature and shape of an answer, and ``report_is_asked_for_by_a_person``.
    """
    profiles = desk.engine.profiles(investors=[investor])
    if not profiles:
        raise UnknownRecord("profile_exists", f"there is no profile {investor}")
    subject = f"{investor}-{bytes(profiles[0]['detail_digest']).hex()}"
    headers, body = remote.ask(subject)
    scheme = remote.scheme
    signed = scheme.verify(headers, body, now=clock.now(), secrets=secrets)

    def read(answer: bytes) -> IdentityEvent:
        event = scheme.read(answer)
        if event.subject != subject:
            raise Refused("answer_is_about_the_subject", f"{scheme.name} answered about somebody else")
        return event

    return _take(desk, _Said(scheme.name, signed, body, actor), read)


@dataclass(frozen=True, slots=True)
class _Said:
    """A verified message or answer; ``asked_by`` is the person who asked for it."""

    provider: str
    signed: VerifiedMessage
    body: bytes
    asked_by: str | None = None


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a provider said, ready for the book; the digest is that of the profile which it is about."""

    provider: str
    signed: VerifiedMessage
    event: IdentityEvent
    investor: str
    digest: bytes
    evidence: bytes
    asked_by: str | None = None

    def noted(self) -> Arguments:
        """Return the arguments that keep the report."""
        report = {
            "provider": self.provider,
            "message": self.signed.id,
            "outcome": self.event.outcome.value,
            "occurred_at": self.event.occurred_at.isoformat(),
            "evidence_sha256": self.evidence.hex(),
            "verified_digest": self.digest.hex(),
            "asked_by": self.asked_by,
        }
        return {**self._by(), "investor": self.investor, "report": report}

    def recorded(self) -> Arguments:
        """Return the arguments that record the outcome; what is neither passed nor failed waits."""
        return {
            **self._by(),
            "investor": self.investor,
            "outcome": _OUTCOMES.get(self.event.outcome, "in_review"),
            "evidence_sha256": self.evidence,
            "verified_digest": self.digest,
            "valid_until": self.event.occurred_at + VALID_FOR,
            "discrepancy": new_id("dsc"),
        }

    def _by(self) -> Arguments:
        return {"actor": f"provider:{self.provider}", "request": f"{self.provider}:{self.signed.id}"}


def _take(desk: Desk, said: _Said, read: Callable[[bytes], IdentityEvent]) -> bool:
    """Seal a verified body, put it in the inbox, tell the book what it says; false where it came before."""
    actor = f"provider:{said.provider}"
    received = {
        "provider": said.provider,
        "message": said.signed.id,
        "body": f"sha256:{said.signed.body_sha256}".encode(),
        "key_id": said.signed.key_id,
    }
    queries = load("bookrunner.engine")
    try:
        event = read(said.body)
        investor, digest = _subject(event)
    except Refused as refused:
        keep_file(desk.compliance, actor, said.body, actor=actor)
        with desk.compliance.together() as within:
            within.using(queries).receive_message(**received)
        if isinstance(refused, UnknownRecord):
            raise
        raise Malformed(refused.rule, refused.detail) from None
    evidence = keep_file(desk.compliance, investor, said.body, actor=actor)
    heard = _Heard(said.provider, said.signed, event, investor, digest, evidence, said.asked_by)
    with desk.compliance.together() as within:
        fresh: bool = within.using(queries).receive_message(**received)
        if fresh and within.note_report(**heard.noted()) and event.outcome not in _UNDECIDED:
            within.hear_identity(**heard.recorded())
    return fresh


def _subject(event: IdentityEvent) -> tuple[str, bytes]:
    subject = _SUBJECT.fullmatch(event.subject)
    if subject is None:
        raise Refused("identity_subject_names_its_profile", "the subject is not an investor and a digest")
    if event.occurred_at > clock.now() + CLOCKS_DIFFER_BY:
        raise Refused("identity_event_has_happened", "the event is dated in the future")
    return subject[1], bytes.fromhex(subject[2])
