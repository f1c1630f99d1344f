"""An issuer's own pages: its offers, each as the keepers confirmed it. Nothing is decided here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from bookrunner.core.credentials import ISSUER, read_token
from bookrunner.db import Database
from bookrunner.engine.life import issuer
from bookrunner.pages.access import requiring, token_of
from bookrunner.pages.shell import Shell

__all__ = ["routes"]

_YEAR = "private, max-age=31536000, immutable"


def session_of(request: Request) -> bytes:
    """Return the digest of the session of an issuer; raises NotAuthenticated and NotAllowed."""
    requiring((ISSUER,))(request)
    return read_token(token_of(request) or "")[1]


_Session = Annotated[bytes, Depends(session_of)]


def routes(database: Database, shell: Shell) -> APIRouter:
    """Return the routes of issuers; each page reads through row security, for its session alone."""
    router = APIRouter(prefix="/issuer")

    @router.get("")
    def mine(request: Request, session: _Session) -> Response:
        return shell.page(request, "offers/issuer/list.html", issuer.offers(database, session))

    @router.get("/logo/{name}.png")
    def logo(session: _Session, name: str) -> Response:
        kept = {"Cache-Control": _YEAR}
        return Response(issuer.logo(database, session, name), media_type="image/png", headers=kept)

    @router.get("/offers/{offering}")
    def offer(request: Request, session: _Session, offering: str) -> Response:
        return shell.page(request, "offers/issuer/offer.html", issuer.offer(database, session, offering))

    return router
