"""Pages rendered on the server: offers, closings, investments, the compliance officer's console."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from bookrunner.core.errors import NotFound
from bookrunner.pages import access, compliance, investment, live, offers
from bookrunner.pages.live import Hints
from bookrunner.pages.offers import Desk
from bookrunner.pages.shell import Guard, Shell

__all__ = ["Desk", "web"]

_YEAR = "public, max-age=31536000, immutable"


def web(application: Desk, *, operator: str = "operator:console", is_sandbox: bool = True) -> FastAPI:
    """Return the web application of the pages over ``application``.

    ``operator`` is the actor that closings are asked for as when nobody is signed in; ``is_sandbox`` puts
    the mark on each page. A server that stops sets ``app.state.hints.closing`` first, which ends the open
    streams within a second.
    """
    shell = Shell(is_sandbox=is_sandbox)
    hints = Hints(application.database)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        hints.closing = True

    app = FastAPI(
        title="Bookrunner pages",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        dependencies=[Depends(access.recognising(application.database))],
    )
    app.state.hints = hints
    app.add_middleware(Guard)
    app.include_router(offers.routes(application, shell, hints, operator))
    app.include_router(investment.routes(application.database, shell, hints))
    app.include_router(compliance.routes(application.database, shell, hints))
    app.include_router(access.routes(application.database, shell))
    app.include_router(live.routes(hints))
    access.install(app, shell)
    _serve_static(app, shell)

    @app.exception_handler(NotFound)
    def not_found(request: Request, found: NotFound) -> Response:
        return shell.page(request, "shell/missing.html", {"sentence": str(found)}, 404)

    return app


def _serve_static(app: FastAPI, shell: Shell) -> None:
    @app.get("/static/{digest}/{name}")
    def static(digest: str, name: str) -> Response:
        asset = shell.by_path.get(f"/static/{digest}/{name}")
        if asset is None:
            raise NotFound(f"there is no file {name}")
        return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": _YEAR})
