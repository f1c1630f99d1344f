# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: investments."""

from __future__ import annotations

from collections.abc import Iterator

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.investments import (
    CancellationRight,
    Decision,
    Investment,
    Investments,
    InvestorNotices,
    NewAllocation,
    NewInvestment,
    Reason,
)
from bookrunner.client.generated.shapes.shared import Acted, InvestmentActed
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport, every


class InvestmentsCalls:
    """The operations of investments."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_investments(
        self, *, offer: str, status: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Investments:
        """List the investments of an offer by id; `next` is the cursor that continues, null at the end."""
        return self._transport.record(
            Investments,
            OPERATIONS["list_investments"],
            Call(query={"offer": offer, "status": status, "cursor": cursor, "limit": limit}),
        )

    def each_of_investments(
        self, *, offer: str, status: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Iterator[Investment]:
        """Yield every record of :meth:`list_investments`, page by page."""

        def page(at: str | None) -> tuple[list[Investment], str | None]:
            found = self.list_investments(offer=offer, status=status, cursor=at or cursor, limit=limit)
            return found.investments, found.next

        return every(page)

    def open_investment(self, body: NewInvestment, *, idempotency_key: str | None = None) -> Acted:
        """Open an investment; its units are reserved against the offer."""
        return self._transport.record(
            Acted, OPERATIONS["open_investment"], Call(body=body, idempotency_key=idempotency_key)
        )

    def get_investment(self, investment: str) -> Investment:
        """Return one investment with its stages and what it misses, from whom, since when."""
        return self._transport.record(
            Investment, OPERATIONS["get_investment"], Call(path={"investment": investment})
        )

    def propose_allocation(
        self, investment: str, body: NewAllocation, *, idempotency_key: str | None = None
    ) -> InvestmentActed:
        """Propose the units of an investment; a second key approves them."""
        return self._transport.record(
            InvestmentActed,
            OPERATIONS["propose_allocation"],
            Call(path={"investment": investment}, body=body, idempotency_key=idempotency_key),
        )

    def approve_allocation(
        self, investment: str, allocation: str, *, if_match: ETag, idempotency_key: str | None = None
    ) -> InvestmentActed:
        """Approve a proposed allocation on the version that was seen; its proposer may not."""
        return self._transport.record(
            InvestmentActed,
            OPERATIONS["approve_allocation"],
            Call(
                path={"investment": investment, "allocation": allocation},
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def get_cancellation_right(self, investment: str) -> CancellationRight:
        """Return until when the investor may cancel without anybody's consent, and by which rule."""
        return self._transport.record(
            CancellationRight, OPERATIONS["get_cancellation_right"], Call(path={"investment": investment})
        )

    def decide_cancellation(
        self, investment: str, body: Decision, *, if_match: ETag, idempotency_key: str | None = None
    ) -> Acted:
        """Grant a requested cancellation, or deny it and return to the remembered status."""
        return self._transport.record(
            Acted,
            OPERATIONS["decide_cancellation"],
            Call(
                path={"investment": investment}, body=body, if_match=if_match, idempotency_key=idempotency_key
            ),
        )

    def request_cancellation(
        self, investment: str, *, if_match: ETag | None = None, idempotency_key: str | None = None
    ) -> Acted:
        """Ask for the cancellation of a confirmed investment."""
        return self._transport.record(
            Acted,
            OPERATIONS["request_cancellation"],
            Call(path={"investment": investment}, if_match=if_match, idempotency_key=idempotency_key),
        )

    def cancel_investment(
        self, investment: str, body: Reason, *, if_match: ETag, idempotency_key: str | None = None
    ) -> Acted:
        """End an investment that nobody asked to end; its money goes back to where it came from."""
        return self._transport.record(
            Acted,
            OPERATIONS["cancel_investment"],
            Call(
                path={"investment": investment}, body=body, if_match=if_match, idempotency_key=idempotency_key
            ),
        )

    def confirm_investment(
        self, investment: str, *, if_match: ETag | None = None, idempotency_key: str | None = None
    ) -> Acted:
        """Submit the review step; profile, compliance and the signed packet hold at this moment."""
        return self._transport.record(
            Acted,
            OPERATIONS["confirm_investment"],
            Call(path={"investment": investment}, if_match=if_match, idempotency_key=idempotency_key),
        )

    def confirm_investment_legally(
        self, investment: str, *, if_match: ETag, idempotency_key: str | None = None
    ) -> Acted:
        """Confirm legally what is executed and allocated, on the version that was seen."""
        return self._transport.record(
            Acted,
            OPERATIONS["confirm_investment_legally"],
            Call(path={"investment": investment}, if_match=if_match, idempotency_key=idempotency_key),
        )

    def list_investor_notices(self, investment: str) -> InvestorNotices:
        """List what was told to the investor about the offer, the newest first; mail only points to it."""
        return self._transport.record(
            InvestorNotices, OPERATIONS["list_investor_notices"], Call(path={"investment": investment})
        )

    def withdraw_investment(
        self, investment: str, *, if_match: ETag | None = None, idempotency_key: str | None = None
    ) -> Acted:
        """End an investment that the investor has not confirmed yet."""
        return self._transport.record(
            Acted,
            OPERATIONS["withdraw_investment"],
            Call(path={"investment": investment}, if_match=if_match, idempotency_key=idempotency_key),
        )
