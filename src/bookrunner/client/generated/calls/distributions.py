# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: distributions."""

from __future__ import annotations

from collections.abc import Iterator

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.distributions import (
    Distribution,
    DistributionDecision,
    DistributionLine,
    DistributionLines,
    Distributions,
)
from bookrunner.client.generated.shapes.shared import DistributionActed
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport, every


class DistributionsCalls:
    """The operations of distributions."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_distributions(
        self, offer: str, *, cursor: str | None = None, limit: int | None = None
    ) -> Distributions:
        """List the distributions of an offer by id: record date, sums, state."""
        return self._transport.record(
            Distributions,
            OPERATIONS["list_distributions"],
            Call(path={"offer": offer}, query={"cursor": cursor, "limit": limit}),
        )

    def each_of_distributions(
        self, offer: str, *, cursor: str | None = None, limit: int | None = None
    ) -> Iterator[Distribution]:
        """Yield every record of :meth:`list_distributions`, page by page."""

        def page(at: str | None) -> tuple[list[Distribution], str | None]:
            found = self.list_distributions(offer, cursor=at or cursor, limit=limit)
            return found.distributions, found.next

        return every(page)

    def get_distribution(self, offer: str, distribution: str) -> Distribution:
        """Return one distribution with its tiers and their working; its ETag is the version of a decision."""
        return self._transport.record(
            Distribution,
            OPERATIONS["get_distribution"],
            Call(path={"offer": offer, "distribution": distribution}),
        )

    def decide_distribution(
        self,
        offer: str,
        distribution: str,
        body: DistributionDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> DistributionActed:
        """Approve a distribution on its version, as another person than who drafted it, or cancel it.

        Refuses `payees_are_screened_before_approval`, `record_date_is_reconciled` and
        `whoever_elects_for_another_decides_no_run`.
        """
        return self._transport.record(
            DistributionActed,
            OPERATIONS["decide_distribution"],
            Call(
                path={"offer": offer, "distribution": distribution},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def list_distribution_lines(
        self, offer: str, distribution: str, *, cursor: str | None = None, limit: int | None = None
    ) -> DistributionLines:
        """List the lines of a distribution by id, each with its amounts and where the payment stands."""
        return self._transport.record(
            DistributionLines,
            OPERATIONS["list_distribution_lines"],
            Call(
                path={"offer": offer, "distribution": distribution}, query={"cursor": cursor, "limit": limit}
            ),
        )

    def each_of_distribution_lines(
        self, offer: str, distribution: str, *, cursor: str | None = None, limit: int | None = None
    ) -> Iterator[DistributionLine]:
        """Yield every record of :meth:`list_distribution_lines`, page by page."""

        def page(at: str | None) -> tuple[list[DistributionLine], str | None]:
            found = self.list_distribution_lines(offer, distribution, cursor=at or cursor, limit=limit)
            return found.lines, found.next

        return every(page)
