"""The ways to an operation: a router that describes answers, and a short way past it for plain acts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any, Protocol

from fastapi import APIRouter, Request
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.utils import get_typed_return_annotation
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bookrunner.api import problems
from bookrunner.api.caller import Write, write
from bookrunner.core.errors import BookrunnerError


class Operation(Route):
    """One operation as it was declared; it is analysed at its first call, or when it is described.

    Reading the signatures of all of them takes a server that has just started a third of a second.
    """

    def __init__(
        self, router: APIRouter, path: str, endpoint: Callable[..., Any], told: Mapping[str, Any]
    ) -> None:
        """Keep what `APIRouter.add_api_route` is told of ``endpoint``; ``router`` says what is for all."""
        self._router, self._below, self._told = router, path, told
        super().__init__(
            router.prefix + path,
            endpoint,
            methods=told.get("methods"),
            include_in_schema=told.get("include_in_schema", True),
        )
        # A plain route offers HEAD beside GET; an operation does not.
        self.methods = set(told.get("methods") or ())

    @cached_property
    def analysed(self) -> APIRoute:
        """The operation as FastAPI serves it; ``response_model``, else its return type, describes it."""
        told = dict(self._told)
        answer = told.pop("response_model", None)
        if isinstance(answer, DefaultPlaceholder):
            answer = get_typed_return_annotation(self.endpoint)
        if answer not in (None, Response):
            status = told.get("status_code") or HTTPStatus.OK
            told["responses"] = {int(status): {"model": answer}} | (told.get("responses") or {})
        # With the tags, dependencies and whatever else its router says.
        APIRouter.add_api_route(self._router, self._below, self.endpoint, response_model=None, **told)
        route = self._router.routes.pop()
        assert isinstance(route, APIRoute)  # noqa: S101 - what the line above has made
        return route

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        scope["route"] = self.analysed
        await self.analysed.handle(scope, receive, send)


class Router(APIRouter):
    """Declares operations.

    A wrong description breaks no call. Tests compare every answer that they get with the description.
    """

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **told: Any) -> None:  # noqa: ANN401 - as FastAPI has it
        """Declare an operation, as the decorators of the methods do."""
        self.routes.append(Operation(self, path, endpoint, told))


class PlainAct(Protocol):
    """An act on one record that needs nothing but its caller and the record."""

    __name__: str

    async def __call__(self, write: Write, record: str, /) -> Response:
        """Carry the act out and return its stored answer."""
        ...


class Direct:
    """Takes ``POST PREFIX/ID/ACT`` without a body straight to the act, and everything else to ``app``.

    Each act is also a route of ``app``, which documents it and answers where the request is not plain: an id
    of another shape, a body, an unknown act. Refusals read the same on both ways.
    """

    def __init__(
        self, app: ASGIApp, prefix: str, record: tuple[str, str], acts: Mapping[str, PlainAct]
    ) -> None:
        """Take records by name and the pattern of their ids, acts by the last part of their path."""
        self._app = app
        self._record, pattern = record
        self._plain = re.compile(rf"{re.escape(prefix)}/({pattern})/({'|'.join(acts)})", re.ASCII)
        self._acts = acts
        self._told = {name: f"{prefix}/{{{record[0]}}}/{name}" for name in acts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI call."""
        found = self._plain.fullmatch(scope["path"]) if _is_plain(scope) else None
        if found is None:
            await self._app(scope, receive, send)
            return
        act = self._acts[found[2]]
        # As a route would have said it.
        scope["operation"] = act.__name__
        scope["template"] = self._told[found[2]]
        scope["path_params"] = {self._record: found[1]}
        request = Request(scope, receive)
        try:
            answer = await act(await write(request), found[1])
        except BookrunnerError as error:
            answer = problems.answer(request, error)
        await answer(scope, receive, send)


def _is_plain(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "POST":
        return False
    sent = dict(scope["headers"])
    return b"transfer-encoding" not in sent and sent.get(b"content-length", b"0") == b"0"
