"""What an auditor proves: records at any moment, views, bundles, anchors, lists as files."""

from __future__ import annotations

from bookrunner.db import Database
from bookrunner.pages.officer.auditor import anchors, examinations, lists, records
from bookrunner.pages.officer.auditor.examinations import Presses
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router, take_in

__all__ = ["routes"]


def routes(database: Database, presses: Presses, shell: Shell) -> Router:
    """Return the routes below ``/proof``, for people of the audit keeper."""
    router = Router()
    take_in(router, records.routes(database, shell))
    take_in(router, examinations.routes(database, presses, shell))
    take_in(router, anchors.routes(database, shell))
    take_in(router, lists.routes(database, shell))
    return router
