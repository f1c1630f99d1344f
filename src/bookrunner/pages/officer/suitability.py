"""How an investor stands with the suitability questions of an offer; the answers are shown for a purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from fastapi.responses import Response

from bookrunner.books import compliance, portal
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router

_CONFLICT = 409
SAYS = {
    "not_asked": ("no knowledge is asked for", "progress", "grey"),
    "not_needed": ("not a retail client; nothing is to be judged", "confirmed", "good"),
    "appropriate": ("appropriate for this client", "confirmed", "good"),
    "warned": ("not appropriate; the client confirmed the warning", "waiting", "wait"),
    "warning_is_due": ("not appropriate; the client is to be warned", "missing", "bad"),
}
_In = Annotated[SignedIn, Depends(requiring(("compliance",)))]
_Purpose = Annotated[str, Form(max_length=400)]


class Answers:
    """Renders the questions of an offer with the answers of one investor."""

    def __init__(self, database: Database, shell: Shell) -> None:
        self.office = compliance.office(database)
        self.portal = portal.keeper(database)
        self.shell = shell

    def page(self, request: Request, on: tuple[str, str], **extra: object) -> Response:
        """Return the page of (offering, investor); raises NotFound where the offer asks nothing."""
        offering, investor = on
        head: Mapping[str, Any] | None = self.office.suitability_of(offering=offering, investor=investor)
        if head is None:
            raise NotFound(f"{offering} asks no questions")
        shown = {"head": head, "investor": investor, "questions": None, "says": None, "refusal": None}
        status = _CONFLICT if extra.get("refusal") else 200
        return self.shell.page(request, "officer/suitability.html", {**shown, **extra}, status)

    def show(self, request: Request, on: tuple[str, str], purpose: str, who: SignedIn) -> Response:
        """Show the answers once; the view is recorded before they are shown."""
        offering, investor = on
        given = {"offering": offering, "investor": investor}
        try:
            answers = self.portal.view_suitability(
                actor=who.actor, view=new_id("pvw"), purpose=purpose, **given
            )
        except NotFound:
            raise
        except Refused as fault:
            return self.page(request, on, refusal={"rule": fault.rule, "detail": fault.detail})
        head = self.office.suitability_of(**given)
        if head is None or answers is None:
            raise NotFound(f"{investor} has answered nothing for {offering}")
        asked = self.office.questions_with(
            offering=offering, questionnaire=head["answered_no"], answers=answers
        )
        says = None
        if head["answered_no"] == head["questionnaire_no"]:
            said = {"answers": answers, "is_warned": head["is_warned"]}
            says = SAYS[self.office.appropriateness(**given, **said)]
        return self.page(request, on, questions=asked, says=says)


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes of the answers to suitability questions."""
    router = Router(prefix="/suitability")
    pages = Answers(database, shell)

    @router.get("/{offering}/{investor}")
    def page(request: Request, offering: str, investor: str, _: _In) -> Response:
        return pages.page(request, (offering, investor))

    @router.post("/{offering}/{investor}")
    def show(request: Request, offering: str, investor: str, who: _In, *, purpose: _Purpose = "") -> Response:
        return pages.show(request, (offering, investor), purpose, who)

    return router
