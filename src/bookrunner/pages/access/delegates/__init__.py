"""Who acts for an investor: named on its own page, accepted on the delegate's, ended by either at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.core import clock
from bookrunner.core.errors import Malformed, NotAuthenticated, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.status import status_of
from bookrunner.db import Database, Keeper, Row, load
from bookrunner.pages.access.door import FOR_WHOM, bind
from bookrunner.pages.access.people import People
from bookrunner.pages.access.visitor import SignedIn, signed_in
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.language import later
from bookrunner.pages.shell.routing import Router, take_in

__all__ = ["routes"]

_SEE_OTHER: Final = 303
_WORKING_DAY_SECONDS: Final = 8 * 3600
_MOST: Final = 100
_DAYS: Final = 365
SCOPES: Final = (
    (
        "see",
        later("See only"),
        later("Profile with its values hidden, holdings with statements, investments, notices."),
    ),
    (
        "prepare",
        later("Prepare"),
        later("Also opens orders and joins waitlists, which you confirm and sign yourself."),
    ),
    (
        "act",
        later("Act for the investor"),
        later("Also asks for transfers, posts and takes interests, says that money was sent, and cancels."),
    ),
)
STATES: Final = {
    "named": ("waiting", "wait", later("waits for the delegate")),
    "in_force": ("confirmed", "good", later("in force")),
    "declined": ("refused", "bad", later("declined")),
    "ended": ("cancelled", "grey", later("ended")),
}
_SENTENCES: Final = {
    "delegate_has_an_account_of_its_own": later("write the name of the delegate's account, such as dlg_…"),
    "one_delegation_of_two_at_a_time": later("this delegate is named already; end that delegation first"),
    "delegation_ends_within_two_years": later("a delegation ends within two years"),
    "delegation_ends_in_days_to_come": later("choose an end that is still to come"),
    "delegation_has_a_known_scope": later("choose what the delegate may do"),
    "account_is_of_a_delegate": later("there is no such account of a delegate"),
    "delegation_waits_for_its_delegate": later("it has been answered, ended or is over"),
    "delegation_stands": later("it has ended, or has not begun"),
}


def _itself(request: Request) -> SignedIn:
    """Return the investor or delegate whom the wall let in."""
    visitor = signed_in(request)
    if visitor is None:
        raise NotAuthenticated("person_is_signed_in", "sign in to see this page")
    return visitor


_Itself = Annotated[SignedIn, Depends(_itself)]


class Delegates:
    """Renders and writes delegations, under the portal's login; accounts are made under their own."""

    def __init__(self, database: Database, shell: Shell) -> None:
        self.database, self.shell, self.people = database, shell, People(database)
        self.keeper = Keeper(database, "portal", __name__)

    def own(
        self, request: Request, investor: SignedIn, fault: Refused | None = None, **shown: str
    ) -> Response:
        """Return whom an investor has named, and the form that names another."""
        facts = {
            "rows": self.keeper.delegates_of(investor=investor.name, most=_MOST),
            "last_day": (clock.today() + timedelta(days=_DAYS)).isoformat(),
            "invitation": "",
            "delegate": "",
            **shown,
        }
        return self._page(request, "access/delegates/own.html", facts, fault)

    def acting(self, request: Request, delegate: SignedIn, fault: Refused | None = None) -> Response:
        """Return for whom a delegate acts, and what waits for its word."""
        rows: Sequence[Row] = self.keeper.delegations_of(delegate=delegate.person, most=_MOST)
        return self._page(request, "access/delegates/acting.html", {"rows": rows}, fault)

    def name(self, investor: SignedIn, delegate: str, scope: str, until: str) -> tuple[str, str]:
        """Name a delegate until the end of a day in UTC; return its name and its invitation, if any.

        Without a name an account is made for somebody new, whose invitation is shown once. Refuses
        ``account_is_of_a_delegate`` and what the book refuses.
        """
        is_new = not delegate
        if not is_new:
            self._known(delegate)
        name = delegate or new_id("dlg")
        self.keeper.name_delegate(
            actor=investor.actor,
            investor=investor.name,
            delegation=new_id("dgn"),
            said={"delegate": name, "scope": scope, "until": _end_of(until).isoformat()},
        )
        if not is_new:
            return name, ""
        self.people.propose(name, "portal", actor=investor.actor)
        return name, self.people.invite(name, actor=investor.actor)

    def answer(self, delegate: SignedIn, delegation: str, act: str) -> None:
        """Do what a delegate asks with a delegation: accept, decline, end, enter or leave it.

        Refuses ``delegation_waits_for_its_delegate``, ``delegation_stands`` and
        ``decision_is_one_of_those_offered``.
        """
        by = {"actor": delegate.actor, "delegation": delegation}
        if act in {"accept", "decline"}:
            self.keeper.answer_delegation(**by, is_accepted=act == "accept")
        elif act == "end":
            self.keeper.end_delegation(**by)
        elif act == "enter":
            with self.database.transaction("portal") as transaction:
                stands = load("bookrunner.pages.access").delegation_in_force(
                    transaction, delegation=delegation, delegate=delegate.person
                )
            if stands is None:
                raise Refused("delegation_stands", "it has ended, or has not begun")
        elif act != "leave":
            raise Refused("decision_is_one_of_those_offered", "choose one of the acts")

    def _known(self, delegate: str) -> None:
        found = self.people.ask("by_name", name=delegate)
        if found is None or found["status"] not in {"invited", "active"} or not delegate.startswith("dlg_"):
            raise Refused("account_is_of_a_delegate", f"there is no delegate {delegate}")

    def _page(
        self, request: Request, template: str, facts: dict[str, object], fault: Refused | None
    ) -> Response:
        refusal = None if fault is None else told(fault, _SENTENCES)
        titles = {scope: title for scope, title, _ in SCOPES}
        shared = {
            "scopes": SCOPES,
            "titles": titles,
            "states": STATES,
            "now": clock.now(),
            "refusal": refusal,
        }
        status = 200 if fault is None else int(status_of(fault))
        return self.shell.page(request, template, facts | shared, status)


