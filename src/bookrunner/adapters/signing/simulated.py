"""A simulated e-sign provider: it signs like the local one, and its messages come twice, late or never."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from random import Random

from bookrunner.adapters.signing.ceremony import Envelope
from bookrunner.adapters.signing.local import LocalProvider, Message
from bookrunner.adapters.signing.provider import EnvelopeEvent, Fetched, Notice


class SimulatedProvider:
    """A provider outside the house, with faults that a seed repeats.

    ``substitute`` makes it hand out other bytes than those that were signed.
    """

    def __init__(self, inner: LocalProvider, seed: int) -> None:
        self._inner = inner
        self._random = Random(seed)
        self._substitutes: dict[str, Fetched] = {}

    def create(self, envelope: Envelope, *, expires_at: datetime, idempotency_key: str) -> str:
        """Return the reference of a new envelope, or the earlier one of the same key."""
        return self._inner.create(envelope, expires_at=expires_at, idempotency_key=idempotency_key)

    def signing_url(self, ref: str, party: str, *, ttl: timedelta) -> str:
        """Return where this party signs."""
        return self._inner.signing_url(ref, party, ttl=ttl)

    def void(self, ref: str, reason: str) -> None:
        """End an envelope."""
        self._inner.void(ref, reason)

    def status(self, ref: str) -> EnvelopeEvent:
        """Return completed whenever bytes were substituted, else the truth."""
        return EnvelopeEvent.COMPLETED if ref in self._substitutes else self._inner.status(ref)

    def fetch_signed(self, ref: str) -> Fetched:
        """Return the file as far as the investor's signers have signed it."""
        return self._inner.fetch_signed(ref)

    def fetch_executed(self, ref: str) -> Fetched:
        """Return the executed file, or what was put in its place."""
        if ref not in self._substitutes:
            return self._inner.fetch_executed(ref)
        return self._substitutes[ref]

    def verify_webhook(self, headers: Iterable[tuple[str, str]], raw_body: bytes) -> Sequence[Notice]:
        """Return the notice of one message; refuses each rule of a webhook."""
        return self._inner.verify_webhook(headers, raw_body)

    def substitute(self, ref: str, fetched: Fetched) -> None:
        """Hand out this file as the executed one from now on."""
        self._substitutes[ref] = fetched

    def messages(self, ref: str) -> list[Message]:
        """Return the messages about an envelope: some twice, some not at all, in any order."""
        sent = [
            message for message in self._inner.messages(ref) for _ in range(self._random.choice((0, 1, 2)))
        ]
        self._random.shuffle(sent)
        return sent
