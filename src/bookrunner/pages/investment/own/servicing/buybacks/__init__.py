"""The buy-backs of what an investor holds: what it may offer, what it offered, what was accepted of it."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.books import registry
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import read_whole, ungrouped
from bookrunner.db import Database
from bookrunner.pages.investment.own.itself import Itself
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.language import later
from bookrunner.pages.shell.routing import Router

_CONFLICT, _SEE_OTHER = 409, 303
_SAID: Final = {
    "holder_tenders_once": later("you have an offer already; take it back to make another"),
    "tender_comes_within_the_window": later("offers are not taken now"),
    "tender_is_withdrawn_within_the_window": later("the window is over; the offer stands"),
    "tender_is_within_the_free_balance": later("you cannot offer more units than are free"),
    "tendered_units_are_positive": later("offer at least one unit"),
    "units_are_a_whole_number": later("write whole units"),
}


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes of ``/buybacks``; an investor offers units of its own, and takes offers back."""
    router = Router(prefix="/buybacks")
    keeper = registry.buybacks_of(database)

    def page(request: Request, investor: str, refusal: Refused | None = None) -> Response:
        shown = {
            "buybacks": list(keeper.buybacks_of(investor=investor)),
            "refusal": None if refusal is None else told(refusal, _SAID),
        }
        status = 200 if refusal is None else _CONFLICT
        return shell.page(request, "investment/own/servicing/buybacks/list.html", shown, status)

    @router.get("")
    def mine(request: Request, investor: Itself) -> Response:
        return page(request, investor.name)

    @router.post("/{offering}/{buyback}")
    def act(
        request: Request,
        investor: Itself,
        offering: str,
        buyback: str,
        *,
        units: Annotated[str, Form(max_length=30)] = "",
        what: Annotated[str, Form(alias="act", max_length=20)] = "",
    ) -> Response:
        rows = keeper.buybacks_of(investor=investor.name)
        if not any((row["offering_id"], row["buyback_id"]) == (offering, buyback) for row in rows):
            raise NotFound("there is no such buy-back of what you hold")
        by = {"actor": investor.actor, "offering": offering, "buyback": buyback, "investor": investor.name}
        try:
            if what == "withdraw":
                keeper.withdraw_tender(**by)
            else:
                keeper.tender(**by, tender=new_id("tnd"), units=_whole(units), paper_sha256=None)
        except Refused as refused:
            return page(request, investor.name, refused)
        return RedirectResponse("/buybacks", status_code=_SEE_OTHER)

    return router


def _whole(text: str) -> int:
    units = read_whole(ungrouped(text))
    if units is None:
        raise Refused("units_are_a_whole_number", "write whole units, at most 18 digits")
    return units
