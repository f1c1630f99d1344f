"""The pictures of a raise and of one investment, each with its numbers beneath."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from bookrunner.core import clock
from bookrunner.core.errors import NotFound
from bookrunner.db import Database, load
from bookrunner.pages.offers.facts import counts
from bookrunner.pages.offers.pictures import drawing
from bookrunner.pages.offers.pictures.drawing import turned
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router

__all__ = ["routes", "turned"]


def pictures(database: Database, offering: str) -> dict[str, Any]:
    """Return the numbers of every picture of an offer, read in one transaction; raises NotFound."""
    shared, own, on = load("bookrunner.pages"), load(__package__), {"offering": offering}
    with database.transaction("engine") as transaction:
        offers = list(shared.offers(transaction, **on))
        if not offers:
            raise NotFound(f"there is no offer {offering}")
        money = shared.buckets(transaction, **on)
        return {
            "offer": offers[0],
            "counts": counts(offers[0]),
            "stack": drawing.stacked(list(own.moved_by_day(transaction, **on))),
            "funnel": drawing.funnel(own.funnel(transaction, **on)),
            "dropped": list(own.dropped(transaction, **on)),
            "flow": drawing.flow(money),
            "money": money,
            "cap": drawing.cap_table(list(own.holders(transaction, **on)), offers[0]["units_total"]),
            "heat": drawing.heat(list(own.broken_by_day(transaction, **on))),
            "buckets": drawing.BUCKETS,
        }


def lanes(database: Database, investment: str) -> dict[str, Any]:
    """Return one investment over the five keepers; raises NotFound for an unknown one."""
    shared = load("bookrunner.pages")
    with database.transaction("portal") as transaction:
        found: Mapping[str, Any] | None = shared.investment(transaction, investment=investment)
        if found is None:
            raise NotFound(f"there is no investment {investment}")
        events = list(
            shared.timeline(
                transaction,
                offering=found["offering_id"],
                investment=investment,
                investor=found["investor_id"],
            )
        )
    drawn = drawing.lanes(events, found["missing"], clock.now())
    return {"investment": found, "events": events, "drawn": drawn}


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes of the pictures of an offer, for staff, and of one investment."""
    router = Router()

    @router.get("/offers/{offering}/pictures")
    def of_offer(request: Request, offering: str) -> Response:
        return shell.page(request, "offers/pictures/offer.html", pictures(database, offering))

    @router.get("/investments/{investment}/lanes")
    def of_investment(request: Request, investment: str) -> Response:
        return shell.page(request, "offers/pictures/lanes.html", lanes(database, investment))

    return router
