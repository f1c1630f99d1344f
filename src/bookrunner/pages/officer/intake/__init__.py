"""Where an officer begins the checks of whoever invests: case, clearance, review of the accreditation."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.books import compliance
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database, load
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.routing import Router

_CONFLICT, _SEE_OTHER = 409, 303
_In = Annotated[SignedIn, Depends(requiring(("compliance",)))]
_Id = Annotated[str, Form(max_length=100)]


def begin(database: Database, investor: str, offering: str, *, actor: str) -> None:
    """Open what an investor lacks for an offer: case, clearance, and review of an accreditation that counts.

    What is begun stays as it is. Raises NotFound for who does not invest in the offer; refuses what the
    verbs refuse.
    """
    own, by = load(__package__), {"actor": actor, "investor": investor}
    with compliance.keeper(database).together() as within:
        beside = within.using(own)
        found = beside.begun(investor=investor, offering=offering)
        if found is None:
            raise NotFound(f"{investor} invests in no offer {offering}")
        if not found["has_case"]:
            within.open_case(**by, case=new_id("kyc"), kind=found["kind"])
        if not found["has_clearance"]:
            within.open_clearance(**by, offering=offering, clearance=new_id("clr"))
        is_asked = beside.needs_accreditation(investor=investor, offering=offering)
        if is_asked and found["accreditation"] is None:
            beside.submit_accreditation(**by, request=new_id("req"), accreditation=new_id("acr"))


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes of ``/compliance/intake``."""
    router = Router(prefix="/intake")

    def page(request: Request, refusal: dict[str, str] | None = None) -> Response:
        with database.transaction("compliance") as transaction:
            rows = list(load(__package__).to_begin(transaction))
        shown = {"rows": rows, "refusal": refusal}
        return shell.page(request, "officer/intake/list.html", shown, _CONFLICT if refusal else 200)

    @router.get("")
    def listed(request: Request, _: _In) -> Response:
        return page(request)

    @router.post("")
    def begun(request: Request, officer: _In, *, investor: _Id, offering: _Id) -> Response:
        try:
            begin(database, investor, offering, actor=officer.actor)
        except NotFound:
            raise
        except Refused as fault:
            return page(request, told(fault, {}))
        return RedirectResponse(f"/compliance/cases/{investor}", status_code=_SEE_OTHER)

    return router
