"""The feed of events, in one order without gaps, and any record as its events make it again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import StringConstraints

from bookrunner.api.caller import Called
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import PAGE
from bookrunner.api.shapes.answers import Event, Events, Recorded, RecordVersion
from bookrunner.api.shapes.moments import Moment, instant
from bookrunner.audit.record import History, Version, history_of
from bookrunner.core import clock
from bookrunner.core.credentials import KEEPERS
from bookrunner.core.errors import UnknownRecord
from bookrunner.db import Row

_NAME = r"^[0-9A-Za-z_.:~-]{1,128}$"
RecordId = Annotated[str, StringConstraints(pattern=_NAME)]
_MOST = 2**53 - 1


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


def records(gateway: Gateway) -> APIRouter:
    """Return the route of records, for every keeper that reads events."""
    router = Router(prefix="/v1/records", tags=["events"])

    @router.get("/{record}", operation_id="read_record")
    async def one(
        caller: Called,
        record: RecordId,
        *,
        scope: RecordId | None = None,
        at: Moment | None = None,
        version: Annotated[int | None, Query(ge=1, le=_MOST)] = None,
    ) -> Recorded:
        """Return a record as the books had it at a moment, or one of its versions, and every change of it.

        Without either it is as it stands now. ``late`` are versions that had happened by then and were
        recorded later. What events leave out is named in ``withheld`` and shown by a look that is on record.
        """
        await gateway.admitted(caller, *KEEPERS)
        name = record if scope is None else f"{scope}/{record}"
        found = await gateway.read(caller, lambda of: history_of(of, name))
        moment = at or clock.now()
        seen = found.at(moment) if version is None else found.numbered(version)
        if seen is None:
            raise UnknownRecord("record_exists", f"there was no record {record} at {instant(moment)}")
        return _recorded(
            found, seen, [] if version is not None else [each.version for each in found.late(moment)]
        )

    return router


def _recorded(found: History, seen: Version, late: list[int]) -> Recorded:
    return {
        "id": found.record,
        "scope": found.scope,
        "machine": found.machine,
        "version": seen.version,
        "fields": dict(seen.fields),
        "withheld": list(found.withheld),
        "late": late,
        "versions": [_version(each) for each in found.versions],
    }


def _version(each: Version) -> RecordVersion:
    return {
        "version": each.version,
        "kind": each.kind,
        "keeper": each.keeper,
        "actor": each.actor,
        "request": each.request,
        "caused_by": each.caused_by,
        "occurred_at": instant(each.occurred_at),
        "recorded_at": instant(each.recorded_at),
        "changed": {name: {"before": was, "after": now} for name, (was, now) in each.changed.items()},
        "hash": each.hash.hex(),
    }
