"""Transfers of registered units: why they may not go, what was asked and what was decided."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field, StringConstraints

from bookrunner.adapters.chain import parse_address
from bookrunner.api.caller import Called, Caller, Decided, Write, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import InvestorId, Label, OfferId, Price, Sha256, Shape, Units, money
from bookrunner.api.shapes.acts import TransferActed
from bookrunner.api.shapes.moments import Moment, instant
from bookrunner.api.shapes.papers import Transfer, TransferRefusals, TransferRule, Transfers
from bookrunner.books.registry import item_clock
from bookrunner.core.errors import NotAllowed, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within
from bookrunner.db.pools.lanes import Value

_CREATED = 201
_KEEPER = "registry"
_MOST = 200
# What a holder is told of a transfer that nobody has asked for: its own side and the security's. More would
# say what compliance knows of somebody.
_OWN_SIDE = frozenset(
    {
        "units_are_positive",
        "security_is_not_paused",
        "seller_is_cleared",
        "seller_account_is_not_frozen",
        "seller_holds_the_units",
        "units_are_not_frozen",
        "holding_is_not_held",
        "lots_are_past_their_holding_period",
        "lock_up_is_over",
        "volume_is_within_its_window",
        "wallet_holds_the_units",
        "giver_wallet_is_effective",
    }
)
_UNEXPLAINED = frozenset({"seller_is_cleared"})
_Id = Annotated[str, StringConstraints(pattern="^xfr_[0-9A-Za-z_]{1,64}$")]
_Wallet = Annotated[str, StringConstraints(max_length=100)]
_Holder = Annotated[InvestorId | None, Query()]


class Paper(Shape):
    """A paper that was presented, by its name and its SHA-256."""

    paper: Annotated[str, StringConstraints(pattern="^[a-z][a-z_]{2,60}$")]
    sha256: Sha256


_Papers = Annotated[list[Paper], Field(max_length=20)]


class NewTransfer(Shape):
    """What a holder asks for; a sale states its price, and papers may come later.

    Of a holder with several wallets, ``from_wallet`` and ``to_wallet`` say which; without them it is the
    linked one. An ``own`` transfer goes from one wallet of the seller to another, which it names.
    ``coin`` is the contract of an accepted stablecoin: units and coin then go in one transaction, or not.
    """

    kind: Literal["sale", "gift", "inheritance", "trust", "own"]
    route: Literal["agent", "holder"]
    seller: InvestorId
    buyer: InvestorId
    units: Units
    price: Price | None = None
    from_wallet: _Wallet | None = None
    to_wallet: _Wallet | None = None
    coin: _Wallet | None = None
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
    """Return the routes of an offer's transfers.

    Those that decide take a key of the registry; a key of the portal asks, follows and withdraws for a
    holder, and one with the id of an investor as its name for that investor alone.
    """
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
        """Return every rule that keeps these units from going now; none means that they may.

        A key of the portal is told what its holder's own side lacks, and never that the units may go.
        """

        def work(of: Within) -> list[Row]:
            required(of, offer)
            parties = {"seller": seller, "buyer": buyer, "units": int(units)}
            return list(of.transfer_refusals(offering=offer, **parties))

        rows = await _looked(gateway, caller, seller, work)
        if caller.keeper == _KEEPER:
            return {"may_go": not rows, "refusals": [_rule(row) for row in rows]}
        own = [_unexplained(_rule(row)) for row in rows if row["rule"] in _OWN_SIDE]
        return {"may_go": False if own else None, "refusals": own}

    @router.get("/transfers", operation_id="list_transfers")
    async def listed(caller: Called, offer: OfferId, investor: _Holder = None) -> Transfers:
        """List the requests of an offer, or of one holder, those that wait first."""

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.transfers(offering=offer, investor=investor, transfer=None, most=_MOST))

        return {"transfers": [_shown(row) for row in await _looked(gateway, caller, investor, work)]}

    @router.get("/transfers/{transfer}", operation_id="read_transfer")
    async def one(
        caller: Called, offer: OfferId, transfer: _Id, response: Response, *, investor: _Holder = None
    ) -> Transfer:
        """Return one request with its papers, what is missing and its clock; of the holder that is named."""

        def work(of: Within) -> list[Row]:
            return list(of.transfers(offering=offer, investor=investor, transfer=transfer, most=1))

        found = await _looked(gateway, caller, investor, work)
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
        if body.received_at is not None and write.caller.keeper != _KEEPER:
            raise NotAllowed("agent_says_when_it_received", "the transfer agent alone names the moment")
        told: dict[str, Value] = {
            "offering": offer,
            "transfer": new_id("xfr"),
            "said": json.dumps(_said(body)),
            "papers": _written(body.papers),
            "item": new_id("itm"),
            "clock": json.dumps(item_clock(body.received_at)),
        }
        if write.caller.keeper == _KEEPER:
            answer = await gateway.write(write, _KEEPER, "request_transfer", **told)
        else:
            actor = await gateway.speaker(write.caller, body.seller)
            answer = await gateway.write_for(write, actor, _KEEPER, "take_transfer", **told)
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
        """Send a request back with what it lacks, reject it, or withdraw it for its holder.

        A key of the portal withdraws alone.
        """
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
    told: dict[str, Value] = {
        "offering": offer,
        "transfer": transfer,
        "version": write.decided_on,
        "act": act,
        "papers": papers,
        "item": new_id("itm"),
        "clock": json.dumps(item_clock(None)),
    }
    if write.caller.keeper != "portal":
        decided: dict[str, Value] = {"until": until, "reasons": reasons or []}
        return await gateway.write(write, _KEEPER, "act_on_transfer", **told, **decided)
    actor = await gateway.holder(write.caller)
    return await gateway.write_for(write, actor, _KEEPER, "act_for_holder", **told)


async def _looked(
    gateway: Gateway, caller: Caller, investor: str | None, work: Callable[[Within], list[Row]]
) -> list[Row]:
    if caller.keeper == "portal":
        await gateway.speaker(caller, investor)
        return await gateway.read_for(_KEEPER, work)
    await gateway.admitted(caller, _KEEPER)
    return await gateway.read(caller, work)


def _said(body: NewTransfer) -> dict[str, object]:
    said: dict[str, object] = {"kind": body.kind, "route": body.route, "seller": body.seller}
    said |= {"buyer": body.buyer, "units": int(body.units)}
    for place, written in (("from", body.from_wallet), ("to", body.to_wallet), ("coin", body.coin)):
        if written is not None:
            said[place] = parse_address(written).hex()
    if body.price is not None:
        price = body.price.exact()
        said |= {"price_minor": price.minor, "currency": price.currency.code}
    return said


def _written(papers: list[Paper]) -> str:
    return json.dumps([paper.model_dump() for paper in papers])


def _unexplained(rule: TransferRule) -> TransferRule:
    return {**rule, "detail": None} if rule["rule"] in _UNEXPLAINED else rule


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
        "from_wallet": row["from_wallet"],
        "to_wallet": row["to_wallet"],
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
