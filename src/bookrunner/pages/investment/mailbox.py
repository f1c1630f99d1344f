"""The mailbox of a sandbox: the letters that point to notices, as a mail server would get them."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from bookrunner.db import Database, load
from bookrunner.engine.life.post import letter_of
from bookrunner.pages.access import signed_in
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router


def mailbox_routes(database: Database, shell: Shell) -> Router:
    """Return the route of the mailbox, for a sandbox alone; an investor finds what is for itself.

    Addresses are not shown: a letter names its investor.
    """
    router = Router()
    queries = load("bookrunner.engine.life")

    @router.get("/mailbox")
    def mailbox(request: Request) -> Response:
        visitor = signed_in(request)
        mine = visitor.name if visitor is not None and visitor.is_investor else None
        with database.transaction("engine") as transaction:
            notices = list(queries.letters(transaction, recipient=mine))
        letters = [
            {"letter": letter_of(n["notice_id"], n["recipient"], n["language"]), "notice": n} for n in notices
        ]
        return shell.page(request, "investment/mailbox.html", {"letters": letters})

    return router
