"""Offers, and the open breaks of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import PAGE, Because, Move, NewOffer, OfferId, Shape, money
from bookrunner.api.shapes.acts import OfferActed
from bookrunner.api.shapes.answers import Offer, Offers
from bookrunner.api.shapes.decided import Break, Breaks
from bookrunner.api.shapes.moments import instant
from bookrunner.core.credentials import ISSUER, KEEPERS
from bookrunner.core.errors import UnknownRecord
from bookrunner.core.identity import isin
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201


class Review(Shape):
    """What counsel says of the terms of an offer."""

    accepted: bool
    because: Because


class Failure(Shape):
    """How an offer ends without success, and why."""

    ended_as: Literal["withdrawn", "halted"]
    because: Because


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of offers."""
    router = Router(prefix="/v1/offers", tags=["offers"])

    @router.get("", operation_id="list_offers")
    async def every(
        caller: Called, after: OfferId | None = None, limit: Annotated[int, Query(ge=1, le=PAGE)] = 50
    ) -> Offers:
        """List offers by id; ``next`` continues the list as ``after``, and is null at its end."""
        rows = await gateway.read(caller, lambda of: listed(of, caller.keeper)(after=after, most=limit))
        return {"offers": [shown(row) for row in rows], "next": _next(rows, limit)}

    @router.post("", operation_id="open_offer", response_model=OfferActed, status_code=_CREATED)
    async def opened(write: Written, body: NewOffer) -> Response:
        """Open an offer as a draft."""
        offer, price = new_id("ofr"), body.unit_price.exact()
        terms = body.model_dump(mode="json", exclude={"issuer", "unit_price", "isin"}, exclude_none=True)
        terms["isin"] = None if body.isin is None else isin(body.isin)
        priced = {"unit_price_minor": price.minor, "currency": price.currency.code, "issuer_id": body.issuer}
        answer = await gateway.write(
            write, "engine", "open_offer", offering=offer, terms=json.dumps(terms | priced)
        )
        answer.status_code = _CREATED
        return answer

    @router.get("/{offer}", operation_id="get_offer")
    async def one(caller: Called, offer: OfferId, response: Response) -> Offer:
        """Return one offer."""
        found = await gateway.read(caller, lambda of: required(of, offer, caller.keeper))
        response.headers["ETag"] = f'"{found["version"]}"'
        return shown(found)

    @router.post("/{offer}/moves", operation_id="move_offer", response_model=OfferActed)
    async def moved(write: Decided, offer: OfferId, body: Move) -> Response:
        """Move an offer along its machine, from the version that was seen."""
        return await gateway.write(
            write, "engine", "move_offer", offering=offer, version=write.decided_on, status=body.to
        )

    @router.get("/{offer}/breaks", operation_id="list_breaks")
    async def breaks(caller: Called, offer: OfferId) -> Breaks:
        """List the open breaks of an offer, the oldest first.

        ``answer`` is told to the keeper that owns a break, the engine and audit, and null to others.
        """

        def work(of: Within) -> list[Row]:
            required(of, offer)
            found: list[Row] = of.breaks(offering=offer, keeper=caller.keeper)
            return found

        await gateway.admitted(caller, *KEEPERS)
        return {"breaks": [_break(row) for row in await gateway.read_for("engine", work)]}

    _decisions(router, gateway)
    return router


def _decisions(router: APIRouter, gateway: Gateway) -> None:
    @router.post("/{offer}/reviews", operation_id="review_offer", response_model=OfferActed)
    async def reviewed(write: Decided, offer: OfferId, body: Review) -> Response:
        """Accept or decline the terms of an offer, as a person who did not draft them."""
        return await gateway.write(
            write,
            "engine",
            "review_offer",
            offering=offer,
            version=write.decided_on,
            is_accepted=body.accepted,
            because=body.because,
        )

    @router.post("/{offer}/failures", operation_id="fail_offer", response_model=OfferActed)
    async def failed(write: Decided, offer: OfferId, body: Failure) -> Response:
        """End an offer without success; every investor is refunded in full."""
        return await gateway.write(
            write,
            "engine",
            "fail_offer",
            offering=offer,
            version=write.decided_on,
            ended_as=body.ended_as,
            because=body.because,
        )


def listed(of: Within, keeper: str) -> Callable[..., list[Row]]:
    """Return the lookup of offers for a login: an issuer has its own alone."""
    found: Callable[..., list[Row]] = of.issuer_offers if keeper == ISSUER else of.offers
    return found


def required(of: Within, offer: str, keeper: str = "") -> Row:
    """Return an offer, of an issuer its own alone; raises UnknownRecord."""
    lookup = of.issuer_offer if keeper == ISSUER else of.offer
    found: Row | None = lookup(offering=offer)
    if found is None:
        raise UnknownRecord("offer_exists", f"there is no {offer}")
    return found


def shown(row: Row) -> Offer:
    """Write an offer as an answer shows it."""
    return {
        "id": row["offering_id"],
        "issuer": row["issuer_id"],
        "name": row["name"],
        "exemption": row["exemption"],
        "unit_price": money(row["unit_price_minor"], row["currency"]),
        "units_total": str(row["units_total"]),
        "minimum_units": str(row["minimum_units"]),
        "isin": row["isin"],
        "agreement_form": row["agreement_form"],
        "status": row["status"],
        "chain_id": row["chain_id"],
        "token": _address(row["token_address"]),
        "treasury": _address(row["treasury_address"]),
        "version": str(row["version"]),
    }


def _next(rows: list[Row], limit: int) -> str | None:
    return rows[-1]["offering_id"] if len(rows) == limit else None


def _address(raw: bytes | None) -> str | None:
    return None if raw is None else f"0x{bytes(raw).hex()}"


def _break(row: Row) -> Break:
    return {
        "id": row["break_id"],
        "comparison": row["comparison"],
        "subject": row["subject_id"],
        "kind": row["kind"],
        "left": row["left_value"],
        "right": row["right_value"],
        "owner": row["owner"],
        "since": instant(row["since"]),
        "status": row["status"],
        "assigned_to": row["assigned_to"],
        "answer": row["answer"],
        "version": str(row["version"]),
    }
