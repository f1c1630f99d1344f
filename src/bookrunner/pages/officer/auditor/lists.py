"""Any list under a filter: the first rows of it on the page, all of it as files."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, StringConstraints
from starlette.background import BackgroundTask

from bookrunner.app.lists import LISTS, Filter, export, listed
from bookrunner.core.errors import NotFound, Refused
from bookrunner.db import Database
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.routing import Router

_CONFLICT, _SHOWN, _FILES, _PIECE = 409, 100, "files", 2**16
_SENTENCES: Final = {
    "timeline_is_of_a_person": "name the investor whose timeline it is",
    "list_fits_a_sheet": "narrow the filter",
    "day_is_of_the_calendar": "write a day as 2026-03-31",
}
_Auditor = Annotated[SignedIn, Depends(requiring(("audit",)))]
_Word = Annotated[str, StringConstraints(max_length=128, strip_whitespace=True)]
_Day = Annotated[str, StringConstraints(max_length=10, strip_whitespace=True)]


class Asked(BaseModel):
    """What the form says: a list, its filter, and whether the files are wanted."""

    name: _Word = ""
    offer: _Word = ""
    person: _Word = ""
    status: _Word = ""
    first: _Day = ""
    last: _Day = ""
    take: _Word = ""


class Lists:
    """Renders lists and sends their files; a refusal comes back on the page."""

    def __init__(self, database: Database, shell: Shell) -> None:
        self.database, self.shell = database, shell

    def answer(self, request: Request, who: SignedIn, asked: Asked) -> Response:
        """Return the page of a list under a filter, or its files where those are asked for."""
        shown: dict[str, Any] = {"lists": LISTS, "asked": asked, "found": None, "refusal": None}
        shown["most"] = _SHOWN
        try:
            if asked.name:
                by = _filter(asked)
                if asked.take == _FILES:
                    return self._sent(asked.name, by, actor=who.actor)
                shown["found"] = listed(self.database, asked.name, by, _SHOWN + 1)
        except NotFound:
            raise
        except Refused as fault:
            shown["refusal"] = told(fault, _SENTENCES)
        status = 200 if shown["refusal"] is None else _CONFLICT
        return self.shell.page(request, "officer/auditor/lists.html", shown, status)

    def _sent(self, name: str, by: Filter, *, actor: str) -> Response:
        with ExitStack() as undo:
            file = undo.enter_context(tempfile.TemporaryFile())
            export(self.database, name, by, file, actor=actor)
            undo.pop_all()
        file.seek(0)
        headers = {"Content-Disposition": f'attachment; filename="{name}.zip"', "Cache-Control": "no-store"}
        return StreamingResponse(
            iter(partial(file.read, _PIECE), b""),
            media_type="application/zip",
            headers=headers,
            background=BackgroundTask(file.close),
        )


def _filter(asked: Asked) -> Filter:
    first, last = (_day(asked.first), _day(asked.last))
    return Filter(
        asked.offer or None,
        asked.person or None,
        asked.status or None,
        first,
        None if last is None else last + timedelta(days=1),
    )


def _day(written: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(written), time(), UTC) if written else None
    except ValueError:
        raise Refused("day_is_of_the_calendar", "that is no day") from None


def routes(database: Database, shell: Shell) -> Router:
    """Return the page of lists."""
    router = Router(prefix="/proof")
    pages = Lists(database, shell)

    @router.get("/lists")
    def page(request: Request, who: _Auditor, asked: Annotated[Asked, Query()]) -> Response:
        return pages.answer(request, who, asked)

    return router
