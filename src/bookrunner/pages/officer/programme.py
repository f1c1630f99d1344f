"""The sanctions programme file: all that an examiner asks for on one page, what is overdue with its owner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from bookrunner.books import compliance
from bookrunner.core.errors import NotFound, Refused, VersionChanged
from bookrunner.core.ids import new_id
from bookrunner.db import Database
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.routing import Router

_CONFLICT, _STALE, _SEE_OTHER = 409, 412, 303
_HOME = "/compliance/programme"
PARTS = {
    "policy": "Policy",
    "sign_off": "Sign-off by management",
    "risk_assessment": "Risk assessment",
    "control": "Controls",
    "test": "Tests and audits",
    "training": "Training",
}
_SENTENCES = {
    "programme_paper_is_on_file": "this needs its paper, as a PDF",
    "programme_outcome_is_of_its_kind": "a test has passed or failed; anything else is done",
    "next_due_is_after_it_was_done": "it is due again after the day on which it was done",
    "programme_item_has_an_owner": "name who answers for it",
}

_Line = Annotated[str, Form(max_length=200)]
_Text = Annotated[str, Form(max_length=4000)]
_Day = Annotated[str, Form(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
_Seen = Annotated[int, Form(ge=0, le=2**31 - 1)]
# An examiner reads with a key of the audit keeper; an officer keeps the file.
_Reader = Annotated[SignedIn, Depends(requiring(("compliance", "audit")))]
_In = Annotated[SignedIn, Depends(requiring(("compliance",)))]


def done_of(
    *,
    done_on: _Day = "",
    done_by: _Line = "",
    what: _Text = "",
    outcome: _Line = "done",
    signs: _Line = "",
    next_due_on: _Day = "",
) -> dict[str, str | None]:
    """Read from the form what was done on an item."""
    return {
        "done_on": done_on or None,
        "done_by": done_by,
        "what": what,
        "outcome": outcome,
        "signs": signs or None,
        "next_due_on": next_due_on or None,
    }


def paper_of(paper: Annotated[UploadFile | None, File()] = None) -> bytes:
    """Read the paper from the form: no more than may be kept, and one byte."""
    return b"" if paper is None else paper.file.read(compliance.MOST_BYTES + 1)


_Done = Annotated[dict[str, str | None], Depends(done_of)]
_Paper = Annotated[bytes, Depends(paper_of)]


class ProgrammeFile:
    """Renders the file; a refusal comes back on it."""

    def __init__(self, database: Database, shell: Shell) -> None:
        self.office = compliance.office(database)
        self.keeper = compliance.keeper(database)
        self.shell = shell

    def page(self, request: Request, who: SignedIn, fault: Refused | None = None) -> Response:
        """Return the whole file: each part with its items, or with the word that nothing is on file."""
        items: Sequence[Mapping[str, Any]] = self.office.programme_file()
        shown = {
            "parts_of_it": PARTS,
            "items": {kind: [item for item in items if item["kind"] == kind] for kind in PARTS},
            "overdue": [item for item in items if item["is_overdue"]],
            "findings": [item for item in items if _lacks(item)],
            "lacks": _lacks,
            "may_keep": who.keeper == "compliance",
            "refusal": None if fault is None else told(fault, _SENTENCES),
        }
        status = 200 if fault is None else _STALE if isinstance(fault, VersionChanged) else _CONFLICT
        return self.shell.page(request, "officer/programme.html", shown, status)

    def act(self, request: Request, who: SignedIn, work: Callable[[], object]) -> Response:
        """Carry out an act on the file; a refusal comes back on it."""
        try:
            work()
        except NotFound:
            raise
        except Refused as fault:
            return self.page(request, who, fault)
        return RedirectResponse(_HOME, status_code=_SEE_OTHER)

    def record(self, who: SignedIn, item: str, seen: int, done: tuple[dict[str, str | None], bytes]) -> None:
        """Record what was done and its paper, sealed under the item, or neither."""
        compliance.record_with_paper(self.keeper, (item, seen), *done, actor=who.actor)

    def paper(self, who: SignedIn, item: str, sha256: str, purpose: str) -> Response:
        """Send a paper of the file as a download, no other paper; the view is recorded first."""
        items: Sequence[Mapping[str, Any]] = self.office.programme_file()
        papers = {(found["item_id"], row["sha256"]) for found in items for row in found["records"]}
        if (item, sha256) not in papers:
            raise NotFound("the programme has no such paper")
        content = compliance.view_file(
            self.keeper, item, bytes.fromhex(sha256), actor=who.actor, purpose=purpose
        )
        headers = {
            "Content-Disposition": f'attachment; filename="{sha256[:16]}.pdf"',
            "Cache-Control": "no-store",
        }
        return Response(content, media_type="application/pdf", headers=headers)


def _lacks(item: Mapping[str, Any]) -> str:
    """Say what the latest record of an item leaves open, or nothing."""
    latest = item["records"][0] if item["records"] else None
    if latest is None:
        return "nothing is on record yet"
    if latest["outcome"] == "failed":
        return "the last test failed"
    if not latest["is_of_the_policy_in_force"]:
        return "the policy has changed since it was signed off"
    return ""


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes of the programme file; officers keep it, examiners read it."""
    router = Router(prefix="/programme")
    file = ProgrammeFile(database, shell)

    @router.get("")
    def page(request: Request, who: _Reader) -> Response:
        return file.page(request, who)

    @router.post("/{item}/papers")
    def paper(
        item: str,
        who: _Reader,
        *,
        sha256: Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")],
        purpose: _Line = "",
    ) -> Response:
        return file.paper(who, item, sha256, purpose)

    _keeping(router, file)
    return router


def _keeping(router: Router, file: ProgrammeFile) -> None:
    office = file.office

    @router.post("")
    def plan(
        request: Request,
        who: _In,
        *,
        kind: _Line = "",
        title: _Line = "",
        owner: _Line = "",
        due_on: Annotated[str, Form(pattern=r"^\d{4}-\d{2}-\d{2}$")],
    ) -> Response:
        stated = {"kind": kind, "title": title, "owner": owner.strip(), "due_on": due_on}
        return file.act(
            request, who, lambda: office.plan_item(actor=who.actor, item=new_id("pit"), stated=stated)
        )

    @router.post("/{item}/records")
    def record(request: Request, item: str, who: _In, *, seen: _Seen, done: _Done, paper: _Paper) -> Response:
        return file.act(request, who, lambda: file.record(who, item, seen, (done, paper)))

    @router.post("/{item}/owner")
    def assign(request: Request, item: str, who: _In, *, seen: _Seen, owner: _Line = "") -> Response:
        on = {"actor": who.actor, "item": item, "seen": seen}
        return file.act(request, who, lambda: office.assign_programme_item(**on, owner=owner.strip()))

    @router.post("/{item}/end")
    def retire(request: Request, item: str, who: _In, *, seen: _Seen, because: _Text = "") -> Response:
        on = {"actor": who.actor, "item": item, "seen": seen}
        return file.act(request, who, lambda: office.retire_item(**on, because=because))
