"""Which roots the chain holds, what is on its way, and the anchor of any event."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from bookrunner.app.anchors import MARK
from bookrunner.app.settings import SANDBOX_CHAIN
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.routing import Router

_CONFLICT, _LONGEST_VERSION = 409, 18
_SENTENCES = {"event_is_named": "write the id of a record, an at sign and the version of the event"}
_Auditor = Annotated[SignedIn, Depends(requiring(("audit",)))]
_Event = Annotated[str, Query(max_length=400)]


class AnchorsPage:
    """Renders the anchors; an event that cannot be read comes back on the page."""

    def __init__(self, database: Database, shell: Shell) -> None:
        self.keeper, self.shell = Keeper(database, "audit", "bookrunner.audit.record"), shell

    def page(self, request: Request, event: str) -> Response:
        """Return the anchors with the cadence, and what covers the event that was asked for."""
        shown = {
            "event": event,
            "found": None,
            "refusal": None,
            "due": self.keeper.anchor_due(chain_id=SANDBOX_CHAIN),
            "waiting": self.keeper.anchors_waiting(),
            "rows": self.keeper.anchors(),
            "mark": MARK.hex(),
        }
        try:
            if event:
                subject, version, scope = _named(event)
                shown["found"] = self.keeper.anchor_of(subject=subject, version=version, scope=scope)
        except Refused as fault:
            shown["refusal"] = told(fault, _SENTENCES)
        status = 200 if shown["refusal"] is None else _CONFLICT
        return self.shell.page(request, "officer/auditor/anchors.html", shown, status)


def _named(event: str) -> tuple[str, int, str | None]:
    record, _, version = event.rpartition("@")
    scope, _, subject = record.rpartition("/")
    if not subject or not version.isascii() or not version.isdigit() or len(version) > _LONGEST_VERSION:
        raise Refused("event_is_named", "an event is SUBJECT@VERSION")
    return subject, int(version), scope or None


def routes(database: Database, shell: Shell) -> Router:
    """Return the page of anchors."""
    router = Router(prefix="/proof")
    pages = AnchorsPage(database, shell)

    @router.get("/anchors")
    def page(request: Request, _: _Auditor, *, event: _Event = "") -> Response:
        return pages.page(request, event.strip())

    return router
