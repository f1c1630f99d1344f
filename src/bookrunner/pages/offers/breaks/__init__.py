"""The breaks of an offer with their state and age, and what people of their owners do with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.core.credentials import KEEPERS
from bookrunner.core.errors import Malformed, NotFound, Refused
from bookrunner.db import Database, Keeper, load
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.routing import Router

_CONFLICT, _SEE_OTHER, _MOST = 409, 303, 500
STATES: Final[Mapping[str, tuple[str, str, str]]] = {
    "open": ("refused", "bad", "open"),
    "assigned": ("waiting", "wait", "assigned"),
    "explained": ("progress", "calm", "explained"),
    "corrected": ("progress", "calm", "corrected"),
    "verified": ("confirmed", "good", "verified"),
}
_TONES: Final = {"high": "bad", "medium": "wait", "low": "grey"}
_Text = Annotated[str, Form(max_length=2000)]
_Version = Annotated[str, Form(max_length=18)]


class Breaks:
    """Renders the page; a refusal comes back on it."""

    def __init__(self, database: Database, shell: Shell) -> None:
        self._database = database
        self._shell = shell

    def page(
        self, request: Request, offering: str, *, verified: bool, refusal: Refused | None = None
    ) -> Response:
        """Return the breaks that stand, or those that are verified; raises NotFound for an unknown offer."""
        queries = load("bookrunner.pages")
        with self._database.transaction("engine") as transaction:
            (offer,) = tuple(queries.offers(transaction, offering=offering)) or (None,)
            if offer is None:
                raise NotFound(f"there is no offer {offering}")
            rows = list(queries.worked_breaks(transaction, offering=offering, verified=verified, most=_MOST))
            runs = list(queries.runs(transaction, offering=offering))
            due = queries.due_run(transaction, offering=offering)
        shown: dict[str, Any] = {"offer": offer, "rows": rows, "runs": runs, "due": due, "states": STATES}
        shown |= {"tones": _TONES, "is_verified": verified}
        shown["refusal"] = None if refusal is None else told(refusal, {})
        status = 200 if refusal is None else _CONFLICT
        return self._shell.page(request, "offers/breaks/list.html", shown, status)

    def act(self, who: SignedIn, offering: str, said: Mapping[str, str]) -> None:
        """Do what a form asks for.

        Refuses ``decision_is_one_of_those_offered`` and what the reconciliation refuses.
        """
        keeper = Keeper(self._database, "reconciliation", "bookrunner.reconciliation")
        if not said["seen"].isascii() or not said["seen"].isdigit():
            raise Malformed("version_is_a_number", "the page that was shown names the version of the break")
        by: dict[str, object] = {"actor": who.actor, "offering": offering, "break_id": said["break_id"]}
        by |= {"keeper": who.keeper, "version": int(said["seen"])}
        words = said["words"].strip()
        acts: Mapping[str, Callable[[], object]] = {
            "assign": lambda: keeper.assign_break(**by, person=words or who.name),
            "explain": lambda: keeper.answer_break(**by, is_corrected=False, answer=words),
            "correct": lambda: keeper.answer_break(**by, is_corrected=True, answer=words),
            "accept": lambda: keeper.accept_break(**by, because=words),
        }
        if said["act"] not in acts:
            raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
        acts[said["act"]]()


def break_routes(database: Database, shell: Shell) -> Router:
    """Return the page of breaks; staff reads it, and a session of a keeper acts on it."""
    router = Router()
    pages = Breaks(database, shell)

    @router.get("/offers/{offering}/breaks")
    def breaks(request: Request, offering: str, *, verified: Annotated[bool, Query()] = False) -> Response:
        return pages.page(request, offering, verified=verified)

    @router.post("/offers/{offering}/breaks")
    def act(
        request: Request,
        offering: str,
        *,
        chosen: Annotated[str, Form(alias="act")],
        break_id: Annotated[str, Form(alias="break")],
        seen: _Version,
        words: _Text = "",
    ) -> Response:
        who = requiring(KEEPERS)(request)
        said = {"act": chosen, "break_id": break_id, "seen": seen, "words": words}
        try:
            pages.act(who, offering, said)
        except NotFound:
            raise
        except Refused as refused:
            return pages.page(request, offering, verified=False, refusal=refused)
        return RedirectResponse(f"/offers/{offering}/breaks", status_code=_SEE_OTHER)

    return router
