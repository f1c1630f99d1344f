"""The session of an issuer, as its pages take it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from bookrunner.core.credentials import ISSUER, read_token
from bookrunner.pages.access import requiring, token_of


def session_of(request: Request) -> bytes:
    """Return the digest of the session of an issuer; raises NotAuthenticated and NotAllowed."""
    requiring((ISSUER,))(request)
    return read_token(token_of(request) or "")[1]


Session = Annotated[bytes, Depends(session_of)]
