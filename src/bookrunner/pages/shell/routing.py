"""Routes of pages, each analysed when it is first asked for.

Reading the signature of a handler costs a millisecond, and there are hundreds: a server that has just started
answers half a second earlier when each waits for its first caller.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import Route
from starlette.types import Receive, Scope, Send


class Declared(Route):
    """One route as it was declared."""

    def __init__(self, path: str, endpoint: Callable[..., Any], told: dict[str, Any]) -> None:
        """Keep what `APIRouter.add_api_route` is told of ``endpoint``."""
        super().__init__(path, endpoint, methods=told.get("methods"), include_in_schema=False)
        self.told = told

    @cached_property
    def analysed(self) -> Route:
        """The route as FastAPI serves it."""
        router = APIRouter()
        router.add_api_route(self.path, self.endpoint, **self.told)
        (route,) = router.routes
        assert isinstance(route, Route)  # noqa: S101 - what the line above has made
        return route

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        scope["route"] = self.analysed
        await self.analysed.handle(scope, receive, send)


class Router(APIRouter):
    """Declares routes, which are analysed later."""

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **told: Any) -> None:  # noqa: ANN401 - as FastAPI has it
        """Declare a route, as the decorators of the methods do.

        All routes of a router share its prefix alone: TypeError for dependencies, which would be lost.
        """
        if self.dependencies:
            raise TypeError(f"the routes under {self.prefix} name their dependencies themselves")
        self.routes.append(Declared(self.prefix + path, endpoint, told))


def take_in(whole: FastAPI | Router, part: APIRouter) -> None:
    """Serve the routes of a router; another router puts its prefix before their paths."""
    if isinstance(whole, FastAPI):
        whole.router.routes.extend(part.routes)
        return
    for route in part.routes:
        assert isinstance(route, Declared)  # noqa: S101 - what a router of ours declares
        whole.add_api_route(route.path, route.endpoint, **route.told)
