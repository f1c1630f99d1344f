"""The ways to an operation: a router that describes answers, and a short way past it for plain acts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from fastapi import APIRouter, Request
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.utils import get_typed_return_annotation
from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bookrunner.api import problems
from bookrunner.api.caller import Write, write
from bookrunner.core.errors import BookrunnerError


class Router(APIRouter):
    """Describes what an operation answers: by ``response_model``, else by the type that it returns.

    A wrong description breaks no call. Tests compare every answer that they get with the description.
    """

    def add_api_route(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        response_model: Any = None,  # noqa: ANN401 - as FastAPI has it
        **told: Any,  # noqa: ANN401 - as FastAPI has it
    ) -> None:
        """Add an operation, as the decorators of the methods do."""
        if isinstance(response_model, DefaultPlaceholder):
            response_model = get_typed_return_annotation(endpoint)
        if response_model not in (None, Response):
            status = told.get("status_code") or HTTPStatus.OK
            told["responses"] = {int(status): {"model": response_model}} | (told.get("responses") or {})
        super().add_api_route(path, endpoint, response_model=None, **told)


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
