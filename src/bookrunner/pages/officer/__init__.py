"""What officers keep beside the cases of investors: new investors, suspicions, programme, answers."""

from __future__ import annotations

from bookrunner.db import Database
from bookrunner.pages.officer import intake, owners, programme, suitability, suspicions
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router, take_in

__all__ = ["routes"]


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes below ``/compliance`` that belong to no case of an investor."""
    router = Router(prefix="/compliance")
    take_in(router, intake.routes(database, shell))
    take_in(router, programme.routes(database, shell))
    take_in(router, owners.routes(database, shell))
    take_in(router, suitability.routes(database, shell))
    take_in(router, suspicions.routes(database, shell))
    return router
