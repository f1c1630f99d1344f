"""Institutional allocations: requests of entities, moved on strictly in order or cancelled by name."""

from __future__ import annotations

import json

from fastapi import APIRouter, Response

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import AllocationMove, InstitutionalId, NewInstitutional, OfferId, money
from bookrunner.api.shapes.acts import Acted
from bookrunner.api.shapes.moments import instant
from bookrunner.api.shapes.papers import InstitutionalAllocation, InstitutionalAllocations
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of institutional allocations."""
    router = Router(prefix="/v1/offers/{offer}/institutional_allocations", tags=["institutions"])

    @router.get("", operation_id="list_institutional_allocations")
    async def every(caller: Called, offer: OfferId) -> InstitutionalAllocations:
        """List the requests of institutions in the order in which they came."""

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.institutional_allocations(offering=offer))

        await gateway.admitted(caller, "engine")
        return {"institutional_allocations": [_shown(row) for row in await gateway.read(caller, work)]}

    @router.post(
        "", operation_id="request_institutional_allocation", response_model=Acted, status_code=_CREATED
    )
    async def requested(write: Written, offer: OfferId, body: NewInstitutional) -> Response:
        """Ask for an allocation of one tranche for a cleared entity; one request of it may be pending."""
        amount = body.amount.exact()
        wish = {
            "tranche": body.tranche,
            "amount_minor": amount.minor,
            "currency": amount.currency.code,
        }
        answer = await gateway.write(
            write,
            "engine",
            "request_allocation",
            offering=offer,
            allocation=new_id("iac"),
            entity=body.entity,
            wish=json.dumps(wish),
        )
        answer.status_code = _CREATED
        return answer

    @router.post("/{allocation}/moves", operation_id="move_institutional_allocation", response_model=Acted)
    async def moved(
        write: Decided, offer: OfferId, allocation: InstitutionalId, body: AllocationMove
    ) -> Response:
        """Take a request up for review, or cancel it for a reason; on the version that was seen."""
        return await gateway.write(
            write,
            "engine",
            "move_allocation",
            offering=offer,
            allocation=allocation,
            version=write.decided_on,
            status=body.status,
            because=body.because,
        )

    return router


def _shown(row: Row) -> InstitutionalAllocation:
    return {
        "id": row["allocation_id"],
        "tranche": row["tranche"],
        "entity": row["entity_id"],
        "status": row["status"],
        "amount": money(row["amount_minor"], row["currency"]),
        "settlement_due_at": row["settlement_due_at"] and instant(row["settlement_due_at"]),
        "is_overdue": row["is_overdue"],
        "investment": row["investment_id"],
        "intake": row["intake_id"],
        "reviewed_by": row["reviewed_by"],
        "cancelled_by": row["cancelled_by"],
        "version": str(row["version"]),
    }
