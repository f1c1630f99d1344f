"""The owners of an entity as its signer certified them: shown for a purpose, taken into the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.books import compliance, portal
from bookrunner.core.errors import NotFound, Refused, VersionChanged
from bookrunner.core.ids import new_id
from bookrunner.db import Database
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.routing import Router

_CONFLICT, _STALE, _SEE_OTHER = 409, 412, 303
_TO_TAKE = "to take the owners into the record"
_SENTENCES = {
    "ownership_statement_is_taken_once": "this statement is in the record already",
    "ownership_statement_is_in_force": "the signer has certified another statement since; read it first",
}
_In = Annotated[SignedIn, Depends(requiring(("compliance",)))]
_Text = Annotated[str, Form(max_length=1000)]


class Owners:
    """Renders the statement in force; names stay masked until a look is recorded."""

    def __init__(self, database: Database, shell: Shell) -> None:
        self.office = compliance.office(database)
        self.keeper = compliance.keeper(database)
        self.portal = portal.keeper(database)
        self.shell = shell

    def page(
        self, request: Request, investor: str, fault: Refused | None = None, **extra: object
    ) -> Response:
        """Return the page of the statement in force; raises NotFound where nothing is certified."""
        head: Mapping[str, Any] | None = self.office.ownership_stated(investor=investor)
        if head is None:
            raise NotFound(f"nobody has certified the owners of {investor}")
        shown = {"head": head, "investor": investor, "stated": None, "refusal": None}
        if fault is not None:
            shown["refusal"] = told(fault, _SENTENCES)
        return self.shell.page(request, "officer/owners.html", {**shown, **extra}, _status(fault))

    def show(self, request: Request, investor: str, purpose: str, who: SignedIn) -> Response:
        """Show names and shares once; the view is recorded before they are shown."""
        try:
            stated = self._stated(investor, purpose, who)
        except NotFound:
            raise
        except Refused as fault:
            return self.page(request, investor, fault=fault)
        names = {one["id"]: one["name"] for one in stated["people"]} | {investor: "the entity itself"}
        return self.page(request, investor, stated=stated, names=names)

    def take(self, request: Request, on: tuple[str, str], because: str, who: SignedIn) -> Response:
        """Take the statement that was seen into the record; everybody in it then waits to be verified."""
        investor, statement = on
        try:
            people = self._stated(investor, _TO_TAKE, who)["people"]
            compliance.take_owners(
                self.keeper, (investor, statement), people, actor=who.actor, because=because
            )
        except NotFound:
            raise
        except Refused as fault:
            return self.page(request, investor, fault=fault)
        return RedirectResponse(f"/compliance/cases/{investor}#owners", status_code=_SEE_OTHER)

    def _stated(self, investor: str, purpose: str, who: SignedIn) -> Mapping[str, Any]:
        found: Mapping[str, Any] | None = self.portal.view_ownership(
            actor=who.actor, investor=investor, view=new_id("pvw"), purpose=purpose
        )
        if found is None:
            raise NotFound(f"nobody has certified the owners of {investor}")
        return found


def _status(fault: Refused | None) -> int:
    if fault is None:
        return 200
    return _STALE if isinstance(fault, VersionChanged) else _CONFLICT


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes of certified owners."""
    router = Router(prefix="/ownership")
    pages = Owners(database, shell)

    @router.get("/{investor}")
    def page(request: Request, investor: str, _: _In) -> Response:
        return pages.page(request, investor)

    @router.post("/{investor}/show")
    def show(request: Request, investor: str, who: _In, *, purpose: _Text = "") -> Response:
        return pages.show(request, investor, purpose, who)

    @router.post("/{investor}/take")
    def take(
        request: Request,
        investor: str,
        who: _In,
        *,
        statement: Annotated[str, Form(max_length=100)],
        because: _Text = "",
    ) -> Response:
        return pages.take(request, (investor, statement), because, who)

    return router
