"""The transfer agent's console: control book, securityholder file, wallets, issuance, turnaround log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol

from fastapi import Depends, Form, Query, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from bookrunner.books import registry
from bookrunner.core.errors import Malformed, NotFound, Refused
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.registry import (
    actions,
    controls,
    facts,
    market,
    records,
    transfers,
)
from bookrunner.pages.registry.acts import Agent, Chained, Said, said
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router

if TYPE_CHECKING:
    from bookrunner.adapters.documents import Typesetter

__all__ = ["Printing", "routes"]

_CONFLICT, _SEE_OTHER = 409, 303
_In = Annotated[SignedIn, Depends(requiring(("registry",)))]
_Said = Annotated[Said, Depends(said)]
_Page = Annotated[int, Query(ge=1, le=10_000)]
_TEMPLATES: Final = {
    "": "control.html",
    "holders": "holders.html",
    "wallets": "wallets.html",
    "issuance": "issuance.html",
    "turnaround": "turnaround.html",
}
_ALWAYS: Final[Mapping[str, Any]] = {
    "refusal": None,
    "changed": (),
    "is_done": False,
    "mark": facts.mark,
    "kinds": facts.KINDS,
}


class Printing(Chained, Protocol):
    """The application as these pages need it: what asks the chain, and a press for statements."""

    @property
    def press(self) -> Typesetter:
        """The press of statements."""


class Console:
    """Renders the agent's pages; a refusal comes back on the page it was asked from."""

    def __init__(self, application: Printing, shell: Shell) -> None:
        self.application = application
        self.database = application.database
        self.shell = shell
        self.parts: Mapping[str, Callable[[str], dict[str, Any]]] = {
            "": lambda offering: facts.control(self.database, offering),
            "holders": lambda offering: facts.holders(self.database, offering, 1),
            "wallets": lambda offering: facts.wallets(self.database, offering),
            "issuance": lambda offering: facts.issuance(self.database, offering),
            "turnaround": lambda offering: facts.turnaround(self.database, offering),
        }

    def page(self, request: Request, offering: str, template: str, shown: Mapping[str, Any]) -> Response:
        """Return a page of one offer's register, 409 with a refusal."""
        head = {"desk": facts.register(self.database, offering), "home": facts.path_of(offering)}
        told = {**_ALWAYS, **head, **shown}
        status = 200 if told["refusal"] is None else _CONFLICT
        return self.shell.page(request, f"registry/desk/{template}", told, status)

    def part(self, request: Request, offering: str, name: str, **shown: object) -> Response:
        """Return one of the lists of an offer; raises NotFound for an unknown one."""
        if name not in self.parts:
            raise NotFound(f"there is no page {name}")
        facts.register(self.database, offering)
        return self.page(request, offering, _TEMPLATES[name], {**self.parts[name](offering), **shown})

    def holder(self, request: Request, offering: str, holding: str, **shown: object) -> Response:
        """Return one holding."""
        return self.page(
            request, offering, "holder.html", {**facts.holder(self.database, offering, holding), **shown}
        )

    def act(self, offering: str, form: Said, actor: str) -> dict[str, str] | None:
        """Do what a form asks; return the refusal, if there is one."""
        try:
            Agent(self.application, offering, actor).act(form)
        except NotFound:
            raise
        except Refused as fault:
            return facts.told(fault)
        return None


def routes(application: Printing, shell: Shell) -> Router:
    """Return the routes below ``/registry``; each asks for a session of the registry keeper."""
    router = Router(prefix="/registry")
    pages = Console(application, shell)
    _holder_routes(router, pages)
    _file_routes(router, pages)
    _control_routes(router, pages)
    actions.routes(router, pages)
    _transfer_routes(router, pages)
    _record_routes(router, pages)
    _market_routes(router, pages)
    _part_routes(router, pages)
    return router


def _holder_routes(router: Router, pages: Console) -> None:
    @router.get("/{offering}/holders")
    def holders(
        request: Request, offering: str, _: _In, *, page: _Page = 1, on: str = "", done: bool = False
    ) -> Response:
        shown = facts.holders(pages.database, offering, page)
        if on:
            try:
                shown |= facts.on_day(pages.database, offering, _day(on))
            except Refused as fault:
                shown["refusal"] = facts.told(fault)
        return pages.page(request, offering, "holders.html", {**shown, "on": on, "is_done": done})

    @router.get("/{offering}/holders/{holding}")
    def holder(request: Request, offering: str, holding: str, _: _In, *, done: bool = False) -> Response:
        return pages.holder(request, offering, holding, is_done=done)

    @router.post("/{offering}/holders/{holding}")
    def act(request: Request, offering: str, holding: str, agent: _In, *, form: _Said) -> Response:
        refusal = pages.act(offering, form, agent.actor)
        if refusal is not None:
            return pages.holder(request, offering, holding, refusal=refusal)
        return RedirectResponse(
            f"{facts.path_of(offering, 'holders', holding)}?done=1", status_code=_SEE_OTHER
        )


