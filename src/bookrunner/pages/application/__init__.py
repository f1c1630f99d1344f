"""The pages on which an investor applies, from the amount to the signed file."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.books.subscription import Stored
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import encode, new_id
from bookrunner.core.money import read_whole, ungrouped
from bookrunner.db import Keeper, load
from bookrunner.pages.access import SignedIn, acting_for, requiring, signed_in
from bookrunner.pages.application import said, steps
from bookrunner.pages.application.acts import INTENT, Applicant, Papers, known
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router

__all__ = ["routes"]

_CONFLICT, _SEE_OTHER = 409, 303
_KEEPER = "portal"
_QUERIES = "bookrunner.pages.application"
_TEMPLATES = {
    "amount": "application/steps/amount.html",
    "profile": "application/steps/profile.html",
    "consent": "application/steps/consent.html",
    "documents": "application/steps/documents.html",
    "tax_form": "application/steps/tax_form.html",
    "authority": "application/steps/authority.html",
    "ownership": "application/steps/ownership.html",
    "review": "application/steps/review.html",
    "sign": "application/steps/sign.html",
    "file": "application/steps/file.html",
}
_SHOWN_IN_PLACE = frozenset({"application/pdf", "text/plain"})


async def _form_of(request: Request) -> dict[str, str]:
    """Read a form; of a name that comes twice the last one counts, and files are not taken here."""
    async with request.form(max_files=0, max_fields=40) as read:
        return {name: value for name, value in read.items() if isinstance(value, str)}


_Form = Annotated[dict[str, str], Depends(_form_of)]


class Pages:
    """Renders the steps of an application; a refusal comes back on the step it was asked from."""

    def __init__(self, papers: Papers, shell: Shell, operator: str | None) -> None:
        self.papers = papers
        self.shell = shell
        self.operator = operator

    def applicant(self, request: Request, investment: str) -> Applicant:
        """Return the investor of an investment, which alone may apply for it.

        Raises what :func:`bookrunner.pages.access.acting_for` raises.
        """
        found = steps.facts(self.papers.database, investment)
        actor = acting_for(request, found["investment"]["investor_id"], self.operator)
        is_sandbox = signed_in(request) is None
        method = "not signed in, sandbox" if is_sandbox else "session of the investor's own key"
        return Applicant(self.papers, found, actor, known(request, method))

    def page(self, request: Request, one: Applicant, step: str, **shown: object) -> Response:
        """Return the page of a step, or the way to the first open one."""
        first_open = steps.open_step(one.found)
        home = f"/investments/{one.found['investment']['investment_id']}/apply"
        order = steps.order(one.found)
        if step not in order or not steps.may_show(step, first_open):
            return RedirectResponse(f"{home}/{first_open}", status_code=_SEE_OTHER)
        following = order[min(order.index(step) + 1, len(order) - 1)]
        facts: dict[str, Any] = {
            **one.found,
            "home": home,
            "step": step,
            "title": steps.TITLES[step],
            "trail": steps.trail(one.found, step, first_open),
            "back": steps.before(one.found, step),
            "next": following if steps.may_show(following, first_open) else first_open,
            "item": steps.current_item(one.found),
            "statement": one.statement if step == "consent" else "",
            "intent": INTENT,
            "refusal": None,
            **shown,
        }
        # What was not typed is empty; no tick is ever repeated.
        facts["typed"] = defaultdict(str, facts.get("typed", {}))
        chosen = facts["typed"]["form"] or request.query_params.get("form", "")
        facts["chosen"] = chosen if chosen in said.FORMS else ""
        status = 200 if facts["refusal"] is None else _CONFLICT
        return self.shell.page(request, _TEMPLATES[step], facts, status)

    def act(self, request: Request, investment: str, step: str, form: Mapping[str, str]) -> Response:
        """Do what a step asks for and go on; a refusal is shown with what was typed, ticks left out."""
        one = self.applicant(request, investment)
        try:
            one.act(step, form)
        except NotFound:
            raise
        except Refused as refused:
            again = self.applicant(request, investment)
            told = {"rule": refused.rule, "detail": refused.detail}
            return self.page(request, again, step, refusal=told, typed=form)
        return RedirectResponse(f"/investments/{investment}/apply", status_code=_SEE_OTHER)


def routes(papers: Papers, shell: Shell, operator: str | None) -> Router:
    """Return the routes below ``/investments/{id}/apply``, and where an order is opened."""
    router = Router()
    pages = Pages(papers, shell, operator)
    _order_routes(router, papers, shell)

    @router.get("/investments/{investment}/apply")
    def resumed(request: Request, investment: str) -> Response:
        first_open = steps.open_step(pages.applicant(request, investment).found)
        return RedirectResponse(f"/investments/{investment}/apply/{first_open}", status_code=_SEE_OTHER)

    @router.get("/investments/{investment}/apply/sample.pdf")
    def sample(request: Request, investment: str) -> Response:
        content = pages.applicant(request, investment).sample()
        return _file(Stored(content, "application/pdf"))

    @router.get("/investments/{investment}/apply/documents/{sha256}")
    def document(request: Request, investment: str, sha256: str) -> Response:
        return _file(pages.applicant(request, investment).document(sha256))

    @router.get("/investments/{investment}/apply/files/{name}")
    def file(request: Request, investment: str, name: str) -> Response:
        return _file(pages.applicant(request, investment).file(name))

    @router.get("/investments/{investment}/apply/{step}")
    def step(request: Request, investment: str, step: str) -> Response:
        return pages.page(request, pages.applicant(request, investment), step)

    @router.post("/investments/{investment}/apply/{step}")
    def act(request: Request, investment: str, step: str, form: _Form) -> Response:
        return pages.act(request, investment, step, form)

    return router


def _order_routes(router: Router, papers: Papers, shell: Shell) -> None:
    def shown(request: Request, offering: str, **more: object) -> Response:
        with papers.database.transaction("subscription") as transaction:
            offer = load(__package__).offer(transaction, offering=offering)
        if offer is None or offer["status"] != "published":
            raise NotFound(f"there is no offer {offering} to invest in")
        facts = {
            "offer": offer,
            "refusal": None,
            "typed": "",
            "order": new_id("req"),
            "waiting": None,
            **more,
        }
        return shell.page(request, "application/order.html", facts, _CONFLICT if facts["refusal"] else 200)

    @router.get("/offers/{offering}/apply")
    def order(request: Request, offering: str) -> Response:
        mine = {"offering": offering, "investor": requiring((_KEEPER,))(request).name}
        with papers.database.transaction("engine") as transaction:
            waiting = load(__package__).waiting(transaction, **mine)
        return shown(request, offering, waiting=waiting)

    @router.post("/offers/{offering}/apply")
    def begin(request: Request, offering: str, form: _Form) -> Response:
        investor = requiring((_KEEPER,))(request)
        who = {"actor": investor.actor, "offering": offering, "investor": investor.name}
        asked = _Order(form.get("order", ""), form.get("units", ""))
        try:
            _require_principal(form, investor)
            if form.get("choice") == "wait":
                line = Keeper(papers.database, "engine", _QUERIES)
                line.join_waitlist(**who, entry=new_id("wle"), units=asked.units)
                return RedirectResponse(f"/offers/{offering}/apply", status_code=_SEE_OTHER)
            investment = asked.investment(offering, investor.name)
            _reserve(papers, who, investment, asked.units)
        except NotFound:
            raise
        except Refused as refused:
            told = {"rule": refused.rule, "detail": refused.detail}
            return shown(request, offering, refusal=told, typed=asked.typed, order=asked.page)
        return RedirectResponse(f"/investments/{investment}/apply", status_code=_SEE_OTHER)


def _require_principal(form: Mapping[str, str], visitor: SignedIn) -> None:
    """Refuse ``order_is_for_whom_it_was_shown``: a delegate chooses for all tabs of its browser at once."""
    if form.get("investor", "" if visitor.is_delegate else visitor.name) != visitor.name:
        raise Refused("order_is_for_whom_it_was_shown", "you act for somebody else by now; look again")


def _reserve(papers: Papers, who: Mapping[str, str], investment: str, units: int) -> None:
    """Open an order; asked for twice from one page, it is the same order."""
    try:
        Keeper(papers.database, "engine", "bookrunner.engine").open_investment(
            **who, investment=investment, units=units
        )
    except Refused:
        with papers.database.transaction("portal") as transaction:
            if load("bookrunner.pages").investment(transaction, investment=investment) is None:
                raise


@dataclass(frozen=True, slots=True)
class _Order:
    """What an order page asks for: the mark of the page as it was shown, and the units as they were typed."""

    page: str
    typed: str

    @property
    def units(self) -> int:
        """The units; refuses ``units_are_a_whole_number`` and ``comma_stands_before_three_digits``."""
        units = read_whole(ungrouped(self.typed))
        if units is None:
            raise Refused("units_are_a_whole_number", "write the number of units")
        return units

    def investment(self, offering: str, investor: str) -> str:
        """Return the id of the investment, the same whenever this page asks for these units.

        It is a digest, so that nobody can name the investment of another. Refuses ``order_names_its_page``.
        """
        if not self.page:
            raise Refused("order_names_its_page", "open the page of the offer again")
        said = json.dumps([offering, investor, self.page, self.units])
        return f"inv_{encode(int.from_bytes(sha256(said.encode()).digest()[:16]))}"


def _file(stored: Stored) -> Response:
    """Return a file; what a browser could run is handed over for saving only."""
    place = "inline" if stored.media_type in _SHOWN_IN_PLACE else "attachment"
    headers = {"Cache-Control": "private, no-store", "Content-Disposition": place}
    return Response(stored.content, media_type=stored.media_type, headers=headers)
