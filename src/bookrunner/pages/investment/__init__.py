"""The investor's page of one investment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bookrunner.core.errors import NotFound
from bookrunner.db import Database, load
from bookrunner.pages.investment.tracker import sentence, stages, task
from bookrunner.pages.live import Hints
from bookrunner.pages.shell import Shell

__all__ = ["facts", "routes"]


def facts(database: Database, investment: str) -> dict[str, Any]:
    """Read what the portal may show of an investment; raises NotFound for an unknown one."""
    queries = load("bookrunner.pages")
    with database.transaction("portal") as transaction:
        found: Mapping[str, Any] | None = queries.investment(transaction, investment=investment)
        if found is None:
            raise NotFound(f"there is no investment {investment}")
        conditions = queries.conditions(transaction)
        mine = {"offering": found["offering_id"], "investment": investment}
        to_do = list(queries.packet_to_do(transaction, **mine))
        ends_at = queries.reservation_end(transaction, **mine)
        events = queries.timeline(
            transaction,
            offering=found["offering_id"],
            investment=investment,
            investor=found["investor_id"],
        )
    return {
        "investment": found,
        "stages": stages(found, conditions),
        "sentence": sentence(found),
        "events": events,
        "to_do": [task(row) for row in to_do],
        "ends_at": ends_at,
    }


def routes(database: Database, shell: Shell, hints: Hints) -> APIRouter:
    """Return the routes of an investor's page, which read under the portal's login."""
    router = APIRouter()

    @router.get("/investments/{investment}")
    def page(request: Request, investment: str) -> Response:
        return shell.page(request, "investment/page.html", facts(database, investment))

    @router.get("/investments/{investment}/now")
    def now(request: Request, investment: str, offering: str) -> Response:
        # The sequence is read before the facts, so that it never claims more than they show.
        reached = hints.reached(offering)
        return shell.fragment(request, "investment/now.html", facts(database, investment), reached)

    return router
