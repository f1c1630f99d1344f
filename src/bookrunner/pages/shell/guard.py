"""What every answer carries and every write must show."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bookrunner.core.log import tell

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_NOT_MODIFIED, _FORBIDDEN, _MISDIRECTED = 304, 403, 421
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
# What the server of an OpenID provider sends: no session is looked at, and its signature says whose it is.
_SIGNED = re.compile(r"/sign-in/with/[^/]+/logout")
_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types htmx"
)


def is_our_own(request: Request) -> bool:
    """Whether a write comes from a page of this very origin, by Sec-Fetch-Site and by Origin.

    Each that is present must agree, and one of them must be present.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is None and origin is None:
        return False
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return site in {None, "same-origin"} and origin in {None, own}


def names_us(request: Request, hosts: frozenset[str]) -> bool:
    """Whether a request is for one of our names.

    A page elsewhere can lead its own name to this address, and is then of our origin by every other sign.
    """
    said = request.headers.getlist("host")
    found = _HOST.fullmatch(said[0]) if len(said) == 1 else None
    return found is not None and found[1].lower() in hosts


class Guard:
    """Refuses a foreign host and a write from another origin, and puts the policy on each answer.

    ``hosts`` are names without a port that the pages are served under, beside those of the loopback.
    The policy has a fresh nonce.
    An unchanged fragment (304) carries no policy: the browser would join the new nonce to its old copy.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str] = ()) -> None:
        self.app = app
        self.hosts = LOOPBACK | {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                if message["status"] != _NOT_MODIFIED:
                    headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
            await send(message)

        request = Request(scope)
        if not names_us(request, self.hosts):
            await _refused("request_names_our_host", _MISDIRECTED)(scope, receive, send_guarded)
            return
        is_read = request.method in _READS or _SIGNED.fullmatch(request.url.path) is not None
        if not is_read and not is_our_own(request):
            await _refused("write_comes_from_our_own_page", _FORBIDDEN)(scope, receive, send_guarded)
            return
        await self.app(scope, receive, send_guarded)


def _refused(rule: str, status: int) -> PlainTextResponse:
    tell("a page is refused", rule=rule, status=status)
    return PlainTextResponse(f"refused: {rule}\n", status_code=status)
