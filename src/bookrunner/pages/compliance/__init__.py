"""The compliance officer's console: the queue, case files, hits, and decisions by the book's verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Protocol

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from bookrunner.books import compliance, portal
from bookrunner.core.errors import NotFound, Refused, VersionChanged
from bookrunner.core.ids import new_id
from bookrunner.db import Database, load
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.compliance.deciding import (
    Decision,
    Officer,
    Seen,
    category_of,
    decision,
    paper_of,
    seen_of,
    sophistication_of,
)
from bookrunner.pages.compliance.facts import case_file
from bookrunner.pages.compliance.hit import hit
from bookrunner.pages.compliance.items import SENTENCES, item, refused
from bookrunner.pages.compliance.queue import Filters, QueueHints, filters, path_of, queue
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.live import Hints, streaming
from bookrunner.pages.shell.routing import Router

__all__ = ["routes"]

_CONFLICT, _STALE, _SEE_OTHER = 409, 412, 303
_Asked = Annotated[Filters, Depends(filters)]
_Said = Annotated[Decision, Depends(decision)]
_In = Annotated[SignedIn, Depends(requiring(("compliance",)))]
_Purpose = Annotated[str, Form(max_length=400)]
_Seen = Annotated[Seen, Depends(seen_of)]
_On = tuple[str, str, str]


class Providers(Protocol):
    """What the console asks of the application: its database, and the identity providers behind it."""

    @property
    def database(self) -> Database:
        """The keepers' logins."""
        ...

    @property
    def identity_sources(self) -> Sequence[str]:
        """The identity providers that can be asked."""
        ...

    def ask_identity(self, provider: str, investor: str, *, actor: str) -> bool:
        """Ask an identity provider about an investor; false where it says nothing new."""
        ...


class Console:
    """Renders the officer's pages; a refusal comes back on the page it was asked from."""

    def __init__(self, application: Providers, shell: Shell) -> None:
        self.application = application
        self.database = application.database
        self.shell = shell

    def decide(self, request: Request, on: _On, said: Decision, officer: SignedIn) -> Response:
        """Carry out a decision on (kind, scope, id), or show why it was refused with nothing typed lost."""
        try:
            Officer(self.database, officer.actor).decide(*on, said)
        except NotFound:
            raise
        except Refused as fault:
            facts = self.facts(*on)
            # The next attempt is made on what is shown now.
            current = {"version_now": facts["typed"].seen}
            again = replace(said, programme=facts["typed"].programme)
            extra = {**refused(self.database, on[1:], said, fault), "typed": again}
            status = _STALE if isinstance(fault, VersionChanged) else _CONFLICT
            return self.shell.page(request, _template(on[0]), {**facts, **current, **extra}, status)
        return RedirectResponse(f"{path_of(*on)}?done=1", status_code=_SEE_OTHER)

    def page(self, request: Request, on: _On, **extra: object) -> Response:
        """Return the page of one piece of work."""
        facts = self.facts(*on)
        shown = {**facts, "version_now": facts["typed"].seen, **extra}
        return self.shell.page(request, _template(on[0]), shown, _CONFLICT if extra.get("refusal") else 200)

    def facts(self, kind: str, scope: str, name: str) -> dict[str, Any]:
        """Read the facts of one piece of work."""
        is_hit = kind == "hit"
        found = hit(self.database, scope, name) if is_hit else item(self.database, kind, scope, name)
        with self.database.transaction("compliance") as transaction:
            programme = load(__package__).programme(transaction)
        return {"is_done": False, **found, "typed": replace(found["typed"], programme=programme)}

    def add_evidence(
        self, request: Request, on: tuple[str, str], given: tuple[str, bytes], officer: SignedIn
    ) -> Response:
        """Put a file (kind, content) on record for the accreditation (investor, id)."""
        investor, name = on
        try:
            Officer(self.database, officer.actor).add_evidence(investor, *given)
        except Refused as fault:
            return self.page(request, ("accreditation", investor, name), refusal=told(fault, SENTENCES))
        return RedirectResponse(path_of("accreditation", investor, name), status_code=_SEE_OTHER)

    def show(self, request: Request, on: _On, purpose: str, officer: SignedIn) -> Response:
        """Show the personal data of a piece of work once; the view is recorded before it is shown."""
        try:
            shown = self._shown(on, purpose, officer.actor)
        except NotFound:
            raise
        except Refused as fault:
            return self.page(request, on, refusal=told(fault, SENTENCES))
        return self.page(request, on, shown=shown)

    def _shown(self, on: _On, purpose: str, actor: str) -> object:
        kind, scope, name = on
        keeper = compliance.keeper(self.database)
        if kind == "hit":
            return (
                keeper.view_hit(actor=actor, subject=scope, hit=name, view=new_id("hvw"), purpose=purpose)
                or {}
            )
        if kind == "change":
            desk = portal.keeper(self.database)
            return portal.reveal_change(desk, scope, name, actor=actor, purpose=purpose)
        digest = self.facts(*on)["record"].get("findings_sha256")
        if kind != "diligence" or digest is None:
            raise NotFound(f"{name} has nothing to show")
        found = compliance.view_file(keeper, scope, bytes.fromhex(digest), actor=actor, purpose=purpose)
        return found.decode("utf-8", "replace")

    def case(self, request: Request, investor: str, **extra: object) -> Response:
        """Return the case file of an investor."""
        facts = {"sources": self.application.identity_sources, **case_file(self.database, investor)}
        shown = {"personal": None, "refusal": None, **facts, **extra}
        return self.shell.page(
            request, "compliance/file.html", shown, _CONFLICT if extra.get("refusal") else 200
        )

    def act(self, request: Request, investor: str, act: Callable[[], object], then: str) -> Response:
        """Carry out an act on a case and go on; a refusal comes back on the case file."""
        try:
            act()
        except NotFound:
            raise
        except Refused as fault:
            return self.case(request, investor, refusal=told(fault, SENTENCES))
        return RedirectResponse(then, status_code=_SEE_OTHER)

    def file_paper(self, request: Request, on: _On, paper: tuple[str, bytes, str], who: SignedIn) -> Response:
        """File a paper (code, content, last day) for an identity; a refusal comes back on its page."""
        try:
            Officer(self.database, who.actor).file_paper(on[1], *paper)
        except Refused as fault:
            return self.page(request, on, refusal=told(fault, SENTENCES))
        return RedirectResponse(path_of(*on), status_code=_SEE_OTHER)

    def open_file(self, request: Request, investor: str, digest: str, said: tuple[str, SignedIn]) -> Response:
        """Send a kept file for a purpose and an officer, as a download; the view is recorded first."""
        purpose, officer = said
        try:
            content = Officer(self.database, officer.actor).open_file(investor, digest, purpose)
        except NotFound:
            raise
        except Refused as fault:
            return self.case(request, investor, refusal=told(fault, SENTENCES))
        kind, ending = ("application/pdf", "pdf") if content.startswith(b"%PDF-") else ("text/plain", "txt")
        headers = {
            "Content-Disposition": f'attachment; filename="{digest[:16]}.{ending}"',
            "Cache-Control": "no-store",
        }
        return Response(content, media_type=kind, headers=headers)

    def personal(self, request: Request, investor: str, version: int, said: tuple[str, SignedIn]) -> Response:
        """Show one version of a profile once, for a purpose and an officer; the view is recorded first."""
        purpose, officer = said
        desk = portal.keeper(self.database)
        try:
            fields = portal.reveal_profile(desk, investor, version, actor=officer.actor, purpose=purpose)
        except Refused as fault:
            return self.case(request, investor, refusal=told(fault, SENTENCES))
        return self.case(request, investor, personal={"version": version, "fields": fields})


