# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: filings."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.filings import (
    FactStated,
    FilingActed,
    FilingPack,
    FilingReason,
    Filings,
    FilledItem,
    NewFact,
    NewSubmission,
)
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class FilingsCalls:
    """The operations of filings."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_filings(self, *, offer: str | None = None, missed: bool | None = None) -> Filings:
        """List what offers owe, what is missed first, then by the day it is due; at most 200."""
        return self._transport.record(
            Filings, OPERATIONS["list_filings"], Call(query={"offer": offer, "missed": missed})
        )

    def get_filing(self, filing: str) -> FilingPack:
        """Return a filing with its pack: each value, the record it comes from, and what nobody has filled."""
        return self._transport.record(FilingPack, OPERATIONS["get_filing"], Call(path={"filing": filing}))

    def end_filing(
        self, filing: str, body: FilingReason, *, if_match: ETag, idempotency_key: str | None = None
    ) -> FilingActed:
        """Say why a filing is owed no more, on the version that was seen; another person confirms it."""
        return self._transport.record(
            FilingActed,
            OPERATIONS["end_filing"],
            Call(path={"filing": filing}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )

    def confirm_filing_end(
        self, filing: str, *, if_match: ETag, idempotency_key: str | None = None
    ) -> FilingActed:
        """Confirm, as another person than who said so, that a filing is not owed; on the version seen."""
        return self._transport.record(
            FilingActed,
            OPERATIONS["confirm_filing_end"],
            Call(path={"filing": filing}, if_match=if_match, idempotency_key=idempotency_key),
        )

    def prepare_filing(
        self, filing: str, *, if_match: ETag, idempotency_key: str | None = None
    ) -> FilingActed:
        """Say that the pack is ready, on the version that was seen; refused while a value is missing."""
        return self._transport.record(
            FilingActed,
            OPERATIONS["prepare_filing"],
            Call(path={"filing": filing}, if_match=if_match, idempotency_key=idempotency_key),
        )

    def reopen_filing(
        self, filing: str, body: FilingReason, *, if_match: ETag, idempotency_key: str | None = None
    ) -> FilingActed:
        """Open a prepared pack again, or a filing said not to be owed, on the version that was seen."""
        return self._transport.record(
            FilingActed,
            OPERATIONS["reopen_filing"],
            Call(path={"filing": filing}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )

    def record_filing(
        self, filing: str, body: NewSubmission, *, if_match: ETag, idempotency_key: str | None = None
    ) -> FilingActed:
        """Record that a person filed it, with number and proof, on the version that was seen."""
        return self._transport.record(
            FilingActed,
            OPERATIONS["record_filing"],
            Call(path={"filing": filing}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )

    def fill_filing(
        self, filing: str, body: FilledItem, *, idempotency_key: str | None = None
    ) -> FilingActed:
        """Fill an item that no book holds; a pack that was prepared is open again."""
        return self._transport.record(
            FilingActed,
            OPERATIONS["fill_filing"],
            Call(path={"filing": filing}, body=body, idempotency_key=idempotency_key),
        )

    def state_filing_fact(
        self, offer: str, body: NewFact, *, idempotency_key: str | None = None
    ) -> FactStated:
        """State a fact on a document; the filing that it starts is opened in the same breath."""
        return self._transport.record(
            FactStated,
            OPERATIONS["state_filing_fact"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )
