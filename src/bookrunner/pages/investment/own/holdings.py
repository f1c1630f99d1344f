"""What an investor holds by the register, its lots and statements, its papers, and what it was told."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Protocol

from fastapi import Form, Request
from fastapi.responses import Response

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Malformed, NotFound, Refused
from bookrunner.db import Database, load
from bookrunner.pages.investment.own.itself import Itself
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.routing import Router

if TYPE_CHECKING:
    from bookrunner.adapters.documents import Typesetter

_CONFLICT = 409


class Printing(Protocol):
    """What reads the register and sets statements: the application."""

    @property
    def database(self) -> Database:
        """The keepers' logins."""

    @property
    def press(self) -> Typesetter:
        """The press of statements."""


def facts_of(database: Database, investor: str) -> dict[str, object]:
    """Return the holdings of an investor with their lots, its statements and its papers."""
    queries, keeper = load(__package__), registry.transfers_of(database)
    with database.transaction("registry") as transaction:
        held = list(queries.own_holdings(transaction, investor=investor))
        statements = list(queries.statements_of(transaction, investor=investor, most=100))
    with database.transaction("portal") as transaction:
        offerings = sorted({row["offering_id"] for row in held})
        missed = list(queries.missed_reports(transaction, offerings=offerings))
    with database.transaction("subscription") as transaction:
        papers = list(queries.papers_of(transaction, investor=investor))
    return {
        "holdings": [
            {**row, "lots": keeper.lots_of(offering=row["offering_id"], investor=investor)} for row in held
        ],
        "statements": statements,
        "papers": papers,
        "missed": missed,
        "today": clock.today(),
    }


def routes(application: Printing, shell: Shell) -> Router:
    """Return the routes of ``/holdings`` and ``/notices``; an investor reads its own alone."""
    router = Router()
    database = application.database

    def page(request: Request, investor: str, refusal: dict[str, str] | None = None) -> Response:
        shown = {**facts_of(database, investor), "refusal": refusal}
        return shell.page(request, "investment/own/holdings.html", shown, _CONFLICT if refusal else 200)

    @router.get("/holdings")
    def holdings(request: Request, investor: Itself) -> Response:
        return page(request, investor.name)

    @router.post("/holdings/{offering}/{holding}/statement.pdf")
    def statement(
        request: Request,
        investor: Itself,
        offering: str,
        holding: str,
        *,
        on: Annotated[str, Form(max_length=10)] = "",
    ) -> Response:
        with database.transaction("registry") as transaction:
            mine = list(load(__package__).own_holdings(transaction, investor=investor.name))
        found = next(
            (row for row in mine if (row["offering_id"], row["holding_id"]) == (offering, holding)), None
        )
        if found is None:
            raise NotFound("there is no such holding of yours")
        try:
            _, made = registry.issue_statement(
                registry.keeper(database),
                application.press,
                (offering, holding, _day(on)),
                actor=investor.actor,
                offer_name=found["name"],
            )
        except Refused as fault:
            return page(request, investor.name, told(fault, {}))
        headers = {"Content-Disposition": 'attachment; filename="statement.pdf"', "Cache-Control": "no-store"}
        return Response(made.content, media_type=made.media_type, headers=headers)

    @router.get("/notices")
    def notices(request: Request, investor: Itself) -> Response:
        with database.transaction("portal") as transaction:
            rows = list(load(__package__).own_notices(transaction, investor=investor.name, most=200))
        return shell.page(request, "investment/own/notices.html", {"notices": rows})

    return router


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Malformed("day_is_a_date", "write a day as 2026-03-02") from None
