"""What is done to the units of a class: splits, buy-backs, conversions and reinvestment on pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.core.errors import Refused
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.registry import facts
from bookrunner.pages.registry.actions import buybacks, conversions, reinvestment, splits
from bookrunner.pages.shell.routing import Router

if TYPE_CHECKING:
    from bookrunner.pages.registry import Console

__all__ = ["routes"]

_SEE_OTHER = 303
_In = Annotated[SignedIn, Depends(requiring(("registry",)))]


def routes(router: Router, pages: Console) -> None:
    """Add the pages of corporate actions below an offer's register, and their forms."""
    _split_routes(router, pages)
    _buyback_routes(router, pages)
    _conversion_routes(router, pages)
    _reinvestment_routes(router, pages)


def _split_routes(router: Router, pages: Console) -> None:
    def shown(request: Request, offering: str, **more: object) -> Response:
        facts.register(pages.database, offering)
        return pages.page(
            request, offering, "actions/splits.html", {**splits.facts_of(pages.database, offering), **more}
        )

    @router.get("/{offering}/splits")
    def listed(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return shown(request, offering, is_done=done)

    @router.post("/{offering}/splits")
    def act(
        request: Request,
        offering: str,
        agent: _In,
        *,
        form: Annotated[splits.Asked, Depends(splits.asked)],
    ) -> Response:
        try:
            by = (offering, facts.register(pages.database, offering)["currency"], agent.actor)
            splits.act(pages.database, by, form)
        except Refused as fault:
            return shown(request, offering, refusal=splits.told(fault))
        return RedirectResponse(f"{facts.path_of(offering, 'splits')}?done=1", status_code=_SEE_OTHER)


def _buyback_routes(router: Router, pages: Console) -> None:
    def shown(request: Request, offering: str, **more: object) -> Response:
        facts.register(pages.database, offering)
        return pages.page(
            request,
            offering,
            "actions/buybacks.html",
            {**buybacks.facts_of(pages.database, offering), **more},
        )

    @router.get("/{offering}/buybacks")
    def listed(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return shown(request, offering, is_done=done)

    @router.post("/{offering}/buybacks")
    def act(
        request: Request,
        offering: str,
        agent: _In,
        *,
        form: Annotated[buybacks.Asked, Depends(buybacks.asked)],
    ) -> Response:
        try:
            by = (offering, facts.register(pages.database, offering)["currency"], agent.actor)
            buybacks.act(pages.database, by, form)
        except Refused as fault:
            return shown(request, offering, refusal=buybacks.told(fault))
        return RedirectResponse(f"{facts.path_of(offering, 'buybacks')}?done=1", status_code=_SEE_OTHER)


def _conversion_routes(router: Router, pages: Console) -> None:
    def shown(request: Request, offering: str, **more: object) -> Response:
        facts.register(pages.database, offering)
        found = conversions.facts_of(pages.database, offering)
        return pages.page(request, offering, "actions/conversions.html", {**found, **more})

    @router.get("/{offering}/conversions")
    def listed(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return shown(request, offering, is_done=done)

    @router.post("/{offering}/conversions")
    def act(
        request: Request,
        offering: str,
        agent: _In,
        *,
        form: Annotated[conversions.Asked, Depends(conversions.asked)],
    ) -> Response:
        try:
            by = (offering, facts.register(pages.database, offering)["currency"], agent.actor)
            conversions.act(pages.database, by, form)
        except Refused as fault:
            return shown(request, offering, refusal=conversions.told(fault))
        return RedirectResponse(f"{facts.path_of(offering, 'conversions')}?done=1", status_code=_SEE_OTHER)


def _reinvestment_routes(router: Router, pages: Console) -> None:
    def shown(request: Request, offering: str, **more: object) -> Response:
        facts.register(pages.database, offering)
        found = reinvestment.facts_of(pages.database, offering)
        return pages.page(request, offering, "actions/reinvestment.html", {**found, **more})

    @router.get("/{offering}/reinvestment")
    def listed(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return shown(request, offering, is_done=done)

    @router.post("/{offering}/reinvestment")
    def act(
        request: Request,
        offering: str,
        agent: _In,
        *,
        form: Annotated[reinvestment.Asked, Depends(reinvestment.asked)],
    ) -> Response:
        try:
            by = (offering, facts.register(pages.database, offering)["currency"], agent.actor)
            reinvestment.act(pages.database, by, form)
        except Refused as fault:
            return shown(request, offering, refusal=reinvestment.told(fault))
        return RedirectResponse(f"{facts.path_of(offering, 'reinvestment')}?done=1", status_code=_SEE_OTHER)
