"""Any record at any past moment: what it said, who made each version, when it happened, when it was known."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Form, Query, Request
from fastapi.responses import Response

from bookrunner.app.records import look
from bookrunner.audit.record import History, Version, history_of
from bookrunner.core import clock
from bookrunner.core.errors import Malformed, NotFound, Refused
from bookrunner.db import Database, Within, load
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.routing import Router

_CONFLICT = 409
_TEMPLATE = "officer/auditor/records.html"
_SENTENCES = {
    "record_exists": "there is no such record, or there was none yet at that moment",
    "view_says_its_purpose": "say why you need to see it",
}
_Auditor = Annotated[SignedIn, Depends(requiring(("audit",)))]
_Record = Annotated[str, Query(max_length=260)]
_At = Annotated[str, Query(pattern=r"^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$")]


class Records:
    """Renders a record at a moment; a refusal comes back on the page it was asked from."""

    def __init__(self, database: Database, shell: Shell) -> None:
        self.database = database
        self.shell = shell

    def page(self, request: Request, record: str, at: str, fault: Refused | None = None) -> Response:
        """Return the form, and below it the record that was asked for."""
        shown: dict[str, Any] = {"record": record, "at": at, "found": None, "said": None, "refusal": None}
        moment = _moment(at)
        if record and fault is None:
            try:
                with self.database.transaction("audit") as transaction:
                    found = history_of(Within(transaction, load("bookrunner.audit.record")), record)
                shown |= _seen(found, found.at(moment), moment)
            except (Refused, NotFound) as refused:
                fault = refused if isinstance(refused, Refused) else Refused("record_exists", "")
        if fault is not None:
            shown["refusal"] = told(fault, _SENTENCES)
        return self.shell.page(request, _TEMPLATE, shown, 200 if fault is None else _CONFLICT)

    def look(self, request: Request, asked: tuple[str, str], purpose: str, who: SignedIn) -> Response:
        """Show what events leave out once; the look is recorded before it is shown."""
        record, at = asked
        moment = _moment(at)
        try:
            looked = look(self.database, record, moment, actor=who.actor, purpose=purpose)
        except Refused as fault:
            return self.page(request, record, at, fault)
        said = [
            (name, "erased since" if word.is_erased else written(word.said))
            for name, word in looked.words.items()
        ]
        if looked.personal is not None:
            said += list(looked.personal.items()) or [("profile", "erased since")]
        shown = {"record": record, "at": at, "said": said, "refusal": None}
        return self.shell.page(request, _TEMPLATE, shown | _seen(looked.history, looked.version, moment))


def written(value: object) -> str:
    """Write what a field says as a person reads it."""
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _seen(found: History, seen: Version | None, moment: datetime) -> dict[str, Any]:
    if seen is None:
        raise Refused("record_exists", "")
    return {
        "found": found,
        "seen": seen,
        "late": {each.version for each in found.late(moment)},
        "written": written,
        "versions": found.versions[::-1],
    }


def _moment(at: str) -> datetime:
    try:
        return datetime.fromisoformat(at).replace(tzinfo=UTC) if at else clock.now()
    except ValueError:
        raise Malformed("moment_is_one_of_the_calendar", f"{at} is no moment of the calendar") from None


def routes(database: Database, shell: Shell) -> Router:
    """Return the page of records; what events leave out takes a purpose, which is on record."""
    router = Router(prefix="/proof")
    records = Records(database, shell)

    @router.get("")
    def page(request: Request, _: _Auditor, *, record: _Record = "", at: _At = "") -> Response:
        return records.page(request, record.strip(), at)

    @router.post("/looks")
    def looked(
        request: Request,
        who: _Auditor,
        *,
        record: Annotated[str, Form(max_length=260)],
        at: Annotated[str, Form(pattern=r"^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$")] = "",
        purpose: Annotated[str, Form(max_length=400)] = "",
    ) -> Response:
        return records.look(request, (record.strip(), at), purpose, who)

    return router
