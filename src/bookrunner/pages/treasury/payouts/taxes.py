"""The tax years of an offer: drafted by one administrator, released by another, written as data."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.money import read_whole
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.taxes import TaxYears, as_csv
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell.routing import Router
from bookrunner.pages.treasury import facts
from bookrunner.pages.treasury.payouts.payees import Show

__all__ = ["routes"]

_SEE_OTHER = 303
MARKS = {"draft": ("waiting", "wait"), "released": ("confirmed", "good"), "cancelled": ("cancelled", "grey")}
_In = Annotated[SignedIn, Depends(requiring(("treasury",)))]
_Text = Annotated[str, Form(max_length=4000)]


def routes(router: Router, database: Database, show: Show) -> None:
    """Add the page of tax years below an offer, its forms, and the data of a year."""
    taxes = TaxYears(Desk(database))

    def page(request: Request, offering: str, **shown: object) -> Response:
        facts.desk(database, offering)
        found = {"years": taxes.years.tax_years(offering=offering), "year_marks": MARKS, "typed": ""}
        return show(request, offering, "taxes.html", {**found, **shown})

    @router.get("/{offering}/taxes")
    def years(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return page(request, offering, is_done=done)

    @router.get("/{offering}/taxes/{name}.csv")
    def data(offering: str, name: str, _: _In) -> Response:
        rows = taxes.forms(offering, name)
        if not rows:
            raise NotFound(f"there is no tax year {name}")
        kept = {"Content-Disposition": 'attachment; filename="tax-year.csv"', "Cache-Control": "no-store"}
        return PlainTextResponse(as_csv(rows), headers=kept)

    @router.post("/{offering}/taxes")
    def act(
        request: Request,
        offering: str,
        officer: _In,
        *,
        choice: _Text = "",
        what: _Text = "",
        seen: _Text = "",
        because: _Text = "",
    ) -> Response:
        facts.desk(database, offering)
        try:
            _act(taxes, (offering, officer.actor), (choice, what, seen, because))
        except NotFound:
            raise
        except Refused as fault:
            return page(request, offering, refusal=facts.told(fault), typed=because)
        return RedirectResponse(f"{facts.path_of(offering, 'taxes')}?done=1", status_code=_SEE_OTHER)


def _act(taxes: TaxYears, on: tuple[str, str], said: tuple[str, str, str, str]) -> None:
    (offering, actor), (choice, what, seen, because) = on, said
    number = read_whole(what if choice == "draft" else seen)
    if choice == "draft":
        if number is None:
            raise Refused("tax_year_is_a_year", "write the year with four digits")
        taxes.draft(offering, number, actor=actor)
    elif choice == "release":
        taxes.release(offering, what, number, actor=actor)
    elif choice == "cancel":
        taxes.cancel(offering, what, because, seen=number, actor=actor)
    else:
        raise Refused("decision_is_one_of_those_offered", "choose one of the acts")
