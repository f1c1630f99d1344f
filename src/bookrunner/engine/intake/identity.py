"""Messages of the identity provider, recorded once each."""

from __future__ import annotations

import re
from datetime import timedelta

from bookrunner.adapters.identity import IdentityEvent, Outcome, VerifiedMessage
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import load
from bookrunner.engine.desk import Desk

PROVIDER = "identity"
VALID_FOR = timedelta(days=365)
CLOCKS_DIFFER_BY = timedelta(minutes=5)

_SUBJECT = re.compile(r"(.+)-([0-9a-f]{64})")

_OUTCOMES = {Outcome.APPROVED: "approved", Outcome.DECLINED: "declined"}


def record_identity(desk: Desk, message: VerifiedMessage, event: IdentityEvent, body: bytes) -> bool:
    """Record what the identity provider found; false when the message came before.

    The subject names the investor and the digest of the very profile that was verified. Message and effect
    share one transaction. Refuses a message that is known with another body, a subject of another form, and
    an event of the future, whose approval would outlive its year.
    """
    subject = _SUBJECT.fullmatch(event.subject)
    if subject is None:
        raise Refused("identity_subject_names_its_profile", "the subject is not an investor and a digest")
    if event.occurred_at > clock.now() + CLOCKS_DIFFER_BY:
        raise Refused("identity_event_has_happened", "the event is dated in the future")
    investor, digest = subject.groups()
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
                # Whatever is neither passed nor failed waits for a person; nothing else clears anybody.
                outcome=_OUTCOMES.get(event.outcome, "in_review"),
                evidence_sha256=bytes.fromhex(event.evidence_sha256),
                verified_digest=bytes.fromhex(digest),
                valid_until=event.occurred_at + VALID_FOR,
            )
    return bool(fresh)
