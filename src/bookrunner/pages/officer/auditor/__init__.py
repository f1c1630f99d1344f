"""What an auditor proves: any record at any moment."""

from __future__ import annotations

from fastapi import APIRouter

from bookrunner.db import Database
from bookrunner.pages.officer.auditor import records
from bookrunner.pages.shell import Shell

__all__ = ["routes"]


def routes(database: Database, shell: Shell) -> APIRouter:
    """Return the routes below ``/proof``, for people of the audit keeper."""
    router = APIRouter()
    router.include_router(records.routes(database, shell))
    return router
