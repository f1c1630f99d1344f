"""What an investor takes in units of what it is paid: its elections, and what runs made of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.books import registry
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Keeper
from bookrunner.pages.investment.own.itself import Itself
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.language import later
from bookrunner.pages.shell.routing import Router

_CONFLICT, _SEE_OTHER = 409, 303
_PARTS: Final = 100
_SAID: Final = {
    "elected_share_is_a_part": later("write a percentage from 0 to 100, with two decimals at most"),
    "election_is_under_a_plan_in_force": later("this offer has no plan of reinvestment any more"),
}
_STATES: Final[Mapping[str, tuple[str, str, str]]] = {
    "planned": ("waiting", "wait", later("approved")),
    "open": ("progress", "calm", later("units on their way")),
    "issued": ("confirmed", "good", later("units in your name")),
    "cash": ("confirmed", "grey", later("paid in cash")),
}
# A match is nobody's to read but the officer's: the investor is told of a check.
_BECAUSE: Final[Mapping[str, str]] = {
    "match_with_a_list": later("A check was not finished."),
    "payee_is_another": later("Somebody else receives what you are paid."),
    "amount_is_less_than_a_unit": later("The amount was less than one unit."),
    "units_changed_since_the_plan": later("The units changed since the plan was made."),
    "another_class_is_converted_into_this_one": later("Another class was being converted into this one."),
    "holder_is_not_cleared": later("A check was not finished."),
    "account_is_frozen": later("Your account was frozen."),
    "holding_is_held": later("Your holding was held."),
    "holder_has_no_units": later("You had no units any more."),
    "holder_died": later("The holding was an estate's."),
    "wallet_is_not_linked": later("No wallet of yours was linked."),
    "share_is_over_its_limit": later("Your share would have passed the limit of a holder."),
    "plan_has_too_few_units": later("The plan had too few units for everybody."),
    "supply_is_not_known": later("The plan had too few units for everybody."),
    "authorised_units_are_too_few": later("The plan had too few units for everybody."),
}


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes of ``/reinvestment``; an investor elects for its own holdings alone."""
    router = Router(prefix="/reinvestment")
    keeper = registry.reinvestment_of(database)
    runs = Keeper(database, "engine", "bookrunner.engine.life.servicing.reinvestment")

    def page(request: Request, investor: str, refusal: Refused | None = None) -> Response:
        shown = {
            "plans": list(keeper.reinvestments_of(investor=investor)),
            "runs": list(runs.reinvested_of(investor=investor)),
            "pills": _STATES,
            "because": _BECAUSE,
            "refusal": None if refusal is None else told(refusal, _SAID),
        }
        status = 200 if refusal is None else _CONFLICT
        return shell.page(request, "investment/own/servicing/reinvestment/list.html", shown, status)

    @router.get("")
    def mine(request: Request, investor: Itself) -> Response:
        return page(request, investor.name)

    @router.post("/{offering}")
    def elect(
        request: Request,
        investor: Itself,
        offering: str,
        *,
        share: Annotated[str, Form(max_length=20)] = "",
    ) -> Response:
        rows = keeper.reinvestments_of(investor=investor.name)
        if not any(row["offering_id"] == offering for row in rows):
            raise NotFound("there is no plan of reinvestment of what you hold")
        by = {"actor": investor.actor, "offering": offering, "investor": investor.name}
        try:
            keeper.elect_reinvestment(**by, election=new_id("elc"), share_bp=_share(share), paper_sha256=None)
        except Refused as refused:
            return page(request, investor.name, refused)
        return RedirectResponse("/reinvestment", status_code=_SEE_OTHER)

    return router


def _share(text: str) -> int:
    try:
        parts = Decimal(text.strip().replace(",", ".")) * _PARTS
    except InvalidOperation:
        parts = Decimal("NaN")
    if not parts.is_finite() or parts != parts.to_integral_value() or not 0 <= parts <= _PARTS * _PARTS:
        raise Refused("elected_share_is_a_part", "write a percentage from 0 to 100")
    return int(parts)
