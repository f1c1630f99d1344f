"""An issuer's own pages: its offers, each as the keepers confirmed it. Nothing is decided here."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from bookrunner.db import Database
from bookrunner.engine.life import issuer
from bookrunner.pages.offers.issuer.session import Session
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router

__all__ = ["routes"]

_YEAR = "private, max-age=31536000, immutable"


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes of issuers; each page reads through row security, for its session alone."""
    router = Router(prefix="/issuer")

    @router.get("")
    def mine(request: Request, session: Session) -> Response:
        return shell.page(request, "offers/issuer/list.html", issuer.offers(database, session))

    @router.get("/logo/{name}.png")
    def logo(session: Session, name: str) -> Response:
        kept = {"Cache-Control": _YEAR}
        return Response(issuer.logo(database, session, name), media_type="image/png", headers=kept)

    @router.get("/offers/{offering}")
    def offer(request: Request, session: Session, offering: str) -> Response:
        return shell.page(request, "offers/issuer/offer.html", issuer.offer(database, session, offering))

    return router
