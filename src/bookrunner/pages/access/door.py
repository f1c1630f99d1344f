"""How people come in: the site that passkeys are bound to, whether a key may sign in, and the cookie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from bookrunner.core import clock

COOKIE = "bookrunner_session"


@dataclass(frozen=True, slots=True)
class Door:
    """What an installation lets people sign in with.

    ``site`` is the host name that passkeys are bound to; without one there are no passkeys.
    ``is_for_accounts_alone`` refuses keys at the pages; programs keep calling the API with theirs.
    """

    site: str | None = None
    is_for_accounts_alone: bool = False


WITHOUT_PASSKEYS: Final = Door()


def hand_over(answer: Response, request: Request, token: str, ends_at: datetime) -> Response:
    """Give the browser a session's token, for the server alone and for pages of this very site."""
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int((ends_at - clock.now()).total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


def inside(path: str) -> str:
    """Return a path of these pages; anything that could lead elsewhere becomes the start."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


def sheet_of(after: str, door: Door, rule: str = "") -> dict[str, object]:
    """Return what the page for signing in shows: the ways in, and the rule that the last try broke."""
    return {
        "next": inside(after),
        "rule": rule,
        "has_passkeys": door.site is not None,
        "takes_keys": not door.is_for_accounts_alone,
    }