def _end_of(day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError):
        raise Malformed("day_is_a_date", "write a day as 2026-03-02") from None


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes of ``/delegates``, an investor's own, and of ``/delegations``, a delegate's."""
    pages = Delegates(database, shell)
    router = Router()
    take_in(router, _own_routes(pages))
    take_in(router, _acting_routes(pages))
    return router


def _own_routes(pages: Delegates) -> Router:
    router = Router(prefix="/delegates")

    @router.get("")
    def shown(request: Request, investor: _Itself) -> Response:
        return pages.own(request, investor)

    @router.post("")
    def named(
        request: Request,
        investor: _Itself,
        *,
        delegate: Annotated[str, Form(max_length=80)] = "",
        scope: Annotated[str, Form(max_length=20)] = "",
        until: Annotated[str, Form(max_length=10)] = "",
    ) -> Response:
        try:
            name, invitation = pages.name(investor, delegate.strip(), scope, until)
        except Refused as fault:
            return pages.own(request, investor, fault, delegate=delegate)
        if not invitation:
            return RedirectResponse("/delegates", status_code=_SEE_OTHER)
        return pages.own(request, investor, invitation=invitation, delegate=name)

    @router.post("/{delegation}/end")
    def ended(request: Request, investor: _Itself, delegation: str) -> Response:
        try:
            pages.keeper.end_delegation(actor=investor.actor, delegation=delegation)
        except Refused as fault:
            return pages.own(request, investor, fault)
        return RedirectResponse("/delegates", status_code=_SEE_OTHER)

    return router


def _acting_routes(pages: Delegates) -> Router:
    router = Router(prefix="/delegations")

    @router.get("")
    def shown(request: Request, delegate: _Itself) -> Response:
        return pages.acting(request, delegate)

    @router.post("/{delegation}/{act}")
    def done(request: Request, delegate: _Itself, delegation: str, act: str) -> Response:
        try:
            pages.answer(delegate, delegation, act)
        except Refused as fault:
            return pages.acting(request, delegate, fault)
        home = "/holdings" if act == "enter" else "/delegations"
        answer = RedirectResponse(home, status_code=_SEE_OTHER)
        if act == "enter":
            bind(answer, request, FOR_WHOM, value=delegation, seconds=_WORKING_DAY_SECONDS)
        elif act == "leave":
            bind(answer, request, FOR_WHOM)
        return answer

    return router
