# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: offers."""

from __future__ import annotations

from collections.abc import Iterator

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.offers import Breaks, Failure, Move, NewOffer, Offer, Offers, Review
from bookrunner.client.generated.shapes.shared import OfferActed
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport, every


class OffersCalls:
    """The operations of offers."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_offers(self, *, after: str | None = None, limit: int | None = None) -> Offers:
        """List offers by id; `next` continues the list as `after`, and is null at its end."""
        return self._transport.record(
            Offers, OPERATIONS["list_offers"], Call(query={"after": after, "limit": limit})
        )

    def each_of_offers(self, *, after: str | None = None, limit: int | None = None) -> Iterator[Offer]:
        """Yield every record of :meth:`list_offers`, page by page."""

        def page(at: str | None) -> tuple[list[Offer], str | None]:
            found = self.list_offers(after=at or after, limit=limit)
            return found.offers, found.next

        return every(page)

    def open_offer(self, body: NewOffer, *, idempotency_key: str | None = None) -> OfferActed:
        """Open an offer as a draft."""
        return self._transport.record(
            OfferActed, OPERATIONS["open_offer"], Call(body=body, idempotency_key=idempotency_key)
        )

    def get_offer(self, offer: str) -> Offer:
        """Return one offer."""
        return self._transport.record(Offer, OPERATIONS["get_offer"], Call(path={"offer": offer}))

    def list_breaks(self, offer: str) -> Breaks:
        """List the open breaks of an offer, the oldest first.

        `answer` is told to the keeper that owns a break, the engine and audit, and null to others.
        """
        return self._transport.record(Breaks, OPERATIONS["list_breaks"], Call(path={"offer": offer}))

    def fail_offer(
        self, offer: str, body: Failure, *, if_match: ETag, idempotency_key: str | None = None
    ) -> OfferActed:
        """End an offer without success; every investor is refunded in full."""
        return self._transport.record(
            OfferActed,
            OPERATIONS["fail_offer"],
            Call(path={"offer": offer}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )

    def move_offer(
        self, offer: str, body: Move, *, if_match: ETag, idempotency_key: str | None = None
    ) -> OfferActed:
        """Move an offer along its machine, from the version that was seen."""
        return self._transport.record(
            OfferActed,
            OPERATIONS["move_offer"],
            Call(path={"offer": offer}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )

    def review_offer(
        self, offer: str, body: Review, *, if_match: ETag, idempotency_key: str | None = None
    ) -> OfferActed:
        """Accept or decline the terms of an offer, as a person who did not draft them."""
        return self._transport.record(
            OfferActed,
            OPERATIONS["review_offer"],
            Call(path={"offer": offer}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )
