"""Buy-backs of a class: proposed on the issuer's paper, opened by another person, answered by holders."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import Because, InvestorId, Label, OfferId, Price, Sha256, Shape, money
from bookrunner.api.shapes.moments import Moment, instant
from bookrunner.api.shapes.servicing.actions import (
    Buyback,
    BuybackActed,
    Buybacks,
    LineRelease,
    LineReleases,
    TenderActed,
)
from bookrunner.api.shapes.servicing.payments import ServicingActed
from bookrunner.core.errors import Malformed
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201
_READERS = ("registry", "engine", "audit")
_KEEPER = "registry"
_BuybackId = Annotated[str, StringConstraints(pattern="^bbk_[0-9A-Za-z_]{1,64}$")]
_LineReleaseId = Annotated[str, StringConstraints(pattern="^lnr_[0-9A-Za-z_]{1,64}$")]
_Units = Annotated[int, Field(ge=1, le=10**15)]
# A match is nobody's to read but the officer's.
_OPEN_CHECK = "check_is_not_finished"


class NewBuyback(Shape):
    """What is bought back at a price for one unit; of a redemption everything when no limit is named."""

    kind: Literal["tender", "redemption"]
    price: Price
    most_units: _Units | None = None
    most_money: Price | None = None
    periods_bind: bool = False
    opens_at: Moment
    closes_at: Moment
    authority_sha256: Sha256
    authority_reference: Label


class BuybackDecision(Shape):
    """A word on a buy-back: a second person opens or declines it; it is accepted pro rata, or given up."""

    decision: Literal["approved", "declined", "accepted", "abandoned"]
    because: Because | None = None


class NewTender(Shape):
    """What a holder offers, with the paper on which it says so; 0 units take its offer back."""

    investor: InvestorId
    units: Annotated[int, Field(ge=0, le=10**15)]
    paper_sha256: Sha256 | None = None


class NewLineRelease(Shape):
    """The holder whose line nobody can cancel, and why it is let go."""

    investor: InvestorId
    because: Because


class LineReleaseDecision(Shape):
    """A second person's word, with its reason."""

    decision: Literal["released", "declined"]
    because: Because


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of buy-backs: read by registry, engine and audit, written by the agent."""
    router = Router(prefix="/v1/offers/{offer}/buybacks", tags=["buybacks"])
    _buybacks(router, gateway)
    _tender(router, gateway)
    _releases(router, gateway)
    return router


def _buybacks(router: APIRouter, gateway: Gateway) -> None:

    @router.get("", operation_id="list_buybacks")
    async def listed(caller: Called, offer: OfferId) -> Buybacks:
        """List the buy-backs of an offer, the newest first, with what is offered, accepted and left."""
        await gateway.admitted(caller, *_READERS)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.buybacks(offering=offer))

        rows = await gateway.read(caller, work)
        return {"buybacks": [_shown(row) for row in rows]}

    @router.post("", operation_id="propose_buyback", status_code=_CREATED, response_model=BuybackActed)
    async def proposed(write: Written, offer: OfferId, body: NewBuyback) -> Response:
        """Propose a buy-back on the issuer's authority; another person opens it.

        Refuses ``one_buyback_is_under_way``, ``buyback_states_its_limit``, ``bought_money_pays_a_unit``,
        ``buyback_window_ends_after_it_opens`` and ``buyback_price_is_in_the_currency_of_the_offer``.
        """
        price = body.price.exact()
        most = None if body.most_money is None else body.most_money.exact()
        if most is not None and most.currency != price.currency:
            raise Malformed(
                "buyback_price_is_in_the_currency_of_the_offer", "price and limit have one currency"
            )
        asked = {
            "kind": body.kind,
            "price_minor": price.minor,
            "currency": price.currency.code,
            "most_units": body.most_units,
            "most_minor": None if most is None else most.minor,
            "periods_bind": body.periods_bind,
            "opens_at": instant(body.opens_at),
            "closes_at": instant(body.closes_at),
            "authority_sha256": body.authority_sha256,
            "authority_reference": body.authority_reference,
        }
        answer = await gateway.write(
            write, _KEEPER, "propose_buyback", offering=offer, buyback=new_id("bbk"), terms=json.dumps(asked)
        )
        answer.status_code = _CREATED
        return answer

    @router.post("/{buyback}/decisions", operation_id="decide_buyback", response_model=BuybackActed)
    async def decided(write: Decided, offer: OfferId, buyback: _BuybackId, body: BuybackDecision) -> Response:
        """Open, decline, accept or abandon a buy-back on its version.

        Refuses ``buyback_needs_two_people``, ``window_is_over_before_acceptance``, ``something_is_offered``,
        ``whoever_tenders_for_another_accepts_nothing``, ``acceptance_meets_units_at_rest``,
        ``buyback_is_given_up_by_another_person`` and ``abandoned_buyback_pays_nobody``.
        """
        if body.decision in {"declined", "abandoned"} and body.because is None:
            raise Malformed("declined_buyback_has_its_reason", "say why")
        return await gateway.write(
            write,
            _KEEPER,
            "decide_buyback",
            offering=offer,
            buyback=buyback,
            version=write.decided_on,
            decision=body.decision,
            because=body.because,
        )


def _releases(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/{buyback}/line_releases", operation_id="list_line_releases")
    async def listed(caller: Called, offer: OfferId, buyback: _BuybackId) -> LineReleases:
        """List the lines that somebody asks to let go, or that were let go, those that wait first."""
        await gateway.admitted(caller, *_READERS)

        def work(of: Within) -> tuple[Row, list[Row]]:
            return required(of, offer), list(of.line_releases(offering=offer, buyback=buyback))

        head, rows = await gateway.read(caller, work)
        return {"line_releases": [_release(row, head["currency"]) for row in rows]}

    @router.post(
        "/{buyback}/line_releases",
        operation_id="propose_line_release",
        status_code=_CREATED,
        response_model=ServicingActed,
    )
    async def proposed(write: Decided, offer: OfferId, buyback: _BuybackId, body: NewLineRelease) -> Response:
        """Ask to let one line of a started buy-back go, on the version of the buy-back seen.

        Another person decides. Refuses ``released_line_is_open``, ``released_line_has_its_price_set_apart``,
        ``released_line_cannot_be_cancelled`` and ``line_is_released_once``.
        """
        answer = await gateway.write(
            write,
            _KEEPER,
            "propose_line_release",
            offering=offer,
            buyback=buyback,
            version=write.decided_on,
            release=new_id("lnr"),
            investor=body.investor,
            because=body.because,
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/{buyback}/line_releases/{line_release}/decisions",
        operation_id="decide_line_release",
        response_model=ServicingActed,
    )
    async def decided(
        write: Decided,
        offer: OfferId,
        buyback: _BuybackId,
        *,
        line_release: _LineReleaseId,
        body: LineReleaseDecision,
    ) -> Response:
        """Let a line go as another person, or decline: its units are free, its price is the issuer's again.

        Refuses ``line_release_needs_two_people``, ``released_line_is_open`` and
        ``released_line_cannot_be_cancelled``.
        """
        return await gateway.write(
            write,
            _KEEPER,
            "decide_line_release",
            offering=offer,
            buyback=buyback,
            version=write.decided_on,
            release=line_release,
            is_agreed=body.decision == "released",
            because=body.because,
        )


def _release(row: Row, currency: str) -> LineRelease:
    return {
        "id": row["release_id"],
        "investor": row["investor_id"],
        "units": row["units"],
        "price": money(row["amount_minor"], currency),
        "status": row["status"],
        "because": row["because"],
        "hindered_by": _OPEN_CHECK if row["hindered_by"] == "match_with_a_list" else row["hindered_by"],
        "proposed_by": row["proposed_by"],
        "decided_by": row["decided_by"],
        "version": str(row["version"]),
    }


def _tender(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/{buyback}/tenders", operation_id="tender_units", status_code=_CREATED, response_model=TenderActed
    )
    async def tendered(write: Written, offer: OfferId, buyback: _BuybackId, body: NewTender) -> Response:
        """Record what a holder offers within the window, or that it takes its offer back.

        Refuses ``tender_for_another_names_its_paper``, ``tender_is_within_the_free_balance``,
        ``holder_tenders_once``, ``tender_is_of_a_holder``, ``tender_comes_within_the_window`` and
        ``tender_is_withdrawn_within_the_window``.
        """
        answer = await gateway.write(
            write,
            _KEEPER,
            "tender_units",
            offering=offer,
            buyback=buyback,
            tender=new_id("tnd"),
            investor=body.investor,
            units=body.units,
            paper_sha256=body.paper_sha256,
        )
        answer.status_code = _CREATED
        return answer


def _shown(row: Row) -> Buyback:
    code = row["currency"]
    return {
        "id": row["buyback_id"],
        "status": row["status"],
        "kind": row["kind"],
        "price": money(row["price_minor"], code),
        "most_units": row["most_units"],
        "most_money": None if row["most_minor"] is None else money(row["most_minor"], code),
        "periods_bind": row["periods_bind"],
        "opens_at": instant(row["opens_at"]),
        "closes_at": instant(row["closes_at"]),
        "tendered_units": row["tendered_units"],
        "accepted_units": row["accepted_units"],
        "costs": money(row["amount_minor"], code),
        "open_lines": row["open_lines"],
        "proposed_by": row["proposed_by"],
        "decided_by": row["decided_by"],
        "accepted_by": row["accepted_by"],
        "version": str(row["version"]),
    }
