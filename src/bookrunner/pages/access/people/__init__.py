"""Accounts at the pages: passkeys, passwords, invitations, the security page, confirmed decisions."""

from __future__ import annotations

from fastapi import APIRouter

from bookrunner.db import Database
from bookrunner.pages.access.door import Door
from bookrunner.pages.access.people import confirming, entering, recovering, security
from bookrunner.pages.access.people.passkeys import Passkeys
from bookrunner.pages.access.people.store import People
from bookrunner.pages.shell import Shell

__all__ = ["People", "leave", "routes"]


def routes(database: Database, shell: Shell, door: Door) -> APIRouter:
    """Return every route of accounts."""
    people = People(database)
    asking = None if door.site is None else Passkeys(door.site)
    own = security.Security(people, shell, asking)
    router = APIRouter()
    router.include_router(entering.passkey_routes(people, asking))
    router.include_router(entering.form_routes(people, shell, door))
    router.include_router(security.routes(own))
    router.include_router(security.end_routes(own))
    router.include_router(security.script_routes(own))
    router.include_router(recovering.routes(people, shell, asking))
    router.include_router(confirming.routes(people, asking))
    return router


def leave(database: Database, token: str) -> None:
    """End the session of a token now."""
    people = People(database)
    account = people.of(token)
    people.act(
        "end_account_session", actor=account["name"], account=account["account_id"], id=account["session_id"]
    )
