"""The suspicious-activity desk: cases under seal, their clock, two people; others find no such page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.books import compliance
from bookrunner.core.errors import NotAuthenticated, NotFound, Refused, VersionChanged
from bookrunner.core.ids import new_id
from bookrunner.db import Database
from bookrunner.pages.access import SignedIn, signed_in
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.routing import Router

_CONFLICT, _STALE, _SEE_OTHER = 409, 412, 303
_HOME = "/compliance/desk"
KINDS = (
    "investor",
    "owner",
    "party",
    "hit",
    "wallet",
    "receipt",
    "payment",
    "refund",
    "investment",
    "transfer",
)
_MARKS = {
    "open": ("missing", "bad"),
    "proposed": ("waiting", "wait"),
    "to_report": ("missing", "bad"),
    "filed": ("confirmed", "good"),
    "closed": ("confirmed", "good"),
}
_REPORT = ("report", "Report", "A second officer agrees; then it is to be filed by its date.")
_NOT = ("no_report", "No report", "A second officer agrees; then the case is closed with its reasons.")
_AGREE = ("agreed", "Agree", "The first decision counts from now on.")
_AGAIN = ("sent_back", "Send back", "It waits for a first decision again.")
_CHOICES = {"open": (_REPORT, _NOT), "proposed": (_AGREE, _AGAIN)}
_SENTENCES = {
    "suspicion_needs_two_people": "whoever proposed this cannot agree to it; another officer decides",
    "suspicion_outcome_is_known": "choose one of the decisions",
    "filed_suspicion_has_its_proof": "write the identifier that FinCEN gave the filing",
    "suspicion_is_about_a_known_kind": "choose what kind of record it is",
    "suspicion_names_its_record": "write the id of the record",
    "suspicion_is_filed_after_detection": "a report is filed after what it reports was noticed",
}

_Line = Annotated[str, Form(max_length=200)]
_Text = Annotated[str, Form(max_length=4000)]
_Day = Annotated[str, Form(pattern=r"^\d{4}-\d{2}-\d{2}$")]


def officer(request: Request) -> SignedIn:
    """Return the officer who asks; people of other keepers are told that there is no such page."""
    visitor = signed_in(request)
    if visitor is None:
        raise NotAuthenticated("person_is_signed_in", "sign in to see this page")
    if visitor.keeper != "compliance":
        raise NotFound("there is no such page")
    return visitor


_In = Annotated[SignedIn, Depends(officer)]


@dataclass(frozen=True, slots=True)
class Raised:
    """What a case is opened from: the record, and the investor whom it concerns if it is not the record."""

    about_kind: str = "investor"
    about_id: str = ""
    investor: str = ""
    of_nobody: bool = False


def raised(
    *,
    about_kind: _Line = "investor",
    about_id: _Line = "",
    investor: _Line = "",
    of_nobody: Annotated[bool, Form()] = False,
) -> Raised:
    """Read from the form what a case is opened from."""
    return Raised(about_kind, about_id.strip(), investor.strip(), of_nobody=of_nobody)


_Raised = Annotated[Raised, Depends(raised)]


class Desk:
    """Renders the desk; each read of it is recorded, and a refusal comes back on its page."""

    def __init__(self, database: Database, shell: Shell) -> None:
        self.office = compliance.office(database)
        self.shell = shell

    def home(self, request: Request, who: SignedIn, about: Raised, **extra: object) -> Response:
        """Return the list of cases and the form that opens one."""
        rows = self.office.read_desk(actor=who.actor)
        shown = {"rows": rows, "about": about, "kinds": KINDS, "mark": _MARKS, "refusal": None, "typed": {}}
        status = _CONFLICT if extra.get("refusal") else 200
        return self.shell.page(request, "officer/desk.html", {**shown, **extra}, status)

    def case(self, request: Request, who: SignedIn, name: str, **extra: object) -> Response:
        """Return one case with its entries; raises NotFound for an unknown one."""
        found: dict[str, Any] | None = self.office.read_suspicion(actor=who.actor, case=name)
        if found is None:
            raise NotFound("there is no such page")
        shown = {
            "case": found,
            "told": [_told(entry) for entry in found["entries"]],
            "choices": _CHOICES.get(found["status"], ()),
            "mark": _MARKS,
            "refusal": None,
            "typed": {},
        }
        status = _status(extra.get("fault"))
        return self.shell.page(request, "officer/suspicion.html", {**shown, **extra}, status)

    def act(
        self, request: Request, who: SignedIn, on: tuple[str, Callable[[], object]], typed: str
    ) -> Response:
        """Carry out an act on the case of a name; a refusal comes back on it with what was typed."""
        name, work = on
        try:
            work()
        except NotFound:
            raise
        except Refused as fault:
            shown = {"refusal": told(fault, _SENTENCES), "fault": fault, "typed": {"reason": typed}}
            return self.case(request, who, name, **shown)
        return RedirectResponse(f"{_HOME}/{name}", status_code=_SEE_OTHER)


def _status(fault: object) -> int:
    if isinstance(fault, VersionChanged):
        return _STALE
    return 200 if fault is None else _CONFLICT


def _told(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sealed entry as a page shows it: who, when, which move, and the reasons that it gives."""
    opened = json.loads(entry["canonical"])
    said = opened["told"]
    reason = (
        said.get("note") or said.get("decided_because") or said.get("because") or said.get("noticed") or ""
    )
    return {
        "kind": opened["kind"],
        "actor": opened["actor"],
        "at": opened["recorded_at"].replace("Z", "+00:00"),
        "reason": reason,
        "sealed_id": entry["sealed_id"],
    }


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes of the desk, which are not there for people of other keepers."""
    router = Router(prefix="/desk")
    desk = Desk(database, shell)
    _opening(router, desk)
    _deciding(router, desk)
    return router


def _opening(router: Router, desk: Desk) -> None:
    @router.get("")
    def home(request: Request, who: _In) -> Response:
        return desk.home(request, who, Raised())

    # The record goes in the body: an address is kept in logs and histories.
    @router.post("/draft")
    def draft(request: Request, who: _In, about: _Raised) -> Response:
        return desk.home(request, who, about)

    @router.post("")
    def open_case(
        request: Request,
        who: _In,
        about: _Raised,
        *,
        noticed: _Text = "",
        detected_on: _Day,
        suspect_is_known: Annotated[bool, Form()],
    ) -> Response:
        name = new_id("sus")
        stated = {
            "about_kind": about.about_kind,
            "about_id": about.about_id,
            "investor": about.investor or None,
            "of_nobody": about.of_nobody,
            "noticed": noticed,
            "detected_on": detected_on,
            "suspect_is_known": suspect_is_known,
        }
        try:
            desk.office.open_suspicion(actor=who.actor, case=name, stated=stated)
        except Refused as fault:
            return desk.home(request, who, about, refusal=told(fault, _SENTENCES), typed=stated)
        return RedirectResponse(f"{_HOME}/{name}", status_code=_SEE_OTHER)


def _deciding(router: Router, desk: Desk) -> None:
    office = desk.office

    @router.get("/{name}")
    def case(request: Request, name: str, who: _In) -> Response:
        return desk.case(request, who, name)

    @router.post("/{name}")
    def decide(
        request: Request,
        name: str,
        who: _In,
        *,
        seen: Annotated[int, Form(ge=0, le=2**31 - 1)],
        choice: _Line = "",
        reason: _Text = "",
    ) -> Response:
        on = {"actor": who.actor, "case": name, "because": reason, "seen": seen}

        def work() -> None:
            if choice in {"agreed", "sent_back"}:
                office.second_suspicion(**on, is_agreed=choice == "agreed")
            else:
                office.propose_suspicion(**on, outcome=choice)

        return desk.act(request, who, (name, work), reason)

    @router.post("/{name}/notes")
    def note(request: Request, name: str, who: _In, *, note: _Text = "") -> Response:
        def work() -> None:
            office.note_suspicion(actor=who.actor, case=name, note=note)

        return desk.act(request, who, (name, work), note)

    @router.post("/{name}/filing")
    def file(
        request: Request,
        name: str,
        who: _In,
        *,
        seen: Annotated[int, Form(ge=0, le=2**31 - 1)],
        reference: _Line = "",
        filed_on: _Day,
    ) -> Response:
        def work() -> None:
            office.file_suspicion(
                actor=who.actor, case=name, reference=reference, filed_on=filed_on, seen=seen
            )

        return desk.act(request, who, (name, work), reference)
