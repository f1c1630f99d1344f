"""How people come in: the site that passkeys are bound to, whether a key may sign in, and the cookie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from bookrunner.core import clock
from bookrunner.db import Row

COOKIE = "bookrunner_session"
FOR_WHOM: Final = "bookrunner_for"
"""The cookie with the delegation by which a delegate acts; that it stands is looked up each time."""
_BOUND: Final = "__Host-"
_PATH_CHARACTERS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Door:
    """What an installation lets people sign in with.

    ``site`` is the host name that passkeys are bound to; without one there are no passkeys.
    ``is_for_accounts_alone`` refuses keys at the pages; programs keep calling the API with theirs.
    """

    site: str | None = None
    is_for_accounts_alone: bool = False


WITHOUT_PASSKEYS: Final = Door()


def token_of(request: Request) -> str | None:
    """Return the token of a session that the browser sent back; over TLS only one bound to this very host."""
    return request.cookies.get(_cookie_of(request))


def session_of(request: Request) -> bytes:
    """Return the digest that the session of a browser is kept under; of no session, one that no token has."""
    return sha256((token_of(request) or "").encode()).digest()


def hand_over(answer: Response, request: Request, token: str, ends_at: datetime) -> Response:
    """Give the browser a session's token, for the server alone and for pages of this very site.

    Over TLS the name binds it to this host (RFC 6265bis, 4.1.3.2). Browsers take no such name over the plain
    connection of a sandbox on loopback, where the name stands without it.
    """
    answer.set_cookie(
        _cookie_of(request),
        token,
        max_age=int((ends_at - clock.now()).total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=_is_over_tls(request),
    )
    return answer


def take_back(answer: Response, request: Request) -> Response:
    """Let the browser forget its token."""
    answer.delete_cookie(
        _cookie_of(request), path="/", httponly=True, samesite="strict", secure=_is_over_tls(request)
    )
    return answer


def bind(answer: Response, request: Request, name: str, *, value: str = "", seconds: int = 0) -> Response:
    """Give the browser a secret of this host that it shows when another site leads here too; none ends it."""
    answer.set_cookie(
        _bound(name, request),
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=_is_over_tls(request),
    )
    return answer


def unbind(request: Request, name: str) -> str:
    """Return the secret that the browser was bound by, or nothing."""
    return request.cookies.get(_bound(name, request), "")


def _cookie_of(request: Request) -> str:
    return _bound(COOKIE, request)


def _bound(name: str, request: Request) -> str:
    return f"{_BOUND}{name}" if _is_over_tls(request) else name


def _is_over_tls(request: Request) -> bool:
    return request.url.scheme == "https"


def inside(path: str) -> str:
    """Return a path of these pages; anything that could lead elsewhere, or is overlong, becomes the start.

    Browsers drop tabs and line feeds out of an address and read a backslash as a slash. One that goes to
    a provider keeps the path in a cookie, which has 4 KiB.
    """
    is_plain = len(path) <= _PATH_CHARACTERS_MAX and path.isprintable() and "\\" not in path
    return path if is_plain and path.startswith("/") and not path.startswith("//") else "/"


def sheet_of(
    after: str, door: Door, providers: Sequence[Row], *, rule: str = "", detail: str = ""
) -> dict[str, object]:
    """Return what the page for signing in shows: the ways in, and the rule that the last try broke."""
    return {
        "next": inside(after),
        "rule": rule,
        "detail": detail,
        "providers": providers,
        "has_passkeys": door.site is not None,
        "takes_keys": not door.is_for_accounts_alone,
    }
