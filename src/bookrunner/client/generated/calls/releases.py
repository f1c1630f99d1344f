# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: releases."""

from __future__ import annotations

from collections.abc import Iterator

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.releases import (
    EscrowRelease,
    NewRelease,
    ReleaseActed,
    ReleaseDecision,
    Releases,
)
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport, every


class ReleasesCalls:
    """The operations of releases."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_releases(self, offer: str, *, cursor: str | None = None, limit: int | None = None) -> Releases:
        """List the releases of an offer by id: of which closing, how much, by whom."""
        return self._transport.record(
            Releases,
            OPERATIONS["list_releases"],
            Call(path={"offer": offer}, query={"cursor": cursor, "limit": limit}),
        )

    def each_of_releases(
        self, offer: str, *, cursor: str | None = None, limit: int | None = None
    ) -> Iterator[EscrowRelease]:
        """Yield every record of :meth:`list_releases`, page by page."""

        def page(at: str | None) -> tuple[list[EscrowRelease], str | None]:
            found = self.list_releases(offer, cursor=at or cursor, limit=limit)
            return found.releases, found.next

        return every(page)

    def propose_release(
        self, offer: str, body: NewRelease, *, idempotency_key: str | None = None
    ) -> ReleaseActed:
        """Propose to release what is registered and cleared of a closing; another person decides.

        Refuses deductions in another currency than the offer's: `release_is_in_the_offers_currency`.
        """
        return self._transport.record(
            ReleaseActed,
            OPERATIONS["propose_release"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def get_release(self, offer: str, release: str) -> EscrowRelease:
        """Return one release; its ETag is the version that a decision is made on."""
        return self._transport.record(
            EscrowRelease, OPERATIONS["get_release"], Call(path={"offer": offer, "release": release})
        )

    def decide_release(
        self,
        offer: str,
        release: str,
        body: ReleaseDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> ReleaseActed:
        """Approve a release on its version, naming what was proposed, or decline it.

        What is named otherwise is refused: `both_people_confirm_payee_and_amount`, and in another currency
        `release_is_in_the_offers_currency`.
        """
        return self._transport.record(
            ReleaseActed,
            OPERATIONS["decide_release"],
            Call(
                path={"offer": offer, "release": release},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )
