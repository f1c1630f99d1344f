"""The coupons of an offer: the schedule in force, the working of each, the fixing that one lacks."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.responses import Response

from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.coupons import Coupons
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell.routing import Router
from bookrunner.pages.treasury import facts
from bookrunner.pages.treasury.payouts.payees import Show

__all__ = ["routes"]

MARKS: Final = {
    "proposed": ("waiting", "wait"),
    "in_force": ("confirmed", "good"),
    "superseded": ("cancelled", "grey"),
    "declined": ("cancelled", "grey"),
    "draft": ("waiting", "wait"),
    "approved": ("confirmed", "good"),
    "paying": ("progress", "calm"),
    "paid": ("confirmed", "good"),
}
_In = Annotated[SignedIn, Depends(requiring(("treasury",)))]


def routes(router: Router, database: Database, show: Show) -> None:
    """Add the page of coupons below an offer."""
    terms = Coupons(Desk(database)).terms

    @router.get("/{offering}/coupons")
    def coupons(request: Request, offering: str, _: _In) -> Response:
        facts.desk(database, offering)
        found = {
            "schedules": terms.schedules(offering=offering),
            "coupons": terms.coupons(offering=offering),
            "fixings": terms.fixings(offering=offering),
            "coupon_marks": MARKS,
        }
        return show(request, offering, "coupons.html", found)
