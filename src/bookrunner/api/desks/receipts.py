"""Receipts of an offer: read, matched, sent back or undone by two people, confirmed as final by one."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import StringConstraints

from bookrunner.api.caller import Called, Decided
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import PAGE, BankStatementId, Because, InvestmentId, Nothing, OfferId, Shape, money
from bookrunner.api.shapes.cursors import Cursor, cursor_of, place_of
from bookrunner.api.shapes.funds import (
    Payment,
    Payments,
    Receipt,
    ReceiptActed,
    ReceiptCleared,
    ReceiptProposal,
    Receipts,
    Refund,
    Refunds,
)
from bookrunner.core.errors import Malformed, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201
_KEEPER = "treasury"
_ReceiptId = Annotated[str, StringConstraints(pattern="^rcp_[0-9A-Za-z_]{1,64}$")]
_ProposalId = Annotated[str, StringConstraints(pattern="^prp_[0-9A-Za-z_]{1,64}$")]
_Status = Annotated[str | None, Query(pattern="^[a-z_]{1,40}$")]
_Limit = Annotated[int, Query(ge=1, le=PAGE)]


class NewReceiptAct(Shape):
    """What is to be done with a receipt, and why; a match names the investment that it funds."""

    act: Literal["match", "undo", "accept_source", "refund", "redeem"]
    investment: InvestmentId | None = None
    because: Because


class ReceiptDecision(Shape):
    """Whether what was proposed is done; a refusal has its reason."""

    approved: bool
    because: Because | None = None


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of an offer's money, for keys of the treasury."""
    router = Router(prefix="/v1/offers/{offer}")
    _reads(router, gateway)
    _lists(router, gateway)
    _decides(router, gateway)
    return router


