"""Messages of the identity provider, recorded once each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bookrunner.adapters.identity import IdentityEvent, Outcome, VerifiedMessage
from bookrunner.core.errors import Refused
from bookrunner.db import load
from bookrunner.engine.desk import Desk

PROVIDER = "identity"
VALID_FOR = timedelta(days=365)
DIGEST_HEX = 64

_OUTCOMES = {Outcome.APPROVED: "approved", Outcome.DECLINED: "declined"}


def record_identities(
    desk: Desk, messages: Sequence[tuple[VerifiedMessage, IdentityEvent, bytes]]
) -> list[bool]:
    """Record what the identity provider found, all in one transaction; false where a message came before.

    A message goes with its event and body. The subject names the investor and the digest of the very profile
    that was verified. Refuses a message that is known with another body, and a subject of another form.
    """
    subjects = [_subject(event) for _, event, _ in messages]
    queries = load("bookrunner.engine")
    with desk.compliance.together() as within:
        fresh: list[bool] = within.using(queries).receive_message.each(
            {"provider": PROVIDER, "message": message.id, "body": body, "key_id": message.key_id}
            for message, _, body in messages
        )
        within.record_identity.each(
            {
                "actor": f"provider:{PROVIDER}",
                "request": message.id,
                "investor": investor,
                # Whatever is neither passed nor failed waits for a person; nothing else clears anybody.
                "outcome": _OUTCOMES.get(event.outcome, "in_review"),
                "evidence_sha256": bytes.fromhex(event.evidence_sha256),
                "verified_digest": digest,
                "valid_until": event.occurred_at + VALID_FOR,
            }
            for (message, event, _), (investor, digest), is_new in zip(messages, subjects, fresh, strict=True)
            if is_new
        )
    return fresh


def _subject(event: IdentityEvent) -> tuple[str, bytes]:
    investor, _, digest = event.subject.rpartition("-")
    if not investor or len(digest) != DIGEST_HEX:
        raise Refused("identity_subject_names_its_profile", "the subject is not an investor and a digest")
    return investor, bytes.fromhex(digest)
