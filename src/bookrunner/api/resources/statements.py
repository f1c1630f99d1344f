"""What investors state against what compliance has on record: contradictions, and their acceptance."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from bookrunner.api.caller import Called, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.shapes import AcceptanceId, AcceptedStatement, InvestmentId, Withdrawn
from bookrunner.core.ids import new_id

_CREATED = 201


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of contradictions; the desk and compliance read them, compliance accepts."""
    router = APIRouter(prefix="/v1/investments/{investment}", tags=["statements"])

    @router.get("/contradictions", operation_id="list_contradictions")
    async def listed(caller: Called, investment: InvestmentId) -> dict[str, Any]:
        """List the statements of an investor that the record contradicts and nobody has accepted.

        Compliance is told the programme too, under which it decides on them.
        """
        await gateway.admitted(caller, "subscription", "compliance")
        rows = await gateway.read(caller, lambda of: list(of.contradictions(investment=investment)))
        found: dict[str, Any] = {"contradictions": [dict(row) for row in rows]}
        if caller.keeper == "compliance":
            found["programme"] = await gateway.read(caller, lambda of: str(of.programme()))
        return found

    @router.post("/acceptances", operation_id="accept_statement", status_code=_CREATED)
    async def accepted(write: Written, investment: InvestmentId, body: AcceptedStatement) -> Response:
        """Let a statement stand beside a fact of the record, for a reason, under the programme in force."""
        said = body.model_dump()
        answer = await gateway.write(
            write, "compliance", "accept_statement", investment=investment, acceptance=new_id("sac"), **said
        )
        answer.status_code = _CREATED
        return answer

    @router.post("/acceptances/{acceptance}/withdrawals", operation_id="withdraw_acceptance")
    async def withdrawn(
        write: Written, investment: InvestmentId, acceptance: AcceptanceId, body: Withdrawn
    ) -> Response:
        """Let the contradiction stand again, on the version that was seen."""
        return await gateway.write(
            write,
            "compliance",
            "withdraw_acceptance",
            investment=investment,
            acceptance=acceptance,
            because=body.because,
            programme=body.programme,
            version=write.decided_on,
        )

    return router
