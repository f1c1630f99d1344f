"""The way back in: a new passkey that waits three days, while any credential that is left can stop it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Form, Request
from fastapi.responses import Response

from bookrunner.core.errors import NotAuthenticated
from bookrunner.core.ids import new_id
from bookrunner.core.log import warn
from bookrunner.db import Row
from bookrunner.pages.access.people.entering import Said, answer_of, asked, site_of, taken, told
from bookrunner.pages.access.people.passkeys import Passkeys
from bookrunner.pages.access.people.store import People
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router


def routes(people: People, shell: Shell, asking: Passkeys | None) -> Router:
    """Return the page of a recovery and what its script calls."""
    router = Router(prefix="/recovery")

    def sheet(request: Request, facts: Mapping[str, Any], status: int = 200) -> Response:
        plain = {"account": None, "recovery": "", "fault": None, "is_done": False}
        return shell.page(request, "access/people/recovery.html", {**plain, **facts}, status)

    @router.get("")
    def ask(request: Request) -> Response:
        return sheet(request, {"is_done": "waits" in request.query_params})

    @router.post("")
    def show(request: Request, recovery: Annotated[str, Form(max_length=200)] = "") -> Response:
        try:
            return sheet(
                request, {"account": _recovered(people, recovery.strip()), "recovery": recovery.strip()}
            )
        except NotAuthenticated as fault:
            return sheet(request, {"fault": fault}, 401)

    @router.post("/passkey/options")
    def options(request: Request, said: Said) -> Response:
        def work() -> Mapping[str, Any]:
            account = _recovered(people, str(said.get("recovery", "")))
            return site_of(asking).new(account, (), asked(people, account["account_id"], request))

        return told(work)

    @router.post("/passkey")
    def keep(request: Request, said: Said) -> Response:
        def work() -> dict[str, str]:
            recovery = str(said.get("recovery", ""))
            account = _recovered(people, recovery)
            challenge = taken(people, said, account["account_id"])
            kept = site_of(asking).made(request, answer_of(said), challenge)
            people.act(
                "recover",
                recovery=_digest(recovery),
                credential=new_id("crd"),
                kept=json.dumps({**kept, "label": "recovered"}),
            )
            return {"next": "/recovery?waits=1"}

        return told(work)

    return router


def _recovered(people: People, recovery: str) -> Row:
    found: Row | None = people.ask("by_recovery", recovery=_digest(recovery))
    if found is None:
        warn("a sign-in is refused", means="recovery", rule="recovery_is_in_force")
        raise NotAuthenticated("recovery_is_in_force", "it is not known, was used or has run out")
    return found


def _digest(recovery: str) -> bytes:
    # What was sent as JSON may hold half a character, which UTF-8 does not write: it is no recovery either.
    return sha256(recovery.encode("utf-8", "replace")).digest()