def _reads(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/receipts", operation_id="list_receipts", tags=["receipts"])
    async def listed(
        caller: Called,
        offer: OfferId,
        *,
        status: _Status = None,
        investment: InvestmentId | None = None,
        bank_statement: BankStatementId | None = None,
        cursor: Cursor = None,
        limit: _Limit = 50,
    ) -> Receipts:
        """List what arrived for an offer by id, with the proposal that waits for each."""
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            where = {"status": status, "investment": investment, "receipt": None, "statement": bank_statement}
            return list(of.receipts(offering=offer, after=place_of(cursor), most=limit, **where))

        rows = await gateway.read(caller, work)
        return {"receipts": [_receipt(row) for row in rows], "next": cursor_of(rows, "receipt_id", limit)}

    @router.get("/receipts/{receipt}", operation_id="get_receipt", tags=["receipts"])
    async def one(caller: Called, offer: OfferId, receipt: _ReceiptId, response: Response) -> Receipt:
        """Return one receipt; its ETag is the version that a proposal or a confirmation is made on."""
        await gateway.admitted(caller, _KEEPER)
        named = {"receipt": receipt, "status": None, "investment": None, "statement": None}
        rows = await gateway.read(
            caller, lambda of: list(of.receipts(offering=offer, after=None, most=1, **named))
        )
        if not rows:
            raise UnknownRecord("receipt_exists", f"there is no receipt {receipt} in {offer}")
        response.headers["ETag"] = f'"{rows[0]["version"]}"'
        return _receipt(rows[0])


def _lists(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/payments", operation_id="list_payments", tags=["payments"])
    async def payments(
        caller: Called,
        offer: OfferId,
        *,
        status: _Status = None,
        investment: InvestmentId | None = None,
        cursor: Cursor = None,
        limit: _Limit = 50,
    ) -> Payments:
        """List the attempts of investors to pay by id, with reference, what is due and what came."""
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            where = {"status": status, "investment": investment}
            return list(of.payments(offering=offer, after=place_of(cursor), most=limit, **where))

        rows = await gateway.read(caller, work)
        return {"payments": [_payment(row) for row in rows], "next": cursor_of(rows, "attempt_id", limit)}

    @router.get("/refunds", operation_id="list_refunds", tags=["refunds"])
    async def refunds(
        caller: Called, offer: OfferId, *, status: _Status = None, cursor: Cursor = None, limit: _Limit = 50
    ) -> Refunds:
        """List what goes back by id: why, in which payout, and what the bank said of it."""
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.refunds(offering=offer, status=status, after=place_of(cursor), most=limit))

        rows = await gateway.read(caller, work)
        return {"refunds": [_refund(row) for row in rows], "next": cursor_of(rows, "refund_id", limit)}


def _decides(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/receipts/{receipt}/proposals",
        operation_id="propose_on_receipt",
        tags=["receipts"],
        response_model=ReceiptActed,
        status_code=_CREATED,
    )
    async def proposed(write: Decided, offer: OfferId, receipt: _ReceiptId, body: NewReceiptAct) -> Response:
        """Propose what is done with a receipt on the version that was seen; another person decides."""
        if (body.act == "match") is not (body.investment is not None):
            raise Malformed(
                "proposed_match_names_its_investment", "a match names an investment, no other act does"
            )
        answer = await gateway.write(
            write,
            _KEEPER,
            "propose_on_receipt",
            offering=offer,
            receipt=receipt,
            version=write.decided_on,
            proposal=new_id("prp"),
            act=body.act,
            investment=body.investment,
            because=body.because,
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/receipts/{receipt}/proposals/{receipt_proposal}/decisions",
        operation_id="decide_on_receipt",
        tags=["receipts"],
        response_model=ReceiptActed,
    )
    async def decided(
        write: Decided,
        offer: OfferId,
        receipt: _ReceiptId,
        *,
        receipt_proposal: _ProposalId,
        body: ReceiptDecision,
    ) -> Response:
        """Carry a proposal out, or decline it, on its version; whoever proposed it may only decline."""
        return await gateway.write(
            write,
            _KEEPER,
            "decide_on_receipt",
            offering=offer,
            receipt=receipt,
            version=write.decided_on,
            proposal=receipt_proposal,
            is_approved=body.approved,
            because=body.because or "",
        )

    @router.post(
        "/receipts/{receipt}/clear",
        operation_id="clear_receipt",
        tags=["receipts"],
        response_model=ReceiptCleared,
    )
    async def cleared(
        write: Decided, offer: OfferId, receipt: _ReceiptId, _: Nothing | None = None
    ) -> Response:
        """Confirm a matched receipt as final on the version that was seen, before its rail makes it so."""
        return await gateway.write(
            write, _KEEPER, "clear_receipt", offering=offer, receipt=receipt, version=write.decided_on
        )


def _receipt(row: Row) -> Receipt:
    clears = row["clears_on"]
    return {
        "id": row["receipt_id"],
        "status": row["status"],
        "amount": money(row["amount_minor"], row["currency"]),
        "rail": row["rail"],
        "booked_on": row["booked_on"].isoformat(),
        "value_on": row["value_on"].isoformat(),
        "clears_on": None if clears is None else clears.isoformat(),
        "reference": row["claimed_reference"],
        "exception": row["exception"],
        "investment": row["investment_id"],
        "payment": row["attempt_id"],
        "statement": row["statement_id"],
        "part_of": row["root_id"],
        "return_code": row["return_code"],
        "proposal": None if row["proposal_id"] is None else _proposal(row),
        "version": str(row["version"]),
    }


def _proposal(row: Row) -> ReceiptProposal:
    return {
        "id": row["proposal_id"],
        "act": row["act"],
        "investment": row["proposed_investment"],
        "because": row["because"],
        "proposed_by": row["proposed_by"],
        "version": str(row["proposal_version"]),
    }


def _payment(row: Row) -> Payment:
    return {
        "id": row["attempt_id"],
        "investment": row["investment_id"],
        "investor": row["investor_id"],
        "attempt": row["attempt_no"],
        "status": row["status"],
        "reference": row["reference"],
        "due": money(row["due_minor"], row["currency"]),
        "received": money(row["received_minor"], row["currency"]),
        "failed_rail": row["failed_rail"],
        "failed_code": row["failed_code"],
        "version": str(row["version"]),
    }


def _refund(row: Row) -> Refund:
    return {
        "id": row["refund_id"],
        "receipt": row["receipt_id"],
        "status": row["status"],
        "amount": money(row["amount_minor"], row["currency"]),
        "reason": row["reason"],
        "tries": row["try_no"],
        "payout": row["payout_id"],
        "bounce_code": row["bounce_code"],
        "version": str(row["version"]),
    }
