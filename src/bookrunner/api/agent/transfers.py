"""Transfers of registered units: why they may not go, what was asked and what was decided."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field, StringConstraints

from bookrunner.api.caller import Called, Decided, Write, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import InvestorId, Label, OfferId, Price, Sha256, Shape, Units, money
from bookrunner.api.shapes.acts import TransferActed
from bookrunner.api.shapes.moments import Moment, instant
from bookrunner.api.shapes.papers import Transfer, TransferRefusals, TransferRule, Transfers
from bookrunner.books.registry import item_clock
from bookrunner.core.errors import UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201
_KEEPER = "registry"
_MOST = 200
_Id = Annotated[str, StringConstraints(pattern="^xfr_[0-9A-Za-z_]{1,64}$")]
_Holder = Annotated[InvestorId | None, Query()]


class Paper(Shape):
    """A paper that was presented, by its name and its SHA-256."""

    paper: Annotated[str, StringConstraints(pattern="^[a-z][a-z_]{2,60}$")]
    sha256: Sha256


_Papers = Annotated[list[Paper], Field(max_length=20)]


class NewTransfer(Shape):
    """What a holder asks for; a sale states its price, and papers may come later."""

    kind: Literal["sale", "gift", "inheritance", "trust"]
    route: Literal["agent", "holder"]
    seller: InvestorId
    buyer: InvestorId
    units: Units
    price: Price | None = None
    papers: _Papers = Field(default_factory=list)
    received_at: Moment | None = None


class MorePapers(Shape):
    """Papers that were missing."""

    papers: Annotated[list[Paper], Field(min_length=1, max_length=20)]


class Approval(Shape):
    """Until when the approval serves."""

    until: Moment


class Refusal(Shape):
    """How a request ends without an approval, and why."""

    outcome: Literal["returned", "rejected", "withdrawn"]
    reasons: Annotated[list[Label], Field(max_length=20)] = Field(default_factory=list)


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of an offer's transfers; all take a key of the registry."""
    router = Router(prefix="/v1/offers/{offer}", tags=["transfers"])
    _reads(router, gateway)
    _asks(router, gateway)
    _decides(router, gateway)
    return router


def _reads(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/transfer-refusals", operation_id="why_not_transfer")
    async def why(
        caller: Called, offer: OfferId, *, seller: InvestorId, buyer: InvestorId, units: Units
    ) -> TransferRefusals:
        """Return every rule that keeps these units from going now; none means that they may."""

        def work(of: Within) -> list[Row]:
            required(of, offer)
            parties = {"seller": seller, "buyer": buyer, "units": int(units)}
            return list(of.transfer_refusals(offering=offer, **parties))

        await gateway.admitted(caller, _KEEPER)
        rows = await gateway.read(caller, work)
        return {"may_go": not rows, "refusals": [_rule(row) for row in rows]}

    @router.get("/transfers", operation_id="list_transfers")
    async def listed(caller: Called, offer: OfferId, investor: _Holder = None) -> Transfers:
        """List the requests of an offer, or of one holder, those that wait first."""

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.transfers(offering=offer, investor=investor, transfer=None, most=_MOST))

        await gateway.admitted(caller, _KEEPER)
        return {"transfers": [_shown(row) for row in await gateway.read(caller, work)]}

    @router.get("/transfers/{transfer}", operation_id="read_transfer")
    async def one(caller: Called, offer: OfferId, transfer: _Id, response: Response) -> Transfer:
        """Return one request with its papers, what is missing and its clock."""

        def work(of: Within) -> list[Row]:
            return list(of.transfers(offering=offer, investor=None, transfer=transfer, most=1))

        await gateway.admitted(caller, _KEEPER)
        found = await gateway.read(caller, work)
        if not found:
            raise UnknownRecord("transfer_request_exists", f"there is no transfer {transfer} in {offer}")
        response.headers["ETag"] = f'"{found[0]["version"]}"'
        return _shown(found[0])


def _asks(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/transfers", operation_id="request_transfer", response_model=TransferActed, status_code=_CREATED
    )
    async def asked(write: Written, offer: OfferId, body: NewTransfer) -> Response:
        """Take a request of a holder with its papers; its clock runs from its receipt."""
        said: dict[str, object] = {"kind": body.kind, "route": body.route, "seller": body.seller}
        said |= {"buyer": body.buyer, "units": int(body.units)}
        if body.price is not None:
            price = body.price.exact()
            said |= {"price_minor": price.minor, "currency": price.currency.code}
        answer = await gateway.write(
            write,
            _KEEPER,
            "request_transfer",
            offering=offer,
            transfer=new_id("xfr"),
            said=json.dumps(said),
            papers=_written(body.papers),
            item=new_id("itm"),
            clock=json.dumps(item_clock(body.received_at)),
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/transfers/{transfer}/papers", operation_id="present_transfer_papers", response_model=TransferActed
    )
    async def papers(write: Decided, offer: OfferId, transfer: _Id, body: MorePapers) -> Response:
        """Add papers to a request, or present a returned one again; on the version that was seen."""
        return await _act(gateway, write, (offer, transfer, "papers"), papers=_written(body.papers))


def _decides(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/transfers/{transfer}/approve", operation_id="approve_transfer", response_model=TransferActed
    )
    async def approved(write: Decided, offer: OfferId, transfer: _Id, body: Approval) -> Response:
        """Approve a screened request for the wallets that are linked now; whoever asked does not."""
        return await _act(gateway, write, (offer, transfer, "approve"), until=body.until.isoformat())

    @router.post("/transfers/{transfer}/refuse", operation_id="refuse_transfer", response_model=TransferActed)
    async def refused(write: Decided, offer: OfferId, transfer: _Id, body: Refusal) -> Response:
        """Send a request back with what it lacks, reject it, or withdraw it for its holder."""
        return await _act(gateway, write, (offer, transfer, body.outcome), reasons=list(body.reasons))


async def _act(
    gateway: Gateway,
    write: Write,
    on: tuple[str, str, str],
    *,
    papers: str = "[]",
    until: str | None = None,
    reasons: list[str] | None = None,
) -> Response:
    offer, transfer, act = on
    return await gateway.write(
        write,
        _KEEPER,
        "act_on_transfer",
        offering=offer,
        transfer=transfer,
        version=write.decided_on,
        act=act,
        papers=papers,
        until=until,
        reasons=reasons or [],
        item=new_id("itm"),
        clock=json.dumps(item_clock(None)),
    )


def _written(papers: list[Paper]) -> str:
    return json.dumps([paper.model_dump() for paper in papers])


def _rule(row: Row) -> TransferRule:
    day = row["passes_on"]
    return {
        "rule": row["rule"],
        "detail": row["detail"],
        "passes_on": None if day is None else day.isoformat(),
    }


def _shown(row: Row) -> Transfer:
    price, until = row["price_minor"], row["approved_until"]
    return {
        "id": row["request_id"],
        "status": row["status"],
        "kind": row["kind"],
        "route": row["route"],
        "seller": row["seller_id"],
        "buyer": row["buyer_id"],
        "units": str(row["units"]),
        "price": None if price is None else money(price, row["currency"]),
        "papers": row["papers"],
        "missing": row["missing"],
        "reasons": row["reasons"],
        "asked_by": row["asked_by"],
        "asked_at": instant(row["asked_at"]),
        "due_on": row["due_on"].isoformat(),
        "decided_by": row["decided_by"],
        "approved_until": None if until is None else instant(until),
        "version": str(row["version"]),
    }
