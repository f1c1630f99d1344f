"""Distributions: what holders of a record date get, its tiers and lines, and another person's word on it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import StringConstraints

from bookrunner.api.caller import Called, Decided
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import PAGE, Because, OfferId, Shape, money
from bookrunner.api.shapes.cursors import Cursor, cursor_of, place_of
from bookrunner.api.shapes.servicing.payments import (
    Distribution,
    DistributionActed,
    DistributionLine,
    DistributionLines,
    Distributions,
)
from bookrunner.core.errors import Malformed, UnknownRecord
from bookrunner.db import Row, Within

_READERS = ("treasury", "engine", "audit")
_KEEPER = "engine"
_DistributionId = Annotated[str, StringConstraints(pattern="^dst_[0-9A-Za-z_]{1,64}$")]
_Limit = Annotated[int, Query(ge=1, le=PAGE)]


class DistributionDecision(Shape):
    """A second person's word; whoever cancels says why."""

    decision: Literal["approved", "cancelled"]
    because: Because | None = None


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of distributions: read by treasury, engine and audit, decided by the engine."""
    router = Router(prefix="/v1/offers/{offer}/distributions", tags=["distributions"])
    _reads(router, gateway)

    @router.post(
        "/{distribution}/decisions", operation_id="decide_distribution", response_model=DistributionActed
    )
    async def decided(
        write: Decided, offer: OfferId, distribution: _DistributionId, body: DistributionDecision
    ) -> Response:
        """Approve a distribution on its version, as another person than who drafted it, or cancel it.

        Refuses ``payees_are_screened_before_approval``, ``record_date_is_reconciled`` and
        ``whoever_elects_for_another_decides_no_run``.
        """
        is_approved = body.decision == "approved"
        if not is_approved and body.because is None:
            raise Malformed("cancelled_distribution_says_why", "say why it is cancelled")
        return await gateway.write(
            write,
            _KEEPER,
            "decide_distribution",
            offering=offer,
            distribution=distribution,
            version=write.decided_on,
            is_approved=is_approved,
            because=body.because,
        )

    return router


def _reads(router: APIRouter, gateway: Gateway) -> None:
    @router.get("", operation_id="list_distributions")
    async def listed(
        caller: Called, offer: OfferId, cursor: Cursor = None, limit: _Limit = 50
    ) -> Distributions:
        """List the distributions of an offer by id: record date, sums, state."""
        await gateway.admitted(caller, *_READERS)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(
                of.distributions(offering=offer, distribution=None, after=place_of(cursor), most=limit)
            )

        rows = await gateway.read(caller, work)
        return {
            "distributions": [_shown(row) for row in rows],
            "next": cursor_of(rows, "distribution_id", limit),
        }

    @router.get("/{distribution}", operation_id="get_distribution")
    async def one(
        caller: Called, offer: OfferId, distribution: _DistributionId, response: Response
    ) -> Distribution:
        """Return one distribution with its tiers and their working; its ETag is the version of a decision."""
        await gateway.admitted(caller, *_READERS)
        rows = await gateway.read(
            caller,
            lambda of: list(of.distributions(offering=offer, distribution=distribution, after=None, most=1)),
        )
        if not rows:
            raise UnknownRecord("distribution_exists", f"there is no distribution {distribution} in {offer}")
        response.headers["ETag"] = f'"{rows[0]["version"]}"'
        return _shown(rows[0])

    @router.get("/{distribution}/lines", operation_id="list_distribution_lines")
    async def lines(
        caller: Called,
        offer: OfferId,
        distribution: _DistributionId,
        *,
        cursor: Cursor = None,
        limit: _Limit = 50,
    ) -> DistributionLines:
        """List the lines of a distribution by id, each with its amounts and where the payment stands."""
        await gateway.admitted(caller, *_READERS)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(
                of.distribution_lines(
                    offering=offer, distribution=distribution, after=place_of(cursor), most=limit
                )
            )

        rows = await gateway.read(caller, work)
        return {"lines": [_line(row) for row in rows], "next": cursor_of(rows, "line_id", limit)}


def _shown(row: Row) -> Distribution:
    code = row["currency"]
    return {
        "id": row["distribution_id"],
        "status": row["status"],
        "record_on": row["record_on"].isoformat(),
        "pay_on": row["pay_on"].isoformat(),
        "income": row["income"],
        "holders": row["holders"],
        "units": row["units"],
        "distributed": money(row["distributable_minor"], code),
        "withheld": money(row["withheld_minor"], code),
        "reinvested": money(row["reinvested_minor"], code),
        "net": money(row["net_minor"], code),
        "funded": money(row["funded_minor"], code),
        "taken_back": money(row["taken_back_minor"], code),
        "receivable": money(row["receivable_minor"], code),
        "tiers": [
            {
                "kind": tier["kind"],
                "holders": money(tier["holders_minor"], code),
                "sponsor": money(tier["sponsor_minor"], code),
                "working": tier["working"],
            }
            for tier in row["tiers"]
        ],
        "drafted_by": row["drafted_by"],
        "approved_by": row["approved_by"],
        "version": str(row["version"]),
    }


def _line(row: Row) -> DistributionLine:
    code = row["currency"]
    return {
        "id": row["line_id"],
        "investor": row["investor_id"],
        "payee": row["payee_id"],
        "units": row["units"],
        "gross": money(row["gross_minor"], code),
        "withheld": money(row["withheld_minor"], code),
        "reinvested": money(row["reinvested_minor"], code),
        "net": money(row["net_minor"], code),
        "rate_source": row["rate_source"],
        "status": row["status"],
        "because": row["held_because"] or row["bounce_code"] or row["finding"],
    }
