"""What officers keep beside the cases of investors: new investors, suspicions, programme, answers."""

from __future__ import annotations

from fastapi import APIRouter

from bookrunner.db import Database
from bookrunner.pages.officer import intake, owners, programme, suitability, suspicions
from bookrunner.pages.shell import Shell

__all__ = ["routes"]


def routes(database: Database, shell: Shell) -> APIRouter:
    """Return the routes below ``/compliance`` that belong to no case of an investor."""
    router = APIRouter(prefix="/compliance")
    router.include_router(intake.routes(database, shell))
    router.include_router(programme.routes(database, shell))
    router.include_router(owners.routes(database, shell))
    router.include_router(suitability.routes(database, shell))
    router.include_router(suspicions.routes(database, shell))
    return router
