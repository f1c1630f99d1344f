"""The board of an offer, and what both holders of a sale against a coin sign."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import StringConstraints

from bookrunner.adapters.chain import Call, checksum, parse_address
from bookrunner.api.caller import Called, Write, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import InvestorId, OfferId, Price, Shape, Units, money
from bookrunner.api.shapes.acts import InterestActed
from bookrunner.api.shapes.funds import Board, Interest, Prepared, Swap
from bookrunner.api.shapes.onboarding import Day
from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201
_KEEPER = "registry"
_MOST = 200
# What is no address is refused as wherever one is typed.
_REFUSED: dict[int | str, dict[str, Any]] = {409: {}}
_Interest = Annotated[str, StringConstraints(pattern="^itr_[0-9A-Za-z_]{1,64}$")]
_Transfer = Annotated[str, StringConstraints(pattern="^xfr_[0-9A-Za-z_]{1,64}$")]
_Holder = Annotated[InvestorId | None, Query()]
_Address = Annotated[str, Query(max_length=100)]


class NewInterest(Shape):
    """What an investor would buy or sell, at which price of one unit, until the end of which day in UTC."""

    investor: InvestorId
    side: Literal["buy", "sell"]
    units: Units
    price: Price
    ends_on: Day


class Taker(Shape):
    """Who takes an interest, or whose it is."""

    investor: InvestorId


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of an offer's board and of its swaps.

    A key of the registry reads who posted; one of the portal acts for a holder, and one with the id of an
    investor as its name for that investor alone, who sees no other's name.
    """
    router = Router(prefix="/v1/offers/{offer}", tags=["transfers"])
    _reads(router, gateway)
    _acts(router, gateway)
    return router


def _reads(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/interests", operation_id="list_interests")
    async def board(caller: Called, offer: OfferId, investor: _Holder = None) -> Board:
        """List what stands on the board; for the registry each with its poster and what became of it."""

        def work(of: Within) -> list[Row]:
            required(of, offer)
            market = of.using(registry.market_queries())
            if caller.keeper == _KEEPER:
                return list(market.interests(offering=offer, most=_MOST))
            return list(market.board(offering=offer, investor=investor, most=_MOST))

        if caller.keeper == _KEEPER:
            await gateway.admitted(caller, _KEEPER)
            return {"interests": [_told(row) for row in await gateway.read(caller, work)]}
        await gateway.speaker(caller, investor)
        return {"interests": [_shown(row) for row in await gateway.read_for(_KEEPER, work)]}

    @router.get("/transfers/{transfer}/swap", operation_id="prepare_swap", responses=_REFUSED)
    async def swap(
        caller: Called,
        offer: OfferId,
        transfer: _Transfer,
        contract: _Address,
        *,
        number: Annotated[int | None, Query(ge=0, le=2**53)] = None,
        investor: _Holder = None,
    ) -> Swap:
        """Return the calls that seller and buyer of an approved sale against a coin sign, in their order.

        ``contract`` is a ``DVDTransferManager`` of the token suite; nothing is signed or sent here. With
        ``number``, its ``txNonce`` when the seller's offer was mined, the buyer's last call is there too.
        """
        manager = parse_address(contract)

        def work(of: Within) -> Row:
            market = of.using(registry.market_queries())
            return registry.legs_of(market, (offer, transfer), investor=investor)

        if caller.keeper == _KEEPER:
            await gateway.admitted(caller, _KEEPER)
            legs = await gateway.read(caller, work)
        else:
            await gateway.speaker(caller, investor)
            legs = await gateway.read_for(_KEEPER, work)
        prepared = registry.swap_over(legs, manager)
        return {
            "transfer": transfer,
            "chain": legs["chain_id"],
            "seller": {"wallet": checksum(prepared.maker), "calls": _calls(prepared.offered())},
            "buyer": {"wallet": checksum(prepared.taker), "calls": _calls(prepared.taken(number))},
            "name": None if number is None else "0x" + prepared.name(number).hex(),
        }


def _acts(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/interests", operation_id="post_interest", response_model=InterestActed, status_code=_CREATED
    )
    async def posted(write: Written, offer: OfferId, body: NewInterest) -> Response:
        """Post what an investor would buy or sell; others see it without its name."""
        price = body.price.exact()
        said = {"side": body.side, "investor": body.investor, "units": int(body.units)}
        said |= {"price_minor": price.minor, "currency": price.currency.code}
        said |= {"ends_on": body.ends_on}
        answer = await _act(gateway, write, (offer, new_id("itr"), "post"), said)
        answer.status_code = _CREATED
        return answer

    @router.post("/interests/{interest}/matches", operation_id="match_interest", response_model=InterestActed)
    async def matched(write: Written, offer: OfferId, interest: _Interest, body: Taker) -> Response:
        """Take an interest as a whole: a transfer is asked for, and goes its way."""
        try:
            return await _act(gateway, write, (offer, interest, "match"), {"investor": body.investor})
        except Refused as refused:
            raise registry.match_refused(refused) from None

    @router.post(
        "/interests/{interest}/withdraw", operation_id="withdraw_interest", response_model=InterestActed
    )
    async def withdrawn(write: Written, offer: OfferId, interest: _Interest, body: Taker) -> Response:
        """Take an interest of an investor off the board."""
        return await _act(gateway, write, (offer, interest, "withdraw"), {"investor": body.investor})


async def _act(gateway: Gateway, write: Write, on: tuple[str, str, str], said: dict[str, object]) -> Response:
    offer, interest, act = on
    actor = await gateway.speaker(write.caller, str(said["investor"]))
    return await gateway.write_for(
        write,
        actor,
        _KEEPER,
        "act_on_interest",
        offering=offer,
        interest=interest,
        act=act,
        said=json.dumps(said),
        transfer=new_id("xfr"),
        item=new_id("itm"),
        clock=json.dumps(registry.item_clock(None)),
    )


def _shown(row: Row) -> Interest:
    return {
        "id": row["interest_id"],
        "side": row["side"],
        "units": str(row["units"]),
        "price": money(row["price_minor"], row["currency"]),
        "ends_on": row["ends_on"].isoformat(),
        "is_own": row["is_own"],
        "status": "posted",
        "investor": None,
        "matched_with": None,
        "transfer": None,
    }


def _told(row: Row) -> Interest:
    return _shown({**row, "is_own": False}) | {
        "status": row["status"],
        "investor": row["investor_id"],
        "matched_with": row["matched_with"],
        "transfer": row["request_id"],
    }


def _calls(calls: list[Call]) -> list[Prepared]:
    return [{"to": checksum(call.to), "data": "0x" + call.data.hex()} for call in calls]
