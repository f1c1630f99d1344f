"""Who looks at the pages: the session of an account or of a key, and what it may open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.core.credentials import ISSUER, digest, make_token, read_key, read_token
from bookrunner.core.errors import NotAllowed, NotAuthenticated, Refused
from bookrunner.core.log import mark, tell, warn
from bookrunner.core.status import status_of
from bookrunner.db import Database, load
from bookrunner.pages.access import delegates, people, proposals, providers, reading
from bookrunner.pages.access.door import (
    FOR_WHOM,
    WITHOUT_PASSKEYS,
    Door,
    bind,
    hand_over,
    inside,
    sheet_of,
    take_back,
    token_of,
)
from bookrunner.pages.access.visitor import SignedIn, sees_everybody, signed_in
from bookrunner.pages.access.wall import Admission, Wall
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.language import Offered
from bookrunner.pages.shell.routing import Router, take_in

__all__ = [
    "WITHOUT_PASSKEYS",
    "Admission",
    "Door",
    "SignedIn",
    "Wall",
    "acting_for",
    "install",
    "may_act_for",
    "requiring",
    "routes",
    "sees_everybody",
    "signed_in",
    "token_of",
]

_UNKNOWN, _FORBIDDEN, _SEE_OTHER = 401, 403, 303


def requiring(keepers: Sequence[str]) -> Callable[[Request], SignedIn]:
    """Return the dependency that lets only people of these keepers in.

    Raises NotAuthenticated ``person_is_signed_in`` and NotAllowed ``key_serves_this_keeper``.
    """

    def required(request: Request) -> SignedIn:
        visitor = signed_in(request)
        if visitor is None:
            raise NotAuthenticated("person_is_signed_in", "sign in to see this page")
        if visitor.keeper not in keepers:
            raise NotAllowed("key_serves_this_keeper", f"{' or '.join(keepers)} decides this")
        return visitor

    return required


def acting_for(request: Request, investor: str, operator: str | None) -> str:
    """Return the actor of an act that is the investor's alone.

    It is signed in with a key of the portal that has its name. In a sandbox that nobody else can reach,
    which has an ``operator``, whoever is not signed in acts for the investor. Raises NotAuthenticated
    ``person_is_signed_in`` and NotAllowed ``key_serves_this_keeper`` and ``investor_acts_for_itself``.
    """
    if signed_in(request) is None and operator is not None:
        return investor
    visitor = requiring(("portal",))(request)
    if visitor.name != investor:
        raise NotAllowed("investor_acts_for_itself", f"this is an investment of {investor}")
    return visitor.actor


def may_act_for(request: Request, investor: str, operator: str | None) -> bool:
    """Say whether :func:`acting_for` would let this visitor in."""
    try:
        acting_for(request, investor, operator)
    except (NotAuthenticated, NotAllowed):
        return False
    return True


def install(app: FastAPI, shell: Shell, door: Door, database: Database) -> None:
    """Answer who is not signed in with the sign-in page, and who is of another keeper with 403."""
    known = people.People(database)

    @app.exception_handler(NotAuthenticated)
    def unknown(request: Request, refused: NotAuthenticated) -> Response:
        _note(request, refused)
        if request.method != "GET" or request.headers.get("hx-request"):
            return shell.page(
                request,
                "access/sign_in.html",
                sheet_of("/", door, known.ask("providers_in_force"), rule=refused.rule),
                _UNKNOWN,
            )
        back = urlencode({"next": request.url.path})
        return RedirectResponse(f"/sign-in?{back}", status_code=_SEE_OTHER)

    @app.exception_handler(NotAllowed)
    def forbidden(request: Request, refused: NotAllowed) -> Response:
        _note(request, refused)
        return shell.page(request, "access/forbidden.html", {"refused": refused}, _FORBIDDEN)


def routes(database: Database, shell: Shell, door: Door, offered: Offered) -> Router:
    """Return the routes ``/sign-in``, ``/sign-out`` and ``/language``, those of accounts and of proposals."""
    router = Router()
    take_in(router, people.routes(database, shell, door))
    take_in(router, proposals.routes(shell))
    take_in(router, reading.routes(people.People(database), offered))
    take_in(router, providers.routes(database, shell, door))
    take_in(router, delegates.routes(database, shell))
    queries, known = load(__package__), people.People(database)

    @router.get("/sign-in")
    def form(request: Request, after: Annotated[str, Query(alias="next")] = "/") -> Response:
        return shell.page(
            request, "access/sign_in.html", sheet_of(after, door, known.ask("providers_in_force"))
        )

    @router.post("/sign-in")
    def enter(
        request: Request, key: Annotated[str, Form()] = "", after: Annotated[str, Form(alias="next")] = "/"
    ) -> Response:
        try:
            token, ends_at = _opened(database, door, key.strip())
        except NotAuthenticated as refused:
            warn("a sign-in is refused", means="key", rule=refused.rule)
            return shell.page(
                request,
                "access/sign_in.html",
                sheet_of(after, door, known.ask("providers_in_force"), rule=refused.rule),
                _UNKNOWN,
            )
        home = "/issuer" if inside(after) == "/" and token.startswith(f"{ISSUER}.") else inside(after)
        return hand_over(RedirectResponse(home, status_code=_SEE_OTHER), request, token, ends_at)

    @router.post("/sign-out")
    def leave(request: Request) -> Response:
        token, visitor = token_of(request), signed_in(request)
        if token is not None and visitor is not None:
            keeper, session = read_token(token)
            if visitor.is_account:
                people.leave(database, token)
            else:
                with database.transaction(keeper) as transaction:
                    queries.end_session(transaction, session=session)
                tell("a person signed out", means="key", session=mark(session))
        answer = bind(RedirectResponse("/sign-in", status_code=_SEE_OTHER), request, FOR_WHOM)
        return take_back(answer, request)

    return router


def _opened(database: Database, door: Door, key: str) -> tuple[str, datetime]:
    """Open a session under a fresh token, so that no token from before the sign-in counts after it."""
    if door.is_for_accounts_alone:
        raise NotAuthenticated("person_signs_in_with_an_account", "keys are for programs here")
    keeper, key_sha256 = read_key(key)
    token = make_token(keeper)
    with database.transaction(keeper) as transaction:
        ends_at: datetime = load(__package__).open_session(transaction, key=key_sha256, session=digest(token))
    seen = {"keeper": keeper, "credential": mark(key_sha256), "session": mark(digest(token))}
    tell("a person signed in", means="key", **seen)
    return token, ends_at


def _note(request: Request, refused: Refused) -> None:
    """Write down that a page was refused, to which session, where there is one (ASVS 5.0, V16.3.2)."""
    visitor, token = signed_in(request), token_of(request)
    seen = {} if visitor is None or token is None else {"session": mark(digest(token))}
    tell("a page is refused", rule=refused.rule, status=int(status_of(refused)), **seen)
