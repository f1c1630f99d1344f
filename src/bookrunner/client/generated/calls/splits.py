# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: splits."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.splits import NewSplit, SplitActed, SplitDecision, Splits
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class SplitsCalls:
    """The operations of splits."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_splits(self, offer: str) -> Splits:
        """List the splits of an offer, the newest first, each with the rules that it waits for."""
        return self._transport.record(Splits, OPERATIONS["list_splits"], Call(path={"offer": offer}))

    def propose_split(self, offer: str, body: NewSplit, *, idempotency_key: str | None = None) -> SplitActed:
        """Propose a split on the issuer's authority; another person decides.

        Refuses `one_split_waits`, `split_ratio_is_in_lowest_terms`, `split_changes_the_units`,
        `cash_in_lieu_has_its_price` and `split_price_is_in_the_currency_of_the_offer`.
        """
        return self._transport.record(
            SplitActed,
            OPERATIONS["propose_split"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def decide_split(
        self,
        offer: str,
        split: str,
        body: SplitDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> SplitActed:
        """Approve or decline a split on its version as another person, or abandon one that has not begun.

        Refuses `split_needs_two_people`.
        """
        return self._transport.record(
            SplitActed,
            OPERATIONS["decide_split"],
            Call(
                path={"offer": offer, "split": split},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )
