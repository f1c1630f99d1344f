"""Accounts at the pages: passkeys, passwords, invitations, the security page, confirmed decisions."""

from __future__ import annotations

from bookrunner.db import Database
from bookrunner.pages.access.door import Door
from bookrunner.pages.access.people import confirming, entering, recovering, security
from bookrunner.pages.access.people.passkeys import Passkeys
from bookrunner.pages.access.people.store import People
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router, take_in

__all__ = ["People", "leave", "routes"]


def routes(database: Database, shell: Shell, door: Door) -> Router:
    """Return every route of accounts."""
    people = People(database)
    asking = None if door.site is None else Passkeys(door.site)
    own = security.Security(people, shell, asking)
    router = Router()
    take_in(router, entering.passkey_routes(people, asking))
    take_in(router, entering.form_routes(people, shell, door))
    take_in(router, security.routes(own))
    take_in(router, security.end_routes(own))
    take_in(router, security.script_routes(own))
    take_in(router, recovering.routes(people, shell, asking))
    take_in(router, confirming.routes(people, asking))
    return router


def leave(database: Database, token: str) -> None:
    """End the session of a token now."""
    people = People(database)
    account = people.of(token)
    people.act(
        "end_account_session", actor=account["name"], account=account["account_id"], id=account["session_id"]
    )