def _control_routes(router: Router, pages: Console) -> None:
    def shown(request: Request, offering: str, **more: object) -> Response:
        facts.register(pages.database, offering)
        return pages.page(
            request, offering, "restraint.html", {**controls.facts_of(pages.database, offering), **more}
        )

    @router.get("/{offering}/controls")
    def queue(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return shown(request, offering, is_done=done)

    @router.post("/{offering}/controls")
    def act(
        request: Request,
        offering: str,
        agent: _In,
        *,
        form: Annotated[controls.Order, Depends(controls.order)],
    ) -> Response:
        try:
            controls.act(pages.database, (offering, agent.actor), form)
        except Refused as fault:
            return shown(request, offering, refusal=controls.told(fault))
        return RedirectResponse(f"{facts.path_of(offering, 'controls')}?done=1", status_code=_SEE_OTHER)


def _transfer_routes(router: Router, pages: Console) -> None:
    def shown(request: Request, offering: str, **more: object) -> Response:
        facts.register(pages.database, offering)
        return pages.page(
            request, offering, "transfers.html", {**transfers.facts_of(pages.database, offering), **more}
        )

    @router.get("/{offering}/transfers")
    def requests(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return shown(request, offering, is_done=done)

    @router.post("/{offering}/transfers")
    def act(
        request: Request,
        offering: str,
        agent: _In,
        *,
        form: Annotated[transfers.Decision, Depends(transfers.decision)],
    ) -> Response:
        try:
            transfers.act(pages.database, (offering, agent.actor), form)
        except Refused as fault:
            return shown(request, offering, refusal=facts.told(fault))
        return RedirectResponse(f"{facts.path_of(offering, 'transfers')}?done=1", status_code=_SEE_OTHER)


def _record_routes(router: Router, pages: Console) -> None:
    def shown(request: Request, offering: str, **more: object) -> Response:
        facts.register(pages.database, offering)
        return pages.page(
            request, offering, "records.html", {**records.facts_of(pages.database, offering), **more}
        )

    @router.get("/{offering}/records")
    def listed(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return shown(request, offering, is_done=done)

    @router.post("/{offering}/records")
    def act(request: Request, offering: str, agent: _In, form: records.Form) -> Response:
        try:
            records.act(pages.database, (offering, agent.actor), form)
        except Refused as fault:
            return shown(request, offering, refusal=records.told(fault))
        return RedirectResponse(f"{facts.path_of(offering, 'records')}?done=1", status_code=_SEE_OTHER)


def _market_routes(router: Router, pages: Console) -> None:
    def shown(request: Request, offering: str, **more: object) -> Response:
        facts.register(pages.database, offering)
        return pages.page(
            request, offering, "market.html", {**market.facts_of(pages.database, offering), **more}
        )

    @router.get("/{offering}/market")
    def listed(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return shown(request, offering, is_done=done)

    @router.post("/{offering}/market")
    def act(request: Request, offering: str, agent: _In, form: records.Form) -> Response:
        try:
            market.act(pages.database, (offering, agent.actor), form)
        except Refused as fault:
            return shown(request, offering, refusal=market.told(fault))
        return RedirectResponse(f"{facts.path_of(offering, 'market')}?done=1", status_code=_SEE_OTHER)


def _file_routes(router: Router, pages: Console) -> None:
    @router.get("/{offering}/files/register.csv")
    def register(offering: str, _: _In, *, on: str) -> Response:
        facts.register(pages.database, offering)
        text = registry.register_csv(registry.keeper(pages.database), offering, _day(on))
        return PlainTextResponse(text, headers=_kept("register.csv"))

    @router.post("/{offering}/holders/{holding}/statement.pdf")
    def statement(
        request: Request, offering: str, holding: str, agent: _In, *, on: Annotated[str, Form(max_length=10)]
    ) -> Response:
        head = facts.register(pages.database, offering)
        try:
            _, made = registry.issue_statement(
                registry.keeper(pages.database),
                pages.application.press,
                (offering, holding, _day(on)),
                actor=agent.actor,
                offer_name=head["name"],
            )
        except Refused as fault:
            return pages.holder(request, offering, holding, refusal=facts.told(fault))
        return Response(made.content, media_type=made.media_type, headers=_kept("statement.pdf"))


def _part_routes(router: Router, pages: Console) -> None:
    @router.get("")
    def registers(request: Request, _: _In) -> Response:
        shown = {"registers": facts.registers(pages.database)}
        return pages.shell.page(request, "registry/registers.html", shown)

    @router.get("/{offering}")
    def control(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return pages.part(request, offering, "", is_done=done)

    @router.post("/{offering}")
    def decide(request: Request, offering: str, agent: _In, *, form: _Said) -> Response:
        return _acted(pages, request, (offering, ""), (form, agent))

    @router.get("/{offering}/{name}")
    def part(request: Request, offering: str, name: str, _: _In, *, done: bool = False) -> Response:
        return pages.part(request, offering, name, is_done=done)

    @router.post("/{offering}/{name}")
    def act(request: Request, offering: str, name: str, agent: _In, *, form: _Said) -> Response:
        return _acted(pages, request, (offering, name), (form, agent))


def _acted(pages: Console, request: Request, on: tuple[str, str], asked: tuple[Said, SignedIn]) -> Response:
    (offering, name), (form, agent) = on, asked
    refusal = pages.act(offering, form, agent.actor)
    if refusal is not None:
        return pages.part(request, offering, name, refusal=refusal)
    home = facts.path_of(offering, *([name] if name else []))
    return RedirectResponse(f"{home}?done=1", status_code=_SEE_OTHER)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Malformed("day_is_a_date", "write a day as 2026-03-02") from None


def _kept(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
