"""Investments: their stages and missing conditions, and the acts that gates guard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query, Response

from bookrunner.api.caller import Called, Decided, Versioned, Write, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import PlainAct, Router
from bookrunner.api.shapes import (
    PAGE,
    AllocationId,
    Because,
    Decision,
    InvestmentId,
    NewAllocation,
    NewInvestment,
    Nothing,
    OfferId,
    Shape,
    money,
    version_of,
)
from bookrunner.api.shapes.acts import Acted, InvestmentActed
from bookrunner.api.shapes.answers import (
    CancellationRight,
    Investment,
    Investments,
    InvestorNotice,
    InvestorNotices,
)
from bookrunner.api.shapes.cursors import Cursor, cursor_of, place_of
from bookrunner.api.shapes.moments import instant
from bookrunner.core.errors import UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row
from bookrunner.engine.gates import STAGES, stage_reached

PREFIX = "/v1/investments"
_CREATED = 201
_TOLD = ("engine", "portal")
_DECISIONS = {"confirm_investment_legally"}


class Reason(Shape):
    """Why a person does what nobody asked for."""

    because: Because


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of investments."""
    router = Router(prefix=PREFIX, tags=["investments"])
    _lookups(router, gateway)
    _told(router, gateway)
    _acts(router, gateway)
    _allocations(router, gateway)
    return router


def _lookups(router: APIRouter, gateway: Gateway) -> None:
    @router.get("", operation_id="list_investments")
    async def every(
        caller: Called,
        *,
        offer: OfferId,
        status: Annotated[str | None, Query(pattern="^[a-z_]{1,40}$")] = None,
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = 50,
    ) -> Investments:
        """List the investments of an offer by id; ``next`` is the cursor that continues, null at the end."""
        after = place_of(cursor)
        rows: list[Row] = await gateway.read(
            caller, lambda of: of.investments(offering=offer, after=after, status=status, most=limit)
        )
        return {
            "investments": [_shown(row) for row in rows],
            "next": cursor_of(rows, "investment_id", limit),
        }

    @router.get("/{investment}", operation_id="get_investment")
    async def one(caller: Called, investment: InvestmentId, response: Response) -> Investment:
        """Return one investment with its stages and what it misses, from whom, since when."""
        row = await gateway.read(caller, lambda of: of.investment(investment=investment))
        if row is None:
            raise UnknownRecord("investment_exists", f"there is no {investment}")
        response.headers["ETag"] = f'"{version_of(row)}"'
        return _shown(row)


