"""What an auditor proves: records at any moment, views, bundles, anchors, lists as files."""

from __future__ import annotations

from fastapi import APIRouter

from bookrunner.db import Database
from bookrunner.pages.officer.auditor import anchors, examinations, lists, records
from bookrunner.pages.officer.auditor.examinations import Presses
from bookrunner.pages.shell import Shell

__all__ = ["routes"]


def routes(database: Database, presses: Presses, shell: Shell) -> APIRouter:
    """Return the routes below ``/proof``, for people of the audit keeper."""
    router = APIRouter()
    router.include_router(records.routes(database, shell))
    router.include_router(examinations.routes(database, presses, shell))
    router.include_router(anchors.routes(database, shell))
    router.include_router(lists.routes(database, shell))
    return router