def routes(application: Providers, shell: Shell, hints: Hints) -> Router:
    """Return the routes below ``/compliance``; each asks for a session of the compliance keeper."""
    router = Router(prefix="/compliance")
    pages = Console(application, shell)
    _queue_routes(router, application.database, shell, QueueHints(hints))
    _case_routes(router, pages)
    _statement_routes(router, pages)
    _category_route(router, pages)
    _decision_routes(router, pages, "/cases/{investor}/{kind}/{name}", _work)
    _decision_routes(router, pages, "/hits/{subject}/{name}", _hit)
    return router


def _queue_routes(router: Router, database: Database, shell: Shell, hints: QueueHints) -> None:
    @router.get("")
    def work(request: Request, asked: _Asked, officer: _In) -> Response:
        return shell.page(request, "compliance/queue.html", queue(database, asked, officer.actor))

    @router.get("/now")
    def now(request: Request, asked: _Asked, officer: _In) -> Response:
        return shell.fragment(request, "compliance/work.html", queue(database, asked, officer.actor))

    @router.get("/live")
    async def live(_: _In) -> StreamingResponse:
        return streaming(hints, "")

    @router.post("/work")
    def take(
        officer: _In,
        *,
        scope: Annotated[str, Form()],
        item: Annotated[str, Form()],
        kind: Annotated[str, Form()],
        back: Annotated[bool, Form()] = False,
    ) -> Response:
        Officer(database, officer.actor).take(scope, item, back=back)
        return RedirectResponse("/compliance" if back else path_of(kind, scope, item), status_code=_SEE_OTHER)


def _work(investor: str, kind: str, name: str) -> _On:
    """Read which piece of work of an investor an address names; a hit has an address of its own."""
    if kind == "hit":
        raise NotFound("a hit has a page of its own")
    return kind, investor, name


def _hit(subject: str, name: str) -> _On:
    """Read which hit an address names."""
    return "hit", subject, name