def _told(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/{investment}/notices", operation_id="list_investor_notices")
    async def notices(caller: Called, investment: InvestmentId) -> InvestorNotices:
        """List what was told to the investor about the offer, the newest first; mail only points to it."""
        await gateway.admitted(caller, *_TOLD)
        rows: list[Row] = await gateway.read(caller, lambda of: of.investor_notices(investment=investment))
        return {"notices": [_notice(row) for row in rows]}

    @router.get("/{investment}/cancellation", operation_id="get_cancellation_right")
    async def cancellation(caller: Called, investment: InvestmentId) -> CancellationRight:
        """Return until when the investor may cancel without anybody's consent, and by which rule."""
        await gateway.admitted(caller, *_TOLD)
        row = await gateway.read(caller, lambda of: of.cancellation_right(investment=investment))
        if row is None:
            raise UnknownRecord("investment_exists", f"there is no {investment}")
        return {
            "investment": investment,
            "rule": row["rule_id"],
            "status": row["status"],
            "ends_at": None if row["ends_at"] is None else instant(row["ends_at"]),
            "is_last_word": row["is_last_word"],
            "is_open": row["is_open"],
        }


def _notice(row: Row) -> InvestorNotice:
    return {
        "id": row["notice_id"],
        "code": row["code"],
        "sentence": row["sentence"],
        "citation": row["citation"],
        "is_required": row["is_required"],
        "status": row["status"],
        "written_at": instant(row["written_at"]),
        "sent_at": None if row["sent_at"] is None else instant(row["sent_at"]),
    }


def _acts(router: APIRouter, gateway: Gateway) -> None:
    @router.post("", operation_id="open_investment", response_model=Acted, status_code=_CREATED)
    async def opened(write: Written, body: NewInvestment) -> Response:
        """Open an investment; its units are reserved against the offer."""
        answer = await gateway.write(
            write,
            "engine",
            "open_investment",
            offering=body.offer,
            investment=new_id("inv"),
            investor=body.investor,
            units=int(body.units),
        )
        answer.status_code = _CREATED
        return answer

    for path, act in plain_acts(gateway).items():
        router.post(f"/{{investment}}/{path}", operation_id=act.__name__, response_model=Acted)(
            _documented(act)
        )

    @router.post(
        "/{investment}/cancellation_decisions", operation_id="decide_cancellation", response_model=Acted
    )
    async def decided(write: Decided, investment: InvestmentId, body: Decision) -> Response:
        """Grant a requested cancellation, or deny it and return to the remembered status."""
        name = "grant_cancellation" if body.granted else "deny_cancellation"
        return await gateway.write(
            write,
            "engine",
            "act_on_investment",
            investment=investment,
            version=write.decided_on,
            act=name,
            because=body.because,
        )

    @router.post("/{investment}/cancellations", operation_id="cancel_investment", response_model=Acted)
    async def cancelled(write: Decided, investment: InvestmentId, body: Reason) -> Response:
        """End an investment that nobody asked to end; its money goes back to where it came from."""
        return await gateway.write(
            write,
            "engine",
            "act_on_investment",
            investment=investment,
            version=write.decided_on,
            act="cancel",
            because=body.because,
        )


def plain_acts(gateway: Gateway) -> dict[str, PlainAct]:
    """Return the acts on one investment that need no body, each under the last part of its path."""

    async def act(write: Write, investment: str, name: str, version: str | None) -> Response:
        return await gateway.write(
            write,
            "engine",
            "act_on_investment",
            investment=investment,
            version=version,
            act=name,
            because=None,
        )

    async def confirm_investment(write: Write, investment: str) -> Response:
        """Submit the review step; profile, compliance and the signed packet hold at this moment."""
        return await act(write, investment, "confirm", write.version)

    async def confirm_investment_legally(write: Write, investment: str) -> Response:
        """Confirm legally what is executed and allocated, on the version that was seen."""
        return await act(write, investment, "confirm_legally", write.decided_on)

    async def withdraw_investment(write: Write, investment: str) -> Response:
        """End an investment that the investor has not confirmed yet."""
        return await act(write, investment, "withdraw", write.version)

    async def request_cancellation(write: Write, investment: str) -> Response:
        """Ask for the cancellation of a confirmed investment."""
        return await act(write, investment, "request_cancellation", write.version)

    return {
        "confirm": confirm_investment,
        "confirm_legally": confirm_investment_legally,
        "withdraw": withdraw_investment,
        "cancellation_requests": request_cancellation,
    }


def _documented(act: PlainAct) -> Callable[..., Awaitable[Response]]:
    """Return the act with the parameters that a route reads, checks and documents."""

    async def routed(write: Versioned, investment: InvestmentId, _: Nothing | None = None) -> Response:
        return await act(write, investment)

    if act.__name__ in _DECISIONS:
        routed.__annotations__["write"] = Decided
    routed.__doc__ = act.__doc__
    routed.__name__ = act.__name__
    return routed


def _allocations(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/{investment}/allocations",
        operation_id="propose_allocation",
        response_model=InvestmentActed,
        status_code=_CREATED,
    )
    async def proposed(write: Written, investment: InvestmentId, body: NewAllocation) -> Response:
        """Propose the units of an investment; a second key approves them."""
        answer = await gateway.write(
            write,
            "subscription",
            "propose_allocation",
            investment=investment,
            approval=new_id("alc"),
            units=int(body.units),
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/{investment}/allocations/{allocation}/approve",
        operation_id="approve_allocation",
        response_model=InvestmentActed,
    )
    async def approved(
        write: Decided, investment: InvestmentId, allocation: AllocationId, _: Nothing | None = None
    ) -> Response:
        """Approve a proposed allocation on the version that was seen; its proposer may not."""
        return await gateway.write(
            write,
            "subscription",
            "approve_allocation",
            investment=investment,
            approval=allocation,
            version=write.decided_on,
        )


def _shown(row: Row) -> Investment:
    return {
        "id": row["investment_id"],
        "offer": row["offering_id"],
        "investor": row["investor_id"],
        "units": str(row["units"]),
        "amount": money(row["amount_minor"], row["currency"]),
        "status": row["status"],
        "stage": stage_reached(row["holds"]),
        "stages": {name: row[name] for name in STAGES},
        "missing": row["missing"],
        "received": money(row["received_minor"], row["currency"]),
        "cleared": money(row["cleared_minor"], row["currency"]),
        "issuance": {
            "state": row["issuance_state"],
            "is_stopped": row["issuance_is_stopped"],
            "is_held": row["holding_is_held"],
        },
        "closing": row["closing_id"],
        "version": version_of(row),
    }
