"""The tax forms of an investor: the boxes of each, its data and its file; each that is taken is noted."""

from __future__ import annotations

from typing import Literal

from fastapi import Request
from fastapi.responses import Response

from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.taxes import TaxYears, boxes_of
from bookrunner.pages.investment.own.itself import Itself
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router

__all__ = ["routes"]


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes of ``/holdings/taxes``; an investor takes its own forms alone."""
    router = Router(prefix="/holdings/taxes")
    years = TaxYears(Desk(database))

    @router.get("")
    def forms(request: Request, investor: Itself) -> Response:
        rows = years.years.own_tax_forms(investor=investor.name)
        shown = {"forms": [{**row, "boxes": boxes_of(row)} for row in rows]}
        return shell.page(request, "investment/own/servicing/taxes/page.html", shown)

    @router.post("/{form}/{taken}")
    def take(investor: Itself, form: str, taken: Literal["data", "file"]) -> Response:
        content = years.take(investor.name, form, taken, actor=investor.actor)
        suffix, kind = ("json", "application/json") if taken == "data" else ("pdf", "application/pdf")
        kept = {
            "Content-Disposition": f'attachment; filename="tax-form.{suffix}"',
            "Cache-Control": "no-store",
        }
        return Response(content, media_type=kind, headers=kept)

    return router
