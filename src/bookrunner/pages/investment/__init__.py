"""The investor's page of one investment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.adapters.chain import checksum
from bookrunner.books import portal
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.reference import printed
from bookrunner.db import Database, load
from bookrunner.pages.access import acting_for, may_act_for, signed_in
from bookrunner.pages.investment.cancellation import cancel, cancelling
from bookrunner.pages.investment.mailbox import mailbox_routes
from bookrunner.pages.investment.own import own_routes
from bookrunner.pages.investment.tracker import ENDED, sentence, stages, task
from bookrunner.pages.investment.transfers import transfer_routes
from bookrunner.pages.shell import Shell, mask
from bookrunner.pages.shell.routing import Router

__all__ = ["facts", "mailbox_routes", "own_routes", "routes", "transfer_routes"]

_SEE_OTHER = 303
_CONFLICT = 409
_BEFORE_MONEY = ("profile", "compliance", "subscription")


def facts(database: Database, investment: str) -> dict[str, Any]:
    """Read what the portal may show of an investment; raises NotFound for an unknown one."""
    queries = load("bookrunner.pages")
    with database.transaction("portal") as transaction:
        found: Mapping[str, Any] | None = queries.investment(transaction, investment=investment)
        if found is None:
            raise NotFound(f"there is no investment {investment}")
        conditions = queries.conditions(transaction)
        mine = {"offering": found["offering_id"], "investment": investment}
        of_investor = {"offering": found["offering_id"], "investor": found["investor_id"]}
        to_do = list(queries.packet_to_do(transaction, **mine))
        ends_at = queries.reservation_end(transaction, **mine)
        events = queries.timeline(
            transaction,
            offering=found["offering_id"],
            investment=investment,
            investor=found["investor_id"],
        )
        fees = list(queries.declared_fees(transaction, offering=found["offering_id"]))
        escrow = queries.escrow_agent(transaction, offering=found["offering_id"])
        told = list(queries.investor_notices(transaction, **of_investor))
        sign = queries.issuer_sign(transaction, offering=found["offering_id"])
        rates = {
            "chosen": queries.chosen_currency(transaction, **mine),
            "taken": list(queries.taken_currencies(transaction, offering=found["offering_id"])),
            "kept": list(queries.kept_rates(transaction, **mine)),
        }
        right = queries.free_cancellation(transaction, **mine)
        card = queries.funding_card(
            transaction,
            offering=found["offering_id"],
            investment=investment,
            investor=found["investor_id"],
        )
    return {
        "investment": found,
        "stages": stages(found, conditions),
        "card": funding_card(found, card),
        "sentence": sentence(found),
        "is_over": found["status"] in ENDED,
        "events": events,
        "to_do": [task(row) for row in to_do],
        "ends_at": ends_at,
        "escrow": escrow,
        "profile": None if sign is None else {**sign, "logo": None},
        "notices": told,
        "cancelling": cancelling(found, right),
        "fees": fees,
        "rates": rates,
    }


def funding_card(investment: Mapping[str, Any], card: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return how to pay; nobody is asked for money before the subscription is complete, or after the end."""
    is_over = investment["status"] in ENDED
    if card is None or is_over or not all(investment[stage] for stage in _BEFORE_MONEY):
        return {"is_shown": False}
    return {
        **card,
        "is_shown": True,
        "reference": printed(card["reference"]),
        # Staff of every keeper reads this page, so the name is not written out.
        "payer": mask(card["payer_name"]),
        "deposits": [
            {
                "chain_id": way["chain_id"],
                "address": checksum(bytes.fromhex(way["address"])),
                "token": checksum(bytes.fromhex(way["token"])),
            }
            for way in card["deposits"] or ()
        ],
        "told": card["told"] or (),
    }


def _currency_route(
    router: Router,
    database: Database,
    operator: str | None,
    conflict: Callable[[Request, str, Refused], Response],
) -> None:
    @router.post("/investments/{investment}/currency")
    def chosen(request: Request, investment: str, currency: Annotated[str, Form()] = "") -> Response:
        found = facts(database, investment)
        actor = acting_for(request, found["investment"]["investor_id"], operator)
        of = {"offering": found["investment"]["offering_id"], "investment": investment}
        try:
            portal.keeper(database).choose_currency(actor=actor, **of, currency=currency)
        except Refused as refused:
            return conflict(request, investment, refused)
        return RedirectResponse(f"/investments/{investment}#currency", status_code=_SEE_OTHER)


def routes(database: Database, shell: Shell, operator: str | None) -> Router:
    """Return the routes of an investor's page, which read under the portal's login.

    The investor and staff look; only the investor gives its word.
    """
    router = Router()

    def shown(request: Request, investment: str) -> dict[str, Any]:
        found = facts(database, investment)
        is_own = may_act_for(request, found["investment"]["investor_id"], operator)
        visitor = signed_in(request)
        is_administrator = visitor is not None and visitor.keeper == "treasury"
        return {**found, "is_own": is_own, "is_administrator": is_administrator, "refusal": None}

    def conflict(request: Request, investment: str, refused: Refused) -> Response:
        told = {"rule": refused.rule, "detail": refused.detail}
        said = {**shown(request, investment), "refusal": told}
        return shell.page(request, "investment/page.html", said, _CONFLICT)

    @router.get("/investments/{investment}")
    def page(request: Request, investment: str) -> Response:
        return shell.page(request, "investment/page.html", shown(request, investment))

    @router.get("/investments/{investment}/now")
    def now(request: Request, investment: str) -> Response:
        return shell.fragment(request, "investment/now.html", shown(request, investment))

    @router.post("/investments/{investment}/cancel")
    def cancelled(request: Request, investment: str, because: Annotated[str, Form()] = "") -> Response:
        found = facts(database, investment)
        actor = acting_for(request, found["investment"]["investor_id"], operator)
        try:
            cancel(database, found["investment"], actor, because)
        except Refused as refused:
            return conflict(request, investment, refused)
        return RedirectResponse(f"/investments/{investment}#cancel", status_code=_SEE_OTHER)

    @router.post("/investments/{investment}/sent")
    def sent(request: Request, investment: str) -> Response:
        found = facts(database, investment)
        actor = acting_for(request, found["investment"]["investor_id"], operator)
        card = found["card"]
        if card["is_shown"]:
            portal.keeper(database).say_sent(
                actor=actor,
                offering=found["investment"]["offering_id"],
                investment=investment,
                reference=card["plain_reference"],
            )
        return RedirectResponse(f"/investments/{investment}#pay", status_code=_SEE_OTHER)

    _currency_route(router, database, operator, conflict)
    return router
