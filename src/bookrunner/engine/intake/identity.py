"""Messages of the identity provider, recorded once each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bookrunner.adapters.identity import IdentityEvent, Outcome, VerifiedMessage
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Within, load
from bookrunner.engine.desk import Desk

PROVIDER = "identity"
VALID_FOR = timedelta(days=365)
DIGEST_HEX = 64
REFUSED_CASE = "refused_case_is_reopened_by_an_officer"

_OUTCOMES = {Outcome.APPROVED: "approved", Outcome.DECLINED: "declined"}


def record_identity(desk: Desk, message: VerifiedMessage, event: IdentityEvent, body: bytes) -> bool:
    """Record what the identity provider found; false when the message came before.

    The subject names the investor and the digest of the very profile that was verified. Message and effect
    share one transaction. What contradicts an officer's refusal is kept as a discrepancy for an officer.
    Refuses a message that is known with another body, and a subject of another form.
    """
    investor, _, digest = event.subject.rpartition("-")
    if not investor or len(digest) != DIGEST_HEX:
        raise Refused("identity_subject_names_its_profile", "the subject is not an investor and a digest")
    found = _Found(message, event, body, investor, digest)
    try:
        return _record(desk, found)
    except Refused as refused:
        if refused.rule != REFUSED_CASE:
            raise
    return _contradict(desk, found)


@dataclass(frozen=True, slots=True)
class _Found:
    message: VerifiedMessage
    event: IdentityEvent
    body: bytes
    investor: str
    digest: str


def _record(desk: Desk, found: _Found) -> bool:
    with desk.compliance.together() as within:
        fresh = _receive(within, found)
        if fresh:
            within.record_identity(
                actor=f"provider:{PROVIDER}",
                request=found.message.id,
                investor=found.investor,
                # Whatever is neither passed nor failed waits for a person; nothing else clears anybody.
                outcome=_OUTCOMES.get(found.event.outcome, "in_review"),
                evidence_sha256=bytes.fromhex(found.event.evidence_sha256),
                verified_digest=bytes.fromhex(found.digest),
                valid_until=found.event.occurred_at + VALID_FOR,
            )
    return fresh


def _contradict(desk: Desk, found: _Found) -> bool:
    with desk.compliance.together() as within:
        fresh = _receive(within, found)
        if fresh:
            within.open_discrepancy(
                actor=f"provider:{PROVIDER}",
                request=found.message.id,
                investor=found.investor,
                discrepancy=new_id("dsc"),
                element="outcome",
                because=f"the provider says {found.event.outcome.value} of a refused case",
            )
    return fresh


def _receive(within: Within, found: _Found) -> bool:
    fresh = load("bookrunner.engine").receive_message(
        within.transaction,
        provider=PROVIDER,
        message=found.message.id,
        body=found.body,
        key_id=found.message.key_id,
    )
    return bool(fresh)
