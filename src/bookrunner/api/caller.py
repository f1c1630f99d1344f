"""Who calls, under which key of repetition, on which version: read from headers, never from a body."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request

from bookrunner.core.credentials import is_token, read_key
from bookrunner.core.errors import HeaderMissing, Malformed, NotAuthenticated, VersionNotNamed

SESSION = "bookrunner.session"
"""Where a page of ours puts keeper and digest of the session that it calls for; no header can."""
PROPOSAL = "bookrunner.proposal"
"""Where the call of a confirmed proposal says which one it is; no header can."""
_READ = (b"authorization", b"idempotency-key", b"if-match")
_REPEATABLE = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
_OF_PROPOSALS = "pps_"
_STRONG = re.compile(r'"([0-9a-f.]{1,64})"', re.ASCII)


@dataclass(frozen=True, slots=True)
class Caller:
    """The keeper that a call runs under, and the digest of its key."""

    keeper: str
    key_sha256: bytes


@dataclass(frozen=True, slots=True)
class Write:
    """One write: its caller, the idempotency key, the keyed digest of method, path, version and body."""

    caller: Caller
    request: str
    body_sha256: bytes
    version: str | None

    @property
    def claim(self) -> dict[str, bytes | str]:
        """What the database claims the request by."""
        return {"key": self.caller.key_sha256, "request": self.request, "body_sha256": self.body_sha256}

    @property
    def decided_on(self) -> str:
        """The version that the decision was made on; raises VersionNotNamed when it was not said."""
        if self.version is None:
            raise VersionNotNamed("decision_names_its_version", "send If-Match with the ETag that you saw")
        return self.version


async def caller(request: Request) -> Caller:
    """Read the bearer key and ask whether it may make the call; raises as `Door.admit` does."""
    return await _admitted(request)


@dataclass(frozen=True, slots=True)
class Repeatable:
    """What makes a write repeatable, whoever calls: key, keyed digest of what is asked, version seen.

    A body holds tax numbers and birth dates, which a plain digest would let anybody try out, also after an
    erasure: the digest is an HMAC-SHA256 under a key of the installation.
    """

    request: str
    body_sha256: bytes
    version: str | None


async def write(request: Request) -> Write:
    """Read what makes a write repeatable; raises as `caller` does, and HeaderMissing."""
    who = await _admitted(request)
    said = await repeatable(request)
    return Write(who, said.request, said.body_sha256, said.version)


async def versioned(request: Request) -> Write:
    """Read a write that may name the version it acts on."""
    return await write(request)


async def decision(request: Request) -> Write:
    """Read a write that decides on a version; raises also VersionNotNamed."""
    asked = await write(request)
    return replace(asked, version=asked.decided_on)


async def repeatable(request: Request) -> Repeatable:
    """Read the idempotency key and the version of a write; raises HeaderMissing."""
    found = _headers(request)
    key = found.get(b"idempotency-key", "")
    if not _REPEATABLE.fullmatch(key):
        raise HeaderMissing("write_carries_an_idempotency_key", "1 to 128 of A-Z a-z 0-9 . _ : -")
    if key.startswith(_OF_PROPOSALS) and key != request.scope.get(PROPOSAL):
        raise Malformed("idempotency_key_is_no_proposals", "what has the id of a proposal is its own call")
    seen = found.get(b"if-match")
    version = None
    if seen is not None:
        strong = _STRONG.fullmatch(seen)
        if strong is None:
            raise HeaderMissing("if_match_is_one_strong_etag", "send the ETag as it came")
        version = strong[1]
    path = request.scope["path"].encode()
    said = b"\n".join((request.method.encode(), path, (version or "").encode(), await request.body()))
    return Repeatable(key, request.app.state.digest(said), version)


Called = Annotated[Caller, Depends(caller)]
Written = Annotated[Write, Depends(write)]
Versioned = Annotated[Write, Depends(versioned)]
Decided = Annotated[Write, Depends(decision)]


def _headers(request: Request) -> dict[bytes, str]:
    """Return the headers that decide; each may come once, since two could be read as either."""
    found: dict[bytes, str] = {}
    for name, value in request.scope["headers"]:
        if name in _READ:
            if name in found:
                raise HeaderMissing("header_comes_once", name.decode("ascii"))
            found[name] = value.decode("latin-1")
    return found


async def _admitted(request: Request) -> Caller:
    door = request.app.state.door
    operation = request.scope.get("operation") or request.scope["route"].operation_id
    if lent := request.scope.get(SESSION):
        person = Caller(*lent)
        await door.admit(request, person, operation)
        return person
    try:
        credential = _bearer(_headers(request))
        keeper, key_sha256 = ("", b"") if is_token(credential) else read_key(credential)
    except NotAuthenticated:
        # What nobody could have issued is asked of no database, and counted all the same.
        if "authorization" in request.headers:
            door.limits.meet_address(request.scope)
        raise
    if is_token(credential):
        keeper, key_sha256 = await door.keeper_of(request, credential)
    who = Caller(keeper, key_sha256)
    await door.admit(request, who, operation)
    request.scope["keeper"] = keeper
    return who


def _bearer(headers: dict[bytes, str]) -> str:
    scheme, _, credential = headers.get(b"authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthenticated("credential_is_given", "send Authorization: Bearer and an API key or a token")
    return credential
