"""The feed of events: every committed change of state, in one order, without gaps."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bookrunner.api.caller import Called
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import PAGE
from bookrunner.api.shapes.answers import Event, Events
from bookrunner.api.shapes.moments import instant
from bookrunner.db import Row


def routes(gateway: Gateway) -> APIRouter:
    """Return the route of the feed."""
    router = Router(prefix="/v1/events", tags=["events"])

    @router.get("", operation_id="list_events")
    async def feed(
        caller: Called,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
    ) -> Events:
        """Return the events after a sequence number; ``next`` is what to send as ``after`` next time.

        Numbers are given after the commit and have no gap: who has read up to a number has missed nothing.
        """
        rows: list[Row] = await gateway.read(caller, lambda of: of.events(after=after, most=limit))
        return {"events": [_shown(row) for row in rows], "next": rows[-1]["seq"] if rows else after}

    return router


def _shown(row: Row) -> Event:
    return {
        "seq": row["seq"],
        "kind": row["kind"],
        "scope": row["scope"],
        "subject": row["subject"],
        "version": row["version"],
        "keeper": row["keeper"],
        "actor": row["actor"],
        "request": row["request_id"],
        "caused_by": row["caused_by"],
        "occurred_at": instant(row["occurred_at"]),
        "recorded_at": instant(row["recorded_at"]),
        "payload": row["payload"],
        "hash": bytes(row["hash"]).hex(),
    }
