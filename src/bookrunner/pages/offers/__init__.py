"""The list of offers and the closing console."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.adapters.bank import BankFileReader
from bookrunner.adapters.payments import ReferenceRate
from bookrunner.books.subscription import Certificates, Consents
from bookrunner.core.errors import GateClosed, NotFound, Refused
from bookrunner.db import Database, load
from bookrunner.engine.intake import Deposits
from bookrunner.pages.access import requiring, sees_everybody, signed_in
from bookrunner.pages.offers.facts import console
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router

if TYPE_CHECKING:
    from bookrunner.adapters.documents import Typesetter
    from bookrunner.app.capital import Capital
    from bookrunner.books.subscription import PacketDesk

__all__ = ["Desk", "routes"]

_CONFLICT = 409
_KEEPER = "engine"
_Page = Annotated[int, Query(ge=1, le=10_000)]


class Desk(Protocol):
    """What the console asks of the application.

    ``close_offer`` freezes a closing of all investments, or of those ``ready``, and returns its id; it raises
    GateClosed with every missing condition, or another Refused. ``dry_run`` changes nothing and returns a
    mapping for each candidate with investment_id, units, amount_minor and missing.
    """

    @property
    def database(self) -> Database:
        """The keepers' logins."""
        ...

    @property
    def bank_files(self) -> BankFileReader:
        """What reads the files of a bank."""
        ...

    @property
    def rate_files(self) -> Callable[[bytes], Sequence[ReferenceRate]]:
        """What reads a file of reference rates."""
        ...

    @property
    def consents(self) -> Consents:
        """What asks for consent to electronic records."""
        ...

    @property
    def signing(self) -> PacketDesk:
        """What carries packets from the investor's signature to the executed file."""
        ...

    @property
    def capital(self) -> Capital:
        """The intake of institutions."""
        ...

    @property
    def certificates(self) -> Certificates:
        """What makes the sealed sheet of a closing."""
        ...

    @property
    def identity_sources(self) -> Sequence[str]:
        """The identity providers that can be asked."""
        ...

    def ask_identity(self, provider: str, investor: str, *, actor: str) -> bool:
        """Ask an identity provider about an investor; false where it says nothing new."""
        ...

    @property
    def deposits(self) -> Deposits | None:
        """What watches deposit addresses; None where there are none."""
        ...

    @property
    def press(self) -> Typesetter:
        """What sets statements of holders."""
        ...

    def compare_records(self, offering: str, *, actor: str) -> int:
        """Compare the records of the agent with the chain; return how many pairs differ."""
        ...

    def wallet_challenge(self, offering: str, investor: str, written: str, *, domain: str) -> tuple[str, str]:
        """Keep what a wallet has to sign; return id and text."""
        ...

    def claim_wallet(self, offering: str, investor: str, challenge: str, signature: bytes) -> str:
        """Record a wallet that signed its challenge; return the claim's id."""
        ...

    def link_wallet(self, offering: str, mapping: str, *, actor: str) -> None:
        """Make an approved wallet effective."""
        ...

    def join_wallet(self, offering: str, mapping: str, *, actor: str) -> None:
        """Make an approved wallet effective beside the linked one."""
        ...

    def close_offer(self, offering: str, *, actor: str, ready: bool) -> str:
        """Freeze a closing and return its id."""
        ...

    def dry_run(self, offering: str) -> Sequence[Mapping[str, Any]]:
        """Return each candidate of a closing with what it lacks."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """Which part of the list of missing investments is asked for."""

    keeper: str = ""
    page: int = 1

    @property
    def query(self) -> str:
        """The query string of this view, empty for the plain one."""
        asked = {"keeper": self.keeper, "page": self.page if self.page > 1 else ""}
        text = urlencode({name: value for name, value in asked.items() if value})
        return f"?{text}" if text else ""


def view(keeper: str = "", page: _Page = 1) -> View:
    """Read the view from the query string."""
    return View(keeper, page)


_Asked = Annotated[View, Depends(view)]


def refusal_of(refused: Refused) -> dict[str, object]:
    """Return a refusal as the page shows it, its conditions by investment."""
    missing = [
        {
            "investment": m.investment_id,
            "condition": m.condition,
            "keeper": m.keeper,
            "since": m.since,
            "lacks": [],
        }
        for m in (refused.missing if isinstance(refused, GateClosed) else ())
    ]
    grouped: dict[str, list[dict[str, object]]] = {}
    for item in missing:
        grouped.setdefault(str(item["investment"]), []).append(item)
    return {
        "rule": refused.rule,
        "detail": "" if missing else refused.detail,
        "missing": missing,
        "by_investment": grouped,
    }


class Console:
    """Renders the console of one offer in each of its forms."""

    def __init__(self, desk: Desk, shell: Shell, operator: str | None) -> None:
        self.operator = operator
        self.desk = desk
        self.shell = shell

    def facts(self, offering: str, asked: View) -> dict[str, object]:
        """Read the console's facts; raises NotFound for an unknown offer."""
        return console(self.desk.database, offering, asked.keeper, asked.page)

    def page(self, request: Request, offering: str, asked: View, **extra: object) -> Response:
        """Return the whole page, with a refusal, a dry run or a fresh closing when there is one."""
        shown: dict[str, object] = {"refusal": None, "closed": "", "trial": None, "query": asked.query}
        shown |= {"closer": _KEEPER, "operator": self.operator}
        status = _CONFLICT if extra.get("refusal") else 200
        facts = {**self.facts(offering, asked), **shown, **extra}
        return self.shell.page(request, "offers/console.html", facts, status)

    def terms(self, request: Request, offering: str) -> Response:
        """Return what everybody may read of an offer, and to an investor its own investments."""
        return self.shell.page(request, "offers/terms.html", self._own(request, offering))

    def home(self, request: Request) -> Response:
        """Return an investor's own investments, and the offers that are published."""
        return self.shell.page(request, "offers/home.html", self._own(request, None))

    def _own(self, request: Request, offering: str | None) -> dict[str, object]:
        visitor, queries = signed_in(request), load("bookrunner.pages")
        with self.desk.database.transaction("engine") as transaction:
            offers = list(queries.offer_terms(transaction, offering=offering, is_stranger=visitor is None))
            mine = (
                ()
                if visitor is None
                else queries.own_investments(transaction, offering=offering, investor=visitor.name)
            )
        return {"offers": offers, "investments": list(mine)}

    def now(self, request: Request, offering: str, asked: View) -> Response:
        """Return the part that changes."""
        return self.shell.fragment(request, "offers/now.html", self.facts(offering, asked))

    def close(self, request: Request, offering: str, *, ready: bool) -> Response:
        """Ask for a closing; a refusal comes back as the same page with all its conditions.

        Raises NotAuthenticated ``person_is_signed_in`` and NotAllowed ``key_serves_this_keeper``.
        """
        if self.operator is not None and signed_in(request) is None:
            actor = self.operator
        else:
            actor = requiring((_KEEPER,))(request).actor
        try:
            closing = self.desk.close_offer(offering, actor=actor, ready=ready)
        except Refused as refused:
            return self.page(request, offering, View(), refusal=refusal_of(refused))
        return RedirectResponse(f"/offers/{offering}?closed={closing}", status_code=303)


