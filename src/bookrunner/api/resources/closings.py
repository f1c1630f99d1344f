"""The closings of an offer: what one would take, and freezing it."""

from __future__ import annotations

from typing import Protocol

from fastapi import APIRouter, Request, Response

from bookrunner.api.caller import Called, Decided
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import CaseDecision, CaseId, NewClosing, OfferId, money
from bookrunner.api.shapes.acts import Acted, ClosingFrozen
from bookrunner.api.shapes.answers import (
    Candidate,
    Closing,
    ClosingCase,
    ClosingCases,
    ClosingDryRun,
    Closings,
    hexed,
)
from bookrunner.api.shapes.moments import instant
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201


class Compare(Protocol):
    """Compares the books of an offer, and the chain where it answers."""

    def __call__(self, offering: str, *, actor: str) -> None:
        """Find, verify and open breaks."""
        ...


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of closings, and of those whom they left out."""
    router = Router(prefix="/v1/offers/{offer}", tags=["closings"])
    _cases(router, gateway)

    @router.get("/closings", operation_id="list_closings")
    async def every(caller: Called, offer: OfferId) -> Closings:
        """List the closings of an offer by number."""

        def work(of: Within) -> list[Row]:
            required(of, offer)
            found: list[Row] = of.closings(offering=offer)
            return found

        return {"closings": [_shown(row) for row in await gateway.read(caller, work)]}

    @router.post("/closings/dry_run", operation_id="dry_run_closing")
    async def dry_run(caller: Called, offer: OfferId, response: Response) -> ClosingDryRun:
        """Say who would be in a closing and what each one lacks; writes nothing.

        The ETag stands for exactly this list: a closing that names it is refused once the list has changed.
        """

        def work(of: Within) -> tuple[Row, list[Row], str]:
            # The version is read first, so that it never stands for more than the list shows.
            version: str = of.candidates_version(offering=offer)
            return required(of, offer), of.candidates(offering=offer), version

        found, rows, version = await gateway.read(caller, work)
        response.headers["ETag"] = f'"{version}"'
        return {
            "offer": offer,
            "candidates": [_candidate(row, found["currency"]) for row in rows],
            "ready": sum(not row["missing"] for row in rows),
            "version": version,
        }

    @router.post(
        "/closings", operation_id="freeze_closing", response_model=ClosingFrozen, status_code=_CREATED
    )
    async def frozen(write: Decided, request: Request, offer: OfferId, body: NewClosing) -> Response:
        """Freeze a closing of the list that a dry run showed; its issuance starts with it.

        The books are compared first, and the chain with them where its node answers; a repetition, or a list
        that has changed, compares nothing. Every member passes the gate in this transaction; otherwise
        nothing is frozen.
        """
        compare: Compare | None = request.app.state.compare
        if compare is not None:
            actor = await gateway.admitted(write.caller, "engine")
            on = {**write.claim, "offering": offer, "version": write.decided_on}
            if await gateway.read(write.caller, lambda of: bool(of.freeze_is_due(**on))):
                await gateway.run(lambda: compare(offer, actor=actor))
        chosen, named = (
            (body.members, None) if isinstance(body.members, str) else ("named", list(body.members))
        )
        answer = await gateway.write(
            write,
            "engine",
            "freeze_closing",
            offering=offer,
            version=write.decided_on,
            closing=new_id("cls"),
            chosen=chosen,
            investments=named,
        )
        answer.status_code = _CREATED
        return answer

    return router


def _cases(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/closing_cases", operation_id="list_closing_cases")
    async def every(caller: Called, offer: OfferId) -> ClosingCases:
        """List the investments that closings left out for want of a countersignature, oldest first."""

        def work(of: Within) -> list[Row]:
            required(of, offer)
            found: list[Row] = of.closing_cases(offering=offer)
            return found

        await gateway.admitted(caller, "engine", "audit")
        return {"closing_cases": [_case(row) for row in await gateway.read(caller, work)]}

    @router.post("/closing_cases/{case}/decisions", operation_id="decide_closing_case", response_model=Acted)
    async def decided(write: Decided, offer: OfferId, case: CaseId, body: CaseDecision) -> Response:
        """Decide whether it goes into the next closing or is refunded; on the version that was seen."""
        return await gateway.write(
            write,
            "engine",
            "decide_case",
            offering=offer,
            case=case,
            version=write.decided_on,
            status=body.status,
            because=body.because,
            evidence=body.evidence_sha256,
        )


def _case(row: Row) -> ClosingCase:
    return {
        "id": row["case_id"],
        "investment": row["investment_id"],
        "closing": row["closing_id"],
        "status": row["status"],
        "opened_at": instant(row["opened_at"]),
        "decided_by": row["decided_by"],
        "evidence_sha256": row["evidence_sha256"],
        "version": str(row["version"]),
    }


def _candidate(row: Row, currency: str) -> Candidate:
    return {
        "investment": row["investment_id"],
        "units": str(row["units"]),
        "amount": money(row["amount_minor"], currency),
        "missing": row["missing"],
    }


def _shown(row: Row) -> Closing:
    return {
        "id": row["closing_id"],
        "offer": row["offering_id"],
        "ordinal": row["ordinal"],
        "status": row["status"],
        "proposed_by": row["proposed_by"],
        "set_sha256": hexed(row["set_sha256"]),
        "certificate_sha256": hexed(row["certificate_sha256"]),
        "version": str(row["version"]),
    }
