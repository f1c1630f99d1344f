"""What is kept about an investor, who looked at it, all of it as a file, and its erasure."""

from __future__ import annotations

import json
from typing import Annotated, Final

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.books import portal, registry
from bookrunner.core import clock
from bookrunner.core.errors import NotFound, Refused
from bookrunner.db import Database, Row, load
from bookrunner.engine import Desk
from bookrunner.pages.access import SignedIn
from bookrunner.pages.investment.own.itself import Itself
from bookrunner.pages.investment.own.profile import FIELDS, profile_of
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.language import later, spoken
from bookrunner.pages.shell.routing import Router

_CONFLICT, _SEE_OTHER, _VIEWS = 409, 303, 100
_EXPORTED: Final = "to hand over one's own data"
_ERASE: Final = later("erase")
_UNSAFE: Final = {"rule": "export_is_agreed_to", "detail": later("tick that you will keep the file safe")}
_UNMEANT: Final = {"rule": "erasure_is_meant", "detail": later("type the word erase")}


def given(found: Row | None) -> list[str]:
    """Return the labels of the fields that are kept of a profile."""
    if found is None or found["erased_at"]:
        return []
    sealed = {"tax_id": found["has_tax_id"], "birth_date": found["has_birth_date"]}
    kept = [label for name, label, *_ in FIELDS if sealed.get(name, found.get(name))]
    return [spoken(label).partition(",")[0] for label in kept]


def export(database: Database, investor: SignedIn) -> str:
    """Return all that the books keep about an investor as JSON; the look at its profile is recorded first.

    Money is in minor units with its currency, moments are UTC. Refuses as `portal.reveal_profile` does.
    """
    found = profile_of(database, investor.name)
    if found is None:
        raise NotFound("there is no profile of yours")
    fields = portal.reveal_profile(
        portal.keeper(database),
        investor.name,
        found["detail_version"],
        actor=investor.actor,
        purpose=_EXPORTED,
    )
    shared, own, mine = load("bookrunner.pages"), load(__package__), {"investor": investor.name}
    with database.transaction("portal") as transaction:
        rows = {
            "investments": list(shared.own_investments(transaction, offering=None, **mine)),
            "changes": list(own.own_changes(transaction, **mine, most=None)),
            "notices": list(own.own_notices(transaction, **mine, most=None)),
            "views": list(own.views_of(transaction, **mine, most=None)),
        }
    with database.transaction("registry") as transaction:
        rows["holdings"] = list(own.own_holdings(transaction, **mine))
        rows["statements"] = list(own.statements_of(transaction, **mine, most=None))
    keeper = registry.keeper(database)
    rows["wallets"] = [
        {name: row[name] for name in ("offering_id", "status", "claimed_at", "linked_at")}
        | {"address": "0x" + bytes(row["address"]).hex()}
        for offering in sorted({row["offering_id"] for row in rows["investments"]})
        for row in keeper.wallet_history(offering=offering, address=None, **mine)
    ]
    head = {"investor": investor.name, "made_at": clock.now(), "kind": found["kind"], "profile": fields}
    written = {name: [dict(row) for row in lines] for name, lines in rows.items()}
    return json.dumps(head | written, default=_said, indent=1, ensure_ascii=False)


def _said(value: object) -> str:
    moment = getattr(value, "isoformat", None)
    return str(moment() if moment else value)


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes of ``/privacy``; an investor reads, takes out and erases its own data alone."""
    router = Router(prefix="/privacy")

    def page(request: Request, investor: SignedIn, refusal: dict[str, str] | None = None) -> Response:
        found = profile_of(database, investor.name)
        with database.transaction("portal") as transaction:
            views = list(load(__package__).views_of(transaction, investor=investor.name, most=_VIEWS))
        facts = {
            "profile": found,
            "given": given(found),
            "views": views,
            "refusal": refusal,
            "is_account": investor.is_account,
        }
        return shell.page(request, "investment/own/privacy.html", facts, _CONFLICT if refusal else 200)

    @router.get("")
    def shown(request: Request, investor: Itself) -> Response:
        return page(request, investor)

    @router.post("/export")
    def taken(request: Request, investor: Itself, agree: Annotated[str, Form()] = "") -> Response:
        if agree != "yes":
            return page(request, investor, _UNSAFE)
        try:
            text = export(database, investor)
        except NotFound:
            raise
        except Refused as fault:
            return page(request, investor, told(fault, {}))
        headers = {"Content-Disposition": 'attachment; filename="my-data.json"', "Cache-Control": "no-store"}
        return Response(text, media_type="application/json", headers=headers)

    @router.post("/erase")
    def erased(
        request: Request, investor: Itself, word: Annotated[str, Form(max_length=20)] = ""
    ) -> Response:
        if word.strip().lower() not in {_ERASE, spoken(_ERASE)}:
            return page(request, investor, _UNMEANT)
        try:
            Desk(database).erase(investor.name, actor=investor.actor, because="asked for by the investor")
        except Refused as fault:
            return page(request, investor, told(fault, {}))
        return RedirectResponse("/privacy", status_code=_SEE_OTHER)

    return router
