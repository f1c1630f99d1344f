"""In which language and time zone somebody reads: kept by the browser, and with a signed-in account."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Final

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.core.credentials import read_token
from bookrunner.core.errors import Malformed, NotAuthenticated
from bookrunner.pages.access.door import bind, inside, token_of
from bookrunner.pages.access.people import People
from bookrunner.pages.shell import language
from bookrunner.pages.shell.language import Offered
from bookrunner.pages.shell.routing import Router

_SEE_OTHER: Final = 303
_YEAR_SECONDS: Final = 365 * 24 * 3600


def routes(people: People, offered: Offered) -> Router:
    """Return the route of the switch in the footer of each page, and of the form of the security page."""
    router = Router()

    @router.post("/language")
    def choose(
        request: Request,
        chosen: Annotated[str, Form(alias="language", max_length=20)] = "",
        zone: Annotated[str, Form(max_length=60)] = "",
        after: Annotated[str, Form(alias="next")] = "/",
    ) -> Response:
        if chosen not in offered.by_code:
            raise Malformed("language_is_offered", "choose one of the languages of the footer")
        if zone and zone not in language.zones():
            raise Malformed("time_zone_is_listed", "choose one of the time zones of the list")
        with suppress(NotAuthenticated):
            # Without a session the browser alone keeps it.
            _, session = read_token(token_of(request) or "")
            people.choose_reading(session, chosen, zone or None)
        answer = RedirectResponse(inside(after), status_code=_SEE_OTHER)
        return bind(answer, request, language.COOKIE, value=chosen, seconds=_YEAR_SECONDS)

    return router
