"""Pages rendered on the server: offers, closings, investments, consoles of officers and administrators."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from bookrunner.core.errors import BookrunnerError, NotFound, NotReady, Refused
from bookrunner.core.log import tell, warn
from bookrunner.core.status import status_of
from bookrunner.pages import access, compliance, desk, investment, offers, officer, registry, treasury
from bookrunner.pages import application as applying
from bookrunner.pages.access import WITHOUT_PASSKEYS, Door
from bookrunner.pages.desk.capital import institution
from bookrunner.pages.offers import Desk, pictures
from bookrunner.pages.offers import issuer as issuers
from bookrunner.pages.offers.breaks import break_routes
from bookrunner.pages.offers.documents import document_routes
from bookrunner.pages.offers.issuer.filings import filing_routes, own_filing_routes
from bookrunner.pages.offers.issuer.votes import own_vote_routes, vote_routes
from bookrunner.pages.officer import auditor
from bookrunner.pages.shell import Guard, Shell, live
from bookrunner.pages.shell.emergencies import Standing
from bookrunner.pages.shell.live import Hints

__all__ = ["Desk", "Door", "web"]

_YEAR = "public, max-age=31536000, immutable"
_LATER = "The books cannot be read at this moment; nothing was changed. Please try again in a moment"
_MISSHAPEN = "A field of this form or address is missing, or is none of its choices"
_UNANSWERED = {
    HTTPStatus.BAD_REQUEST: "This form has more or larger parts than its page; nothing was changed",
    HTTPStatus.NOT_FOUND: "There is no such page",
}
_FAULT = "Something went wrong here; the log says what"


def web(
    application: Desk,
    *,
    operator: str | None = None,
    is_sandbox: bool = True,
    hosts: Sequence[str] = (),
    door: Door = WITHOUT_PASSKEYS,
) -> FastAPI:
    """Return the web application of the pages over ``application``.

    Whoever is not signed in sees published offers alone, none under Rule 506(b); a closing is asked for by a
    person of the engine. ``operator``, for a sandbox that nobody else can reach, opens offers and
    investments to whoever is not signed in and is the actor of closings then; ``is_sandbox`` puts the mark
    on each page; ``hosts`` are names that the pages answer to beside those of the loopback; ``door`` says
    what people sign in with.
    A server that stops sets ``app.state.hints.closing`` first, which ends the open streams within a second.
    """
    shell = Shell(is_sandbox=is_sandbox, emergencies=Standing(application.database))
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
    )
    app.state.hints = hints
    app.add_middleware(access.Wall, admission=access.Admission(application.database, door, operator))
    app.add_middleware(Guard, hosts=tuple(hosts))
    app.include_router(offers.routes(application, shell, operator))
    app.include_router(issuers.routes(application.database, shell))
    for servicing in (own_filing_routes, filing_routes, own_vote_routes, vote_routes):
        app.include_router(servicing(application.database, shell))
    app.include_router(pictures.routes(application.database, shell))
    app.include_router(document_routes(application.database, shell))
    app.include_router(break_routes(application.database, shell))
    app.include_router(investment.routes(application.database, shell, operator))
    app.include_router(investment.transfer_routes(application.database, shell, operator))
    app.include_router(investment.own_routes(application, shell, operator))
    if is_sandbox:
        app.include_router(investment.mailbox_routes(application.database, shell))
    app.include_router(officer.routes(application.database, shell))
    app.include_router(auditor.routes(application.database, application, shell))
    app.include_router(applying.routes(application, shell, operator))
    app.include_router(desk.routes(application, shell))
    app.include_router(institution.routes(application.database, application.capital, shell))
    app.include_router(compliance.routes(application, shell, hints))
    app.include_router(
        treasury.routes(
            application.database,
            application.bank_files,
            shell,
            application.deposits,
            rates=application.rate_files,
        )
    )
    app.include_router(registry.routes(application, shell))
    app.include_router(access.routes(application.database, shell, door))
    app.include_router(live.routes(hints))
    access.install(app, shell, door, application.database)
    _serve_static(app, shell)
    _explain_errors(app, shell)
    return app


def _explain_errors(app: FastAPI, shell: Shell) -> None:
    @app.exception_handler(BookrunnerError)
    def problem(request: Request, error: BookrunnerError) -> Response:
        return _problem(shell, request, error)

    @app.exception_handler(HTTPException)
    def unanswered(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        answer = _page_of(shell, request, status, _UNANSWERED.get(status, status.description or _MISSHAPEN))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    def misshapen(request: Request, _: RequestValidationError) -> Response:
        # The input itself is not repeated: it may hold personal data.
        return _page_of(shell, request, HTTPStatus.UNPROCESSABLE_ENTITY, _MISSHAPEN)


def _problem(shell: Shell, request: Request, error: BookrunnerError) -> Response:
    """Return the page of an error; what a server lacks is said to its log and not to the reader."""
    status = status_of(error)
    said = error.detail if isinstance(error, Refused) and error.detail else str(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        warn("a page failed", kind=type(error).__name__)
        if not isinstance(error, NotReady):
            said = _LATER if status == HTTPStatus.SERVICE_UNAVAILABLE else _FAULT
    else:
        rule = error.rule if isinstance(error, Refused) else "record_exists"
        tell("a page is refused", rule=rule, status=int(status))
    answer = _page_of(shell, request, status, said)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = "1"
    return answer


def _page_of(shell: Shell, request: Request, status: HTTPStatus, sentence: str) -> Response:
    facts = {"title": status.phrase.capitalize(), "sentence": sentence}
    return shell.page(request, "shell/problem.html", facts, status)


def _serve_static(app: FastAPI, shell: Shell) -> None:
    @app.get("/static/{digest}/{name}")
    def static(digest: str, name: str) -> Response:
        asset = shell.by_path.get(f"/static/{digest}/{name}")
        if asset is None:
            raise NotFound(f"there is no file {name}")
        return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": _YEAR})
