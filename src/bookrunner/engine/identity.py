"""Messages of the identity provider: verified, kept, and recorded once each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from bookrunner.adapters.identity import Outcome
from bookrunner.adapters.identity.webhook import parse_identity_event, verify
from bookrunner.core.errors import Refused
from bookrunner.db import load
from bookrunner.engine.desk import Desk

PROVIDER = "identity"
VALID_FOR = timedelta(days=365)

_OUTCOMES = {Outcome.APPROVED: "approved", Outcome.DECLINED: "declined", Outcome.NEEDS_REVIEW: "in_review"}


def receive_identity(
    desk: Desk,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    *,
    now: datetime,
    secrets: Mapping[str, bytes],
) -> bool:
    """Record what the identity provider found; false when the message came before.

    The subject names the investor and the digest of the very profile that was verified. Message and effect share
    one transaction. Refuses a message that is not signed, stale, malformed, or known with another body.
    """
    message = verify(headers, body, now=now, secrets=secrets)
    event = parse_identity_event(body)
    investor, _, digest = event.subject.rpartition("-")
    if not investor or len(digest) != 64:
        raise Refused("identity_subject_names_its_profile", "the subject is not an investor and a digest")
    queries = load("bookrunner.engine")
    with desk.compliance.together() as within:
        fresh = queries.receive_message(
            within.transaction, provider=PROVIDER, message=message.id, body=body, key_id=message.key_id
        )
        if fresh:
            within.record_identity(
                actor=f"provider:{PROVIDER}",
                request=message.id,
                investor=investor,
                outcome=_OUTCOMES.get(event.outcome, "in_review"),
                evidence_sha256=bytes.fromhex(event.evidence_sha256),
                verified_digest=bytes.fromhex(digest),
                valid_until=event.occurred_at + VALID_FOR,
            )
    return bool(fresh)
