"""Who viewed whose data, and the bundles that were taken for examinations."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Protocol

from fastapi import Depends, Form, Query, Request
from fastapi.responses import Response

from bookrunner.adapters.documents import Typesetter
from bookrunner.app.examination import Asked, examine
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.routing import Router

_CONFLICT, _MOST = 409, 500
_SENTENCES = {
    "examination_says_its_purpose": "say what it is taken for",
    "examined_period_ends_after_its_begin": "the last day is before the first",
}
_Auditor = Annotated[SignedIn, Depends(requiring(("audit",)))]


class Presses(Protocol):
    """What has something that sets documents."""

    @property
    def press(self) -> Typesetter:
        """What sets the index."""
        ...


class Examinations:
    """Renders the access log and the examinations; a refusal comes back on the page."""

    def __init__(self, database: Database, presses: Presses, shell: Shell) -> None:
        self.database, self.presses, self.shell = database, presses, shell
        self.keeper = Keeper(database, "audit", "bookrunner.audit.record")

    def log(self, request: Request, person: str) -> Response:
        """Return who viewed the data of a person, or of everybody, the latest first."""
        rows = self.keeper.accesses(person=person or None, since=None, until=None, most=_MOST)
        shown = {"person": person, "rows": rows, "most": _MOST}
        return self.shell.page(request, "officer/auditor/access.html", shown)

    def page(self, request: Request, fault: Refused | None = None, **typed: str) -> Response:
        """Return the form of a new examination above those that were taken."""
        shown = {
            "taken": self.keeper.examinations(),
            "typed": {"first": "", "last": "", "purpose": "", **typed},
            "refusal": None if fault is None else told(fault, _SENTENCES),
        }
        status = 200 if fault is None else _CONFLICT
        return self.shell.page(request, "officer/auditor/examinations.html", shown, status)

    def take(self, request: Request, period: tuple[date, date], purpose: str, who: SignedIn) -> Response:
        """Send the bundle of a period of whole days in UTC; it is on record before anything is read."""
        first, last = period
        begin = datetime.combine(first, time(), UTC)
        asked = Asked(begin, datetime.combine(last, time(), UTC) + timedelta(days=1), who.actor, purpose)
        try:
            with tempfile.TemporaryDirectory(prefix="bkr-bundle-") as room:
                made = examine(self.database, self.presses.press, asked, Path(room) / "bundle.zip")
                content = made.path.read_bytes()
        except Refused as fault:
            return self.page(request, fault, first=str(first), last=str(last), purpose=purpose)
        headers = {
            "Content-Disposition": f'attachment; filename="{made.examination}.zip"',
            "Cache-Control": "no-store",
        }
        return Response(content, media_type="application/zip", headers=headers)


def routes(database: Database, presses: Presses, shell: Shell) -> Router:
    """Return the pages of the access log and of examinations."""
    router = Router(prefix="/proof")
    examinations = Examinations(database, presses, shell)

    @router.get("/access")
    def log(request: Request, _: _Auditor, *, person: Annotated[str, Query(max_length=128)] = "") -> Response:
        return examinations.log(request, person.strip())

    @router.get("/examinations")
    def page(request: Request, _: _Auditor) -> Response:
        return examinations.page(request)

    @router.post("/examinations")
    def take(
        request: Request,
        who: _Auditor,
        *,
        first: Annotated[date, Form()],
        last: Annotated[date, Form(le=date(9999, 12, 30))],
        purpose: Annotated[str, Form(max_length=400)] = "",
    ) -> Response:
        return examinations.take(request, (first, last), purpose.strip(), who)

    return router