def routes(desk: Desk, shell: Shell, operator: str | None) -> Router:
    """Return the routes of offers; a key of the engine asks for closings, or ``operator``, if any."""
    router = Router()
    pages = Console(desk, shell, operator)

    @router.get("/")
    def offers(request: Request) -> Response:
        if not sees_everybody(request, operator):
            return pages.home(request)
        with desk.database.transaction("engine") as transaction:
            found = load("bookrunner.pages").offers(transaction, offering=None)
        return shell.page(request, "offers/list.html", {"offers": found})

    @router.get("/offers/{offering}")
    def offer(
        request: Request, offering: str, *, asked: _Asked, dry_run: bool = False, closed: str = ""
    ) -> Response:
        if not sees_everybody(request, operator):
            return pages.terms(request, offering)
        trial = desk.dry_run(offering) if dry_run else None
        return pages.page(request, offering, asked, trial=trial, closed=closed)

    @router.get("/offers/{offering}/now")
    def now(request: Request, offering: str, asked: _Asked) -> Response:
        return pages.now(request, offering, asked)

    @router.post("/offers/{offering}/close")
    def close(
        request: Request, offering: str, chosen: Annotated[Literal["all", "ready"], Form(alias="set")]
    ) -> Response:
        return pages.close(request, offering, ready=chosen == "ready")

    @router.get("/offers/{offering}/closings/{closing}/certificate")
    def certificate(offering: str, closing: str) -> Response:
        with desk.database.transaction("engine") as transaction:
            text = load("bookrunner.pages").certificate(transaction, offering=offering, closing=closing)
        if text is None:
            raise NotFound(f"{closing} has no certificate")
        return Response(text, media_type="application/json")

    @router.get("/offers/{offering}/closings/{closing}/certificate.pdf")
    def sheet(offering: str, closing: str) -> Response:
        stored = desk.certificates.sheet(offering, closing)
        return Response(stored.content, media_type=stored.media_type)

    return router
