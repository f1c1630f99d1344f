"""The register of an offer: instructions to issue, and the master securityholder file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bookrunner.api.caller import Called
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import PAGE, InvestorId, OfferId
from bookrunner.api.shapes.cursors import Cursor, cursor_of, place_of
from bookrunner.api.shapes.funds import Holding, Holdings, Instruction, Instructions, Lot
from bookrunner.db import Row, Within

_KEEPER = "registry"
_Limit = Annotated[int, Query(ge=1, le=PAGE)]


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of an offer's register, for keys of the registry."""
    router = Router(prefix="/v1/offers/{offer}")

    @router.get("/instructions", operation_id="list_instructions", tags=["instructions"])
    async def instructions(
        caller: Called,
        offer: OfferId,
        *,
        status: Annotated[str | None, Query(pattern="^[a-z_]{1,40}$")] = None,
        cursor: Cursor = None,
        limit: _Limit = 50,
    ) -> Instructions:
        """List the instructions to issue by id, each with the transaction that delivers it."""
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(
                of.issuance_instructions(offering=offer, status=status, after=place_of(cursor), most=limit)
            )

        rows = await gateway.read(caller, work)
        return {
            "instructions": [_instruction(row) for row in rows],
            "next": cursor_of(rows, "instruction_id", limit),
        }

    @router.get("/holdings", operation_id="list_holdings", tags=["holdings"])
    async def holdings(
        caller: Called,
        offer: OfferId,
        *,
        investor: InvestorId | None = None,
        cursor: Cursor = None,
        limit: _Limit = 50,
    ) -> Holdings:
        """List the master securityholder file by id, each holder with its lots and the linked wallet."""
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> tuple[list[Row], list[Row]]:
            required(of, offer)
            held = list(of.holdings(offering=offer, investor=investor, after=place_of(cursor), most=limit))
            return held, list(of.lots_of(offering=offer, holdings=[row["holding_id"] for row in held]))

        rows, lots = await gateway.read(caller, work)
        return {
            "holdings": [_holding(row, lots) for row in rows],
            "next": cursor_of(rows, "holding_id", limit),
        }

    return router


def _instruction(row: Row) -> Instruction:
    return {
        "id": row["instruction_id"],
        "investment": row["investment_id"],
        "investor": row["investor_id"],
        "closing": row["closing_id"],
        "status": row["status"],
        "units": str(row["units"]),
        "address": row["address"],
        "authorised_by": row["authorised_by"],
        "stopped_because": row["stopped_because"],
        "transaction": row["transaction_hash"],
        "version": str(row["version"]),
    }


def _holding(row: Row, lots: list[Row]) -> Holding:
    return {
        "id": row["holding_id"],
        "investor": row["investor_id"],
        "status": row["status"],
        "units": str(row["units"]),
        "wallet": row["address"],
        "lots": [_lot(lot) for lot in lots if lot["holding_id"] == row["holding_id"]],
        "version": str(row["version"]),
    }


def _lot(row: Row) -> Lot:
    free = row["free_on"]
    return {
        "id": row["lot_id"],
        "units": str(row["left_units"]),
        "acquired_on": row["acquired_on"].isoformat(),
        "legend": row["legend"],
        "free_on": None if free is None else free.isoformat(),
    }
