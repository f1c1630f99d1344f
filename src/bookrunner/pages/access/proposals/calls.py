"""The way from a page to the API beside it, in this process, for the person in the session of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx
from fastapi import FastAPI, Request
from starlette.types import Receive, Scope, Send

from bookrunner.core.credentials import read_token
from bookrunner.core.errors import NotAuthenticated, NotFound, NotReady
from bookrunner.core.ids import new_id
from bookrunner.pages.access.door import token_of

_SESSION = "bookrunner.session"
_FAILED = frozenset({401, 408, 429})
_FAULT = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered: status, version of the record, body."""

    status: int
    version: str
    body: Mapping[str, Any]


class Calls:
    """Calls the API as the person of a request; no token leaves the process."""

    def __init__(self, request: Request) -> None:
        """Raise NotFound where no API stands beside the pages, and NotAuthenticated without a session."""
        app: FastAPI | None = getattr(request.app.state, "api", None)
        token = token_of(request)
        if app is None:
            raise NotFound("There is no such page: no API is served beside it")
        if token is None:
            raise NotAuthenticated("person_is_signed_in", "sign in to see this page")
        self._app = app
        self._session = read_token(token)
        self._client = request.client

    @cached_property
    def operations(self) -> Mapping[str, tuple[str, str, Mapping[str, Any]]]:
        """Method, path and description of each operation, by its name."""
        return {
            told["operationId"]: (method, path, told)
            for path, methods in self._app.openapi()["paths"].items()
            for method, told in methods.items()
            if isinstance(told, dict) and "operationId" in told
        }

    async def get(self, path: str) -> Answer:
        """Read a record; raises NotReady ``api_answers_what_a_page_reads``."""
        return _read(await self._call("GET", path, {}, None))

    async def ask(self, path: str, body: object) -> Answer:
        """Send what changes nothing, such as a dry run; raises as :meth:`get`."""
        return _read(await self._call("POST", path, {}, body))

    async def post(self, path: str, body: object, version: str) -> Answer:
        """Decide on a version."""
        headers = {"Idempotency-Key": new_id("req"), "If-Match": f'"{version}"'}
        return await self._call("POST", path, headers, body)

    async def _call(self, method: str, path: str, headers: Mapping[str, str], body: object) -> Answer:
        async def as_person(scope: Scope, receive: Receive, send: Send) -> None:
            await self._app({**scope, _SESSION: self._session}, receive, send)

        client = ("", 0) if self._client is None else (self._client.host, self._client.port)
        transport = httpx.ASGITransport(app=as_person, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as inner:
            answer = await inner.request(method, path, headers=dict(headers), json=body)
        return Answer(answer.status_code, answer.headers.get("etag", ""), answer.json())


def _read(answer: Answer) -> Answer:
    """Return what was read, or that it is refused to this person: what failed says nothing of a record."""
    if answer.status in _FAILED or answer.status >= _FAULT:
        raise NotReady(
            "api_answers_what_a_page_reads", f"the API answered {answer.status}; look again in a moment"
        )
    return answer
