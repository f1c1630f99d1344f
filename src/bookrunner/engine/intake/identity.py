"""Messages of the identity provider, recorded once each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from bookrunner.adapters.identity import (
    IdentityEvent,
    IdentityProvider,
    Outcome,
    VerifiedMessage,
    WebhookRefused,
    WebhookRule,
)
from bookrunner.books.compliance import keep_file
from bookrunner.core import clock
from bookrunner.core.errors import Malformed, NotAuthenticated, Refused
from bookrunner.core.ids import new_id
from bookrunner.db import load
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

    A message goes with its event and body. The subject names the investor and the digest of the very profile
    that was verified. What contradicts an officer's refusal is kept as a discrepancy for an officer. Refuses
    a message that is known with another body, a subject of another form, and an event of the future, whose
    approval would outlive its year.
    """
    subjects = [_subject(event) for _, event, _ in messages]
    queries = load("bookrunner.engine")
    with desk.compliance.together() as within:
        fresh: list[bool] = within.using(queries).receive_message.each(
            {"provider": PROVIDER, "message": message.id, "body": body, "key_id": message.key_id}
            for message, _, body in messages
        )
        within.hear_identity.each(
            {
                "actor": f"provider:{PROVIDER}",
                "request": message.id,
                "investor": investor,
                # Whatever is neither passed nor failed waits for a person; nothing else clears anybody.
                "outcome": _OUTCOMES.get(event.outcome, "in_review"),
                "evidence_sha256": bytes.fromhex(event.evidence_sha256),
                "verified_digest": digest,
                "valid_until": event.occurred_at + VALID_FOR,
                "discrepancy": new_id("dsc"),
            }
            for (message, event, _), (investor, digest), is_new in zip(messages, subjects, fresh, strict=True)
            if is_new
        )
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
    digest alone, so that no personal data outlives its key.
    """
    headers, body = message
    actor = f"provider:{provider.name}"
    try:
        signed = provider.verify(headers, body, now=clock.now(), secrets=secrets)
    except WebhookRefused as refused:
        kind = Malformed if refused.rule == WebhookRule.BODY_FITS_LIMIT else NotAuthenticated
        raise kind(refused.rule, refused.detail) from None
    received = {
        "provider": provider.name,
        "message": signed.id,
        "body": f"sha256:{signed.body_sha256}".encode(),
        "key_id": signed.key_id,
    }
    queries = load("bookrunner.engine")
    try:
        event = provider.read(body)
        investor, digest = _subject(event)
    except Refused as refused:
        keep_file(desk.compliance, actor, body, actor=actor)
        with desk.compliance.together() as within:
            within.using(queries).receive_message(**received)
        raise Malformed(refused.rule, refused.detail) from None
    evidence = keep_file(desk.compliance, investor, body, actor=actor)
    with desk.compliance.together() as within:
        fresh: bool = within.using(queries).receive_message(**received)
        if fresh and event.outcome not in _UNDECIDED:
            within.hear_identity(
                actor=actor,
                request=f"{provider.name}:{signed.id}",
                investor=investor,
                outcome=_OUTCOMES.get(event.outcome, "in_review"),
                evidence_sha256=evidence,
                verified_digest=digest,
                valid_until=event.occurred_at + VALID_FOR,
                discrepancy=new_id("dsc"),
            )
    return fresh


def _subject(event: IdentityEvent) -> tuple[str, bytes]:
    subject = _SUBJECT.fullmatch(event.subject)
    if subject is None:
        raise Refused("identity_subject_names_its_profile", "the subject is not an investor and a digest")
    if event.occurred_at > clock.now() + CLOCKS_DIFFER_BY:
        raise Refused("identity_event_has_happened", "the event is dated in the future")
    return subject[1], bytes.fromhex(subject[2])