def _case_routes(router: Router, pages: Console) -> None:
    @router.get("/cases/{investor}")
    def case(request: Request, investor: str, _: _In) -> Response:
        return pages.case(request, investor)

    @router.post("/cases/{investor}/personal")
    def personal(
        request: Request,
        investor: str,
        officer: _In,
        *,
        version: Annotated[int, Form(ge=1, le=2**31 - 1)],
        purpose: _Purpose = "",
    ) -> Response:
        return pages.personal(request, investor, version, (purpose, officer))

    @router.post("/cases/{investor}/purpose")
    def purpose(
        request: Request,
        investor: str,
        officer: _In,
        *,
        offering: Annotated[str, Form()],
        seen: _Seen,
        purpose: _Purpose = "",
    ) -> Response:
        desk = Officer(pages.database, officer.actor)
        work = partial(desk.state_purpose, investor, offering, purpose, seen=seen)
        return pages.act(request, investor, work, f"/compliance/cases/{investor}#clearance")

    @router.post("/cases/{investor}/files")
    def files(
        request: Request,
        investor: str,
        officer: _In,
        *,
        sha256: Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")],
        purpose: _Purpose = "",
    ) -> Response:
        return pages.open_file(request, investor, sha256, (purpose, officer))

    @router.post("/cases/{investor}/papers")
    def file_paper(
        request: Request,
        investor: str,
        officer: _In,
        *,
        item: Annotated[str, Form(max_length=100)],
        code: Annotated[str, Form(max_length=100)],
        paper: Annotated[bytes, Depends(paper_of)],
        until: Annotated[str, Form(max_length=10)] = "",
    ) -> Response:
        return pages.file_paper(request, ("identity", investor, item), (code, paper, until), officer)

    @router.post("/cases/{investor}/accreditation/{name}/evidence")
    def add(
        request: Request,
        investor: str,
        name: str,
        officer: _In,
        *,
        evidence: Annotated[str, Form(max_length=100)],
        paper: Annotated[bytes, Depends(paper_of)],
    ) -> Response:
        return pages.add_evidence(request, (investor, name), (evidence, paper), officer)


def _statement_routes(router: Router, pages: Console) -> None:
    @router.post("/cases/{investor}/ask")
    def ask(
        request: Request, investor: str, officer: _In, *, provider: Annotated[str, Form(max_length=40)]
    ) -> Response:
        work = partial(pages.application.ask_identity, provider, investor, actor=officer.actor)
        return pages.act(request, investor, work, f"/compliance/cases/{investor}#identity")

    @router.post("/cases/{investor}/holders")
    def holders(
        request: Request,
        investor: str,
        officer: _In,
        *,
        offering: Annotated[str, Form(max_length=100)],
        document: Annotated[str, Form(max_length=100)] = "",
        holders: Annotated[str, Form(max_length=100_000)] = "",
    ) -> Response:
        desk = Officer(pages.database, officer.actor)
        work = partial(desk.state_holders, investor, offering, document, holders)
        return pages.act(request, investor, work, f"/compliance/cases/{investor}#clearance")

    @router.post("/cases/{investor}/look-through")
    def look_through(
        request: Request,
        investor: str,
        officer: _In,
        *,
        offering: Annotated[str, Form(max_length=100)],
        required: Annotated[bool, Form()],
        seen: _Seen,
        purpose: _Purpose = "",
    ) -> Response:
        desk = Officer(pages.database, officer.actor)
        under = seen.programme
        work = partial(desk.set_look_through, offering, purpose, is_required=required, programme=under)
        return pages.act(request, investor, work, f"/compliance/cases/{investor}#clearance")

    @router.post("/cases/{investor}/sophistication")
    def sophistication(
        request: Request,
        investor: str,
        officer: _In,
        *,
        stated: Annotated[Mapping[str, str], Depends(sophistication_of)],
        paper: Annotated[bytes, Depends(paper_of)],
    ) -> Response:
        desk = Officer(pages.database, officer.actor)
        work = partial(desk.record_sophistication, investor, stated, paper)
        return pages.act(request, investor, work, f"/compliance/cases/{investor}#clearance")


def _category_route(router: Router, pages: Console) -> None:
    @router.post("/cases/{investor}/category")
    def category(
        request: Request,
        investor: str,
        officer: _In,
        *,
        stated: Annotated[Mapping[str, str], Depends(category_of)],
        paper: Annotated[bytes, Depends(paper_of)],
    ) -> Response:
        desk = Officer(pages.database, officer.actor)
        work = partial(desk.record_category, investor, stated, paper)
        return pages.act(request, investor, work, f"/compliance/cases/{investor}#accreditation")


def _decision_routes(router: Router, pages: Console, path: str, named: Callable[..., _On]) -> None:
    """Add the page of a piece of work, the decision on it and the look at its personal data."""
    # FastAPI cannot read a local name in an annotation, so the dependency stands as a default.
    on_path = Depends(named)

    @router.get(path)
    def work(request: Request, _: _In, *, on: _On = on_path, done: bool = False) -> Response:
        return pages.page(request, on, is_done=done)

    @router.post(path)
    def decide(request: Request, said: _Said, officer: _In, *, on: _On = on_path) -> Response:
        return pages.decide(request, on, said, officer)

    @router.post(f"{path}/show")
    def show(request: Request, officer: _In, *, on: _On = on_path, purpose: _Purpose = "") -> Response:
        return pages.show(request, on, purpose, officer)


def _template(kind: str) -> str:
    return "compliance/hit.html" if kind == "hit" else "compliance/item.html"
