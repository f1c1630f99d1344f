"""What every request is held to before it is read, and what every answer carries."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from fastapi import Request
from fastapi.responses import PlainTextResponse, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bookrunner.api import problems

_MIB: Final = 1 << 20
API_BYTES_MAX: Final = 4 * _MIB
PAGE_BYTES_MAX: Final = 34 * _MIB
FILES_BYTES_MAX: Final = 258 * _MIB
"""A bank statement of 256 MiB in its form, or the papers of a transfer, of which only digests are kept."""

_API: Final = ("/v1/", "/metrics")
_OF_FILES: Final = ("/treasury/", "/investments/")
_NO_MORE: Final[Message] = {"type": "http.disconnect"}
# ASVS 5.0, V3.4.1: a year at least, and every subdomain.
_TLS_ALONE: Final = "max-age=31536000; includeSubDomains"
_USUAL: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class Edge:
    """Refuses a request longer than its part of the site reads, and gives each answer the headers it lacks.

    A length that is told is refused before anything is read; of a body that comes in pieces no more is read
    than its limit. An answer 304 gets no policy: the browser keeps that of its copy.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = _Call(scope, receive, send)
        if not call.is_over:
            try:
                await self._app(scope, call.receive, call.send)
            except ClientDisconnect:
                if not call.is_over:
                    raise
        if call.is_over and not call.is_begun:
            await _refused(scope)(scope, receive, call.answer)


class _Call:
    """One call: how much of its body came, and whether its answer has begun."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scheme = scope["scheme"]
        self._receive, self._send = receive, send
        self._left = _most(scope["path"])
        told = Headers(scope=scope).get("content-length", "0")
        self.is_over = not told.isdecimal() or int(told[:20]) > self._left
        self.is_begun = False

    async def receive(self) -> Message:
        """Take the next part of the body, or its end once it is too long."""
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        self.is_over = self.is_over or self._left < 0
        return _NO_MORE if self.is_over else message

    async def send(self, message: Message) -> None:
        """Send what the application answers; of a call that is too long nothing."""
        if not self.is_over:
            await self.answer(message)

    async def answer(self, message: Message) -> None:
        """Send a part of an answer with the headers that it lacks."""
        if message["type"] == "http.response.start":
            self.is_begun = True
            _complete(MutableHeaders(scope=message), message["status"], self._scheme)
        await self._send(message)


def _most(path: str) -> int:
    if path.startswith(_API):
        return API_BYTES_MAX
    return FILES_BYTES_MAX if path.startswith(_OF_FILES) else PAGE_BYTES_MAX


def _complete(headers: MutableHeaders, status: int, scheme: str) -> None:
    for name, value in _USUAL.items():
        headers.setdefault(name, value)
    if status != HTTPStatus.NOT_MODIFIED:
        headers.setdefault("Content-Security-Policy", _POLICY)
    if scheme == "https":
        headers["Strict-Transport-Security"] = _TLS_ALONE


def _refused(scope: Scope) -> Response:
    if scope["path"].startswith(_API):
        return problems.too_long(Request(scope))
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return PlainTextResponse("refused: request_fits_its_limit\n", status)
