"""The votes of what an investor holds: its units at the record date, the ballot, the delegate, the result."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database
from bookrunner.engine.life.servicing.actions import actions_of
from bookrunner.pages.investment.own.itself import Itself
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.language import later
from bookrunner.pages.shell.routing import Router

_CONFLICT, _SEE_OTHER = 409, 303
_SAID: Final = {
    "ballot_is_cast_in_time": later("the vote is over"),
    "delegate_is_another_investor": later("name another investor by its id"),
    "ballot_is_for_against_or_abstains": later("choose for, against or abstain"),
    "delegate_has_a_proxy": later("the holder votes itself, or through somebody else"),
}
_CHOICES: Final = {"for": later("In favour"), "against": later("Against"), "abstain": later("Abstain")}


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes of ``/votes``; an investor casts its own ballot, and those under a proxy."""
    router = Router(prefix="/votes")
    keeper = actions_of(database)

    def page(request: Request, investor: str, refusal: Refused | None = None) -> Response:
        shown = {
            "votes": list(keeper.own_votes(investor=investor)),
            "choices": _CHOICES,
            "refusal": None if refusal is None else told(refusal, _SAID),
        }
        status = 200 if refusal is None else _CONFLICT
        return shell.page(request, "investment/own/servicing/votes/list.html", shown, status)

    def find(investor: str, position: tuple[str, str, str]) -> None:
        offering, vote, holder = position
        on = {"offering": offering, "vote": vote, "holder": holder}
        if keeper.votes_with(investor=investor, **on) is None:
            raise NotFound("there is no such vote of yours")

    @router.get("")
    def mine(request: Request, investor: Itself) -> Response:
        return page(request, investor.name)

    @router.post("/{offering}/{vote}")
    def cast(
        request: Request,
        investor: Itself,
        offering: str,
        vote: str,
        *,
        choice: Annotated[str, Form(max_length=20)] = "",
        holder: Annotated[str, Form(max_length=70)] = "",
    ) -> Response:
        whose = holder or investor.name
        find(investor.name, (offering, vote, whose))
        delegate = None if whose == investor.name else investor.name
        by = {"actor": investor.actor, "offering": offering, "vote": vote, "investor": whose}
        try:
            keeper.cast_ballot(**by, choice=choice, delegate=delegate)
        except Refused as refused:
            return page(request, investor.name, refused)
        return RedirectResponse("/votes", status_code=_SEE_OTHER)

    @router.post("/{offering}/{vote}/proxy")
    def delegate(
        request: Request,
        investor: Itself,
        offering: str,
        vote: str,
        *,
        named: Annotated[str, Form(alias="delegate", max_length=70)] = "",
    ) -> Response:
        find(investor.name, (offering, vote, investor.name))
        by = {"actor": investor.actor, "offering": offering, "vote": vote, "investor": investor.name}
        try:
            keeper.give_proxy(**by, proxy=new_id("prx"), delegate=named.strip() or None)
        except Refused as refused:
            return page(request, investor.name, refused)
        return RedirectResponse("/votes", status_code=_SEE_OTHER)

    return router
