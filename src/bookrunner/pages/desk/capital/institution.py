"""What an institution sees of itself: its requests for an offer, and the form of a new one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.adapters.vault import Vault
from bookrunner.app.capital import Capital
from bookrunner.core.errors import NotAllowed, NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import parse, ungrouped
from bookrunner.core.status import status_of
from bookrunner.db import Database, load
from bookrunner.engine.allocation.capital import Asked
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.desk.capital import _form_of
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router

_SEE_OTHER = 303
_FIELDS = ("tranche", "amount", "statement")


def _institution(request: Request) -> SignedIn:
    """Return the institution that is signed in; its key has its own name."""
    visitor = requiring(("portal",))(request)
    if not visitor.is_investor:
        raise NotAllowed("key_names_its_institution", "this takes the institution's own key")
    return visitor


_UNPUBLISHED = frozenset({"draft", "new", "legal_review", "legal_declined", "legal_accepted"})
_In = Annotated[SignedIn, Depends(_institution)]


def routes(database: Database, capital: Capital, shell: Shell) -> Router:
    """Return the routes of ``/offers/{id}/institution``."""
    router, safe = Router(), Vault.of(database.endpoint.secrets)

    def shown(request: Request, visitor: SignedIn, offering: str, **more: Any) -> Response:  # noqa: ANN401
        with database.transaction("engine") as transaction:
            queries = load(__package__)
            offer = queries.offer(transaction, offering=offering)
            own = list(queries.own_requests(transaction, offering=offering, entity=visitor.name))
        if offer is None or offer["status"] in _UNPUBLISHED:
            raise NotFound(f"there is no offer {offering}")
        facts = {
            "offer": offer,
            "requests": own,
            "is_open": capital.intakes.is_open and offer["status"] == "published",
            "has_scorer": capital.intakes.is_open,
            "key": new_id("req"),
            "typed": dict.fromkeys(_FIELDS, ""),
            "refusal": None,
            **more,
        }
        status = more.get("status", 200)
        return shell.page(request, "desk/capital/institution.html", facts, status)

    @router.get("/offers/{offering}/institution")
    def look(request: Request, offering: str, visitor: _In) -> Response:
        return shown(request, visitor, offering)

    @router.post("/offers/{offering}/institution")
    def ask(
        request: Request, offering: str, visitor: _In, *, form: Annotated[dict[str, str], Depends(_form_of)]
    ) -> Response:
        typed = {name: form.get(name, "").strip() for name in _FIELDS}
        try:
            capital.intakes.take_now(_asked(safe, (offering, visitor), typed, form.get("request", "")))
        except NotFound:
            raise
        except Refused as refused:
            told = {"rule": refused.rule, "detail": refused.detail}
            again = {"typed": typed, "key": form.get("request", ""), "status": status_of(refused)}
            return shown(request, visitor, offering, refusal=told, **again)
        return RedirectResponse(f"/offers/{offering}/institution", status_code=_SEE_OTHER)

    return router


def _asked(safe: Vault, on: tuple[str, SignedIn], typed: dict[str, str], key: str) -> Asked:
    """Return what a form asks; the same words from the same page are the same request."""
    amount = parse(ungrouped(typed["amount"]), "USD")
    offering, visitor = on
    # Keyed, as the API keeps it: the words of a statement may be a person's.
    digest = safe.blind("institution's form", "\n".join((offering, *typed.values())))
    return Asked(
        offering=offering,
        entity=visitor.name,
        actor=visitor.actor,
        request=f"{key[:80]}.{digest.hex()[:16]}",
        body_sha256=digest,
        tranche=typed["tranche"],
        amount_minor=amount.minor,
        currency=amount.currency.code,
        statement=typed["statement"],
    )
