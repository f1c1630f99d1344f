"""In which language somebody reads: kept by the browser, and with the account where one is signed in."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.core.errors import Malformed
from bookrunner.pages.access.door import bind, inside
from bookrunner.pages.shell import language
from bookrunner.pages.shell.language import Offered

_SEE_OTHER: Final = 303
_YEAR_SECONDS: Final = 365 * 24 * 3600


def routes(offered: Offered) -> APIRouter:
    """Return the route of the switch in the footer of each page."""
    router = APIRouter()

    @router.post("/language")
    def choose(
        request: Request,
        chosen: Annotated[str, Form(alias="language", max_length=20)] = "",
        after: Annotated[str, Form(alias="next")] = "/",
    ) -> Response:
        if chosen not in offered.by_code:
            raise Malformed("language_is_offered", "choose one of the languages of the footer")
        answer = RedirectResponse(inside(after), status_code=_SEE_OTHER)
        return bind(answer, request, language.COOKIE, value=chosen, seconds=_YEAR_SECONDS)

    return router
