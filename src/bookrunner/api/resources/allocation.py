"""Who gets how many units of an offer: its policy, the waitlist, allotments and single cuts."""

from __future__ import annotations

import json

from fastapi import APIRouter, Response

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import (
    Cut,
    EntryId,
    InvestmentId,
    NewAllotment,
    Nothing,
    OfferId,
    Policy,
    Waiting,
    Wished,
    Wishes,
)
from bookrunner.api.shapes.acts import AllotmentDecided, CutBack, PolicyNamed, Queued
from bookrunner.api.shapes.answers import (
    AllotmentDryRun,
    AllotmentLine,
    Allotments,
    DecidedLine,
    Units,
    Waitlist,
    WaitlistEntry,
)
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of policies, waitlists and allotments."""
    router = Router(tags=["allocation"])
    _orders(router, gateway)
    _waitlist(router, gateway)
    _allotments(router, gateway)
    _cuts(router, gateway)
    return router


def _orders(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/v1/offers/{offer}/units", operation_id="get_units")
    async def units(caller: Called, offer: OfferId) -> Units:
        """Say how many units of an offer are reserved, allocated and free; the three sum to its units."""

        def work(of: Within) -> Row:
            required(of, offer)
            found: Row = of.units(offering=offer)
            return found

        row = await gateway.read(caller, work)
        return {
            "offer": offer,
            "policy": row["policy"],
            "hold_minutes": row["hold_minutes"],
            "total": str(row["units_total"]),
            "reserved": str(row["reserved_units"]),
            "allocated": str(row["allocated_units"]),
            "free": str(row["free_units"]),
            "oversubscribed": str(row["oversubscribed_units"]),
            "waiting": str(row["waiting_units"]),
        }

    @router.post(
        "/v1/offers/{offer}/allocation_policy",
        operation_id="name_allocation_policy",
        response_model=PolicyNamed,
    )
    async def named(write: Written, offer: OfferId, body: Policy) -> Response:
        """Name how an offer shares out its units, before its first order."""
        return await gateway.write(
            write,
            "engine",
            "name_policy",
            offering=offer,
            policy=body.policy,
            most_units=None if body.most_units is None else int(body.most_units),
            hold_minutes=body.hold_minutes,
        )


def _waitlist(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/v1/offers/{offer}/waitlist", operation_id="list_waitlist")
    async def line(caller: Called, offer: OfferId) -> Waitlist:
        """List who waits or waited for units, in order."""

        def work(of: Within) -> list[Row]:
            required(of, offer)
            found: list[Row] = of.waitlist(offering=offer)
            return found

        return {"waitlist": [_entry(row) for row in await gateway.read(caller, work)]}

    @router.post(
        "/v1/offers/{offer}/waitlist",
        operation_id="join_waitlist",
        response_model=Queued,
        status_code=_CREATED,
    )
    async def joined(write: Written, offer: OfferId, body: Waiting) -> Response:
        """Wait for units that come free; nothing is due until then."""
        answer = await gateway.write(
            write,
            "engine",
            "wait_for_units",
            offering=offer,
            entry=new_id("wle"),
            investor=body.investor,
            units=int(body.units),
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/v1/offers/{offer}/waitlist/{entry}/withdraw", operation_id="leave_waitlist", response_model=Queued
    )
    async def left(write: Written, offer: OfferId, entry: EntryId, _: Nothing | None = None) -> Response:
        """Leave the waitlist."""
        return await gateway.write(
            write, "engine", "wait_for_units", offering=offer, entry=entry, investor=None, units=None
        )


def _allotments(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/v1/offers/{offer}/allotments", operation_id="list_allotments")
    async def every(caller: Called, offer: OfferId) -> Allotments:
        """List the decided lists of an offer, line by line."""

        def work(of: Within) -> list[Row]:
            required(of, offer)
            found: list[Row] = of.allotment_lines(offering=offer)
            return found

        rows = await gateway.read(caller, work)
        return {"lines": [_decided(row) for row in rows]}

    @router.post("/v1/offers/{offer}/allotments/dry_run", operation_id="dry_run_allotment")
    async def dry_run(
        caller: Called, offer: OfferId, response: Response, body: Wished | None = None
    ) -> AllotmentDryRun:
        """Say who would get how many units and why; writes nothing.

        The ETag stands for this book: a decision that names it is refused once the book has changed.
        """
        wishes = _wishes(body.wishes if body else None)

        def work(of: Within) -> tuple[list[Row], str]:
            # The version is read first, so that it never stands for more than the list shows.
            required(of, offer)
            version: str = of.book_version(offering=offer)
            return of.allotment_dry_run(offering=offer, wishes=wishes), version

        rows, version = await gateway.read(caller, work)
        response.headers["ETag"] = f'"{version}"'
        return {"offer": offer, "lines": [_line(row) for row in rows], "version": version}

    @router.post(
        "/v1/offers/{offer}/allotments",
        operation_id="decide_allotment",
        response_model=AllotmentDecided,
        status_code=_CREATED,
    )
    async def decided(write: Decided, offer: OfferId, body: NewAllotment) -> Response:
        """Decide the list that a dry run showed; cut orders are refunded and sign again."""
        answer = await gateway.write(
            write,
            "engine",
            "decide_allotment",
            offering=offer,
            version=write.decided_on,
            allotment=new_id("alm"),
            wishes=_wishes(body.wishes),
            capacity=body.capacity,
            because=body.because,
        )
        answer.status_code = _CREATED
        return answer


def _cuts(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/v1/investments/{investment}/cuts",
        operation_id="scale_back",
        response_model=CutBack,
        status_code=_CREATED,
    )
    async def cut(write: Decided, investment: InvestmentId, body: Cut) -> Response:
        """Cut one investment to fewer units, on the version that was seen; the excess goes back."""
        answer = await gateway.write(
            write,
            "engine",
            "scale_back",
            investment=investment,
            version=write.decided_on,
            allotment=new_id("alm"),
            units=int(body.units),
            capacity=body.capacity,
            because=body.because,
        )
        answer.status_code = _CREATED
        return answer


def _wishes(wishes: Wishes | None) -> str | None:
    return None if wishes is None else json.dumps({name: int(units) for name, units in wishes.items()})


def _line(row: Row) -> AllotmentLine:
    return {
        "investment": row["investment_id"],
        "ordered": str(row["ordered_units"]),
        "units": None if row["units"] is None else str(row["units"]),
        "because": row["because"],
    }


def _decided(row: Row) -> DecidedLine:
    return {
        **_line(row),
        "allotment_id": row["allotment_id"],
        "ordinal": row["ordinal"],
        "policy": row["policy"],
        "decided_by": row["decided_by"],
        "capacity": row["capacity"],
        "reason": row["reason"],
    }


def _entry(row: Row) -> WaitlistEntry:
    return {
        "id": row["entry_id"],
        "place": row["place"],
        "investor": row["investor_id"],
        "units": str(row["units"]),
        "status": row["status"],
        "investment": row["investment_id"],
        "because": row["because"],
        "version": str(row["version"]),
    }
