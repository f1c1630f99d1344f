"""The documents of an offer, to each visitor those that it may read."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from bookrunner.books import subscription
from bookrunner.core.credentials import read_token
from bookrunner.core.errors import NotFound
from bookrunner.db import Database, load
from bookrunner.pages.access import signed_in, token_of
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router

_SHOWN_IN_PLACE = frozenset({"application/pdf", "text/plain"})


def document_routes(database: Database, shell: Shell) -> Router:
    """Return the routes of an offer's documents; the database finds from the session what it may read."""
    router = Router(prefix="/offers/{offering}/documents")

    @router.get("")
    def documents(request: Request, offering: str) -> Response:
        with database.transaction("engine") as transaction:
            (offer,) = load("bookrunner.pages").offers(transaction, offering=offering) or (None,)
        if offer is None:
            raise NotFound(f"there is no offer {offering}")
        found = subscription.keeper(database).readable(offering=offering, session=_session(request))
        return shell.page(request, "offers/documents.html", {"offer": offer, "documents": list(found)})

    @router.get("/{document}")
    def document(request: Request, offering: str, document: str) -> Response:
        visitor, session = signed_in(request), _session(request)
        row = subscription.keeper(database).read_offered(
            actor="visitor" if visitor is None else visitor.actor,
            offering=offering,
            document=document,
            session=session,
        )
        # What a browser could run is handed over for saving only.
        place = "inline" if row["media_type"] in _SHOWN_IN_PLACE else "attachment"
        kept = {"Cache-Control": "private, no-store", "Content-Disposition": place}
        return Response(bytes(row["content"]), media_type=row["media_type"], headers=kept)

    return router


def _session(request: Request) -> bytes | None:
    return None if signed_in(request) is None else read_token(token_of(request) or "")[1]
