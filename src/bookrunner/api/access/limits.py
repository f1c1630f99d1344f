"""How many calls a key, or an address that nobody vouches for, may make in a minute."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from fastapi import Request
from fastapi.responses import PlainTextResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bookrunner.api import problems
from bookrunner.core.addresses import network_of
from bookrunner.core.credentials import digest_shown
from bookrunner.core.errors import TooManyCalls
from bookrunner.core.log import tell
from bookrunner.core.status import status_of

WINDOW_SECONDS: Final = 60
REMEMBERED: Final = 16_384
"""Callers that a process remembers; one that is forgotten starts anew."""
KEYLESS: Final = (
    "/v1/documents/",
    "/v1/escrow-initiation",
    "/v1/webhooks/identity/",
    "/v1/webhooks/payments/",
    "/v1/webhooks/settlements",
    "/v1/webhooks/signatures/",
)
"""What no key opens: a header that looks like one leaves it with its address."""
LIMITED: Final = "bookrunner.limited"
_COUNTED: Final = "bookrunner.counted"


@dataclass(slots=True)
class Limits:
    """Calls in a minute of a ``key`` and of an ``address``, and pages of a ``visitor``; 0 is no limit.

    Each process counts by itself.

    A caller has a bucket of as many calls as its limit, which fills again evenly over a minute (the generic
    cell rate algorithm: one moment is kept for each caller). A call that is refused takes nothing from it.
    """

    key: int = 0
    address: int = 0
    visitor: int = 0
    clock: Callable[[], float] = time.monotonic
    _busy_until: OrderedDict[tuple[str, bytes | str], float] = field(default_factory=OrderedDict)

    def meet_key(self, request: Request, key_sha256: bytes) -> None:
        """Count a call of a key, which is remembered; raises TooManyCalls ``key_keeps_its_limit``."""
        self._meet(request.scope, "key", key_sha256, self.key)

    def meet_address(self, scope: Scope) -> None:
        """Count a call that no credential stands for yet, once.

        Raises TooManyCalls ``address_keeps_its_limit``.
        """
        if scope.get(_COUNTED):
            return
        scope[_COUNTED] = True
        peer = scope.get("client") or ("", 0)
        self._meet(scope, "address", network_of(peer[0]), self.address)

    def meet_visitor(self, scope: Scope) -> None:
        """Count a page, whoever is signed in; raises TooManyCalls ``visitor_keeps_its_limit``."""
        peer = scope.get("client") or ("", 0)
        self._meet(scope, "visitor", network_of(peer[0]), self.visitor)

    def remembers(self, bearer: str) -> bool:
        """Say whether a credential has called and was found good."""
        return bearer.isascii() and ("key", digest_shown(bearer)) in self._busy_until

    def _meet(self, scope: Scope, kind: str, who: bytes | str, most: int) -> None:
        if not most:
            if kind == "key":
                self._keep(kind, who, self.clock())
            return
        now, each = self.clock(), WINDOW_SECONDS / most
        busy_until = max(self._busy_until.get((kind, who), now), now)
        wait = busy_until + each - now - WINDOW_SECONDS
        told = scope.setdefault(LIMITED, {})
        told["RateLimit-Policy"] = f'"{kind}";q={most};w={WINDOW_SECONDS}'
        if wait > 0:
            told["RateLimit"] = f'"{kind}";r=0;t={ceil(wait)}'
            raise TooManyCalls(f"{kind}_keeps_its_limit", ceil(wait))
        busy_until += each
        left = int((WINDOW_SECONDS - (busy_until - now)) / each + 1e-6)
        told["RateLimit"] = f'"{kind}";r={left};t={ceil(busy_until - now)}'
        self._keep(kind, who, busy_until)

    def _keep(self, kind: str, who: bytes | str, busy_until: float) -> None:
        self._busy_until[kind, who] = busy_until
        self._busy_until.move_to_end((kind, who))
        while len(self._busy_until) > REMEMBERED:
            self._busy_until.popitem(last=False)


class Limiting:
    """Counts pages, and calls of the API without a credential, by address; tells each what it has left.

    A cookie is no credential here: whoever makes one up would have limits of its own.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI call."""
        if scope["type"] != "http" or scope["path"].startswith(("/static/", "/livez")):
            await self._app(scope, receive, send)
            return
        # The routes work on copies of the scope; all of them share this one.
        told: Mapping[str, str] = scope.setdefault(LIMITED, {})

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        if not scope["path"].startswith(("/v1/", "/metrics", "/readyz")):
            try:
                self._limits.meet_visitor(scope)
            except TooManyCalls as error:
                tell("a page is refused", rule=error.rule, status=int(status_of(error)))
                said = {"Retry-After": str(error.seconds)}
                await PlainTextResponse(f"refused: {error.rule}\n", status_of(error), said)(
                    scope, receive, telling
                )
                return
            await self._app(scope, receive, telling)
            return
        # A header alone is no credential: until one was found good it stays with its address.
        shown = Headers(scope=scope).get("authorization", "").rpartition(" ")[2]
        if not self._limits.remembers(shown) or scope["path"].startswith(KEYLESS):
            try:
                self._limits.meet_address(scope)
            except TooManyCalls as error:
                await problems.answer(Request(scope), error)(scope, receive, telling)
                return
        await self._app(scope, receive, telling)
