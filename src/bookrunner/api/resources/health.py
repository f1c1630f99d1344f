"""Whether the process lives, whether it can serve, which release it is; asked without a key."""

from __future__ import annotations

from fastapi import APIRouter

from bookrunner import __version__
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes.answers import Alive, Ready, Release
from bookrunner.api.shapes.moments import instant
from bookrunner.db import Row, load


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of health, outside ``/v1``."""
    router = Router(tags=["health"])

    @router.get("/livez", operation_id="is_alive")
    async def alive() -> Alive:
        """Answer as long as the process does."""
        return {"status": "alive"}

    @router.get("/readyz", operation_id="is_ready")
    async def ready() -> Ready:
        """Answer when the database does, with the events that wait for the feed; else 503."""
        row = await gateway.run(lambda: _waiting(gateway))
        oldest = None if row["oldest"] is None else instant(row["oldest"])
        return {"status": "ready", "events_waiting": row["events"], "oldest_since": oldest}

    @router.get("/version", operation_id="get_version")
    async def version() -> Release:
        """Return the release."""
        return {"version": __version__}

    return router


def _waiting(gateway: Gateway) -> Row:
    with gateway.database.transaction("audit") as transaction:
        row: Row = load("bookrunner.api").waiting(transaction)
    return row
