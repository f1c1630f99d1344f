"""Which roots a chain holds, what is on its way there, and what covers an event."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bookrunner.api.caller import Called
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.events import RecordId
from bookrunner.api.routing import Router
from bookrunner.api.shapes.funds import Anchor, Anchored, Anchors, WaitingAnchor
from bookrunner.api.shapes.moments import instant
from bookrunner.app.anchors import MARK
from bookrunner.app.settings import SANDBOX_CHAIN
from bookrunner.core.errors import UnknownRecord
from bookrunner.db import Row, Within, load

_KEEPER = "audit"
_RECORD = "bookrunner.audit.record"
_Version = Annotated[int, Query(ge=1, le=2**53)]


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of anchors, for keys of the auditors."""
    router = Router(prefix="/v1/anchors", tags=["events"])

    @router.get("", operation_id="list_anchors")
    async def listed(caller: Called) -> Anchors:
        """List the anchors, the newest first, what is on its way, and when the next one is due.

        The data of each transaction is the mark followed by the root of its seal.
        """
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> tuple[Row | None, list[Row], list[Row]]:
            record = of.using(load(_RECORD))
            due = record.anchor_due(chain_id=SANDBOX_CHAIN)
            return due, list(record.anchors_waiting()), list(record.anchors())

        due, waiting, final = await gateway.read(caller, work)
        return {
            "mark": "0x" + MARK.hex(),
            "cadence": None if due is None else due["sentence"],
            "due_at": None if due is None or due["due_at"] is None else instant(due["due_at"]),
            "waiting": [_waiting(row) for row in waiting],
            "anchors": [_anchor(row) for row in final],
        }

    @router.get("/{record}", operation_id="show_anchor")
    async def one(
        caller: Called, record: RecordId, version: _Version, scope: RecordId | None = None
    ) -> Anchored:
        """Return the seal of an event and the first anchored seal that covers it, for each of its scopes."""
        await gateway.admitted(caller, _KEEPER)
        asked = {"subject": record, "version": version, "scope": scope}
        rows: list[Row] = await gateway.read(caller, lambda of: of.using(load(_RECORD)).anchor_of(**asked))
        if not rows:
            raise UnknownRecord("event_is_in_the_feed", f"there is no {record}@{version} in the feed")
        return {
            "places": [
                {
                    "seq": row["seq"],
                    "scope": row["scope"],
                    "seal": row["seal_no"],
                    "anchored_by": row["anchored_by"],
                    "chain": row["chain_id"],
                    "transaction": _hex(row["transaction_hash"]),
                }
                for row in rows
            ]
        }

    return router


def _anchor(row: Row) -> Anchor:
    return {
        "seal": row["seal_no"],
        "chain": row["chain_id"],
        "block": row["block_number"],
        "transaction": "0x" + bytes(row["transaction_hash"]).hex(),
        "root": bytes(row["root"]).hex(),
        "sealed_at": instant(row["sealed_at"]),
        "anchored_at": instant(row["anchored_at"]),
    }


def _waiting(row: Row) -> WaitingAnchor:
    return {
        "seal": row["seal_no"],
        "chain": row["chain_id"],
        "status": row["status"],
        "attempts": row["attempts"],
        "transaction": "0x" + bytes(row["hash"]).hex(),
        "signed_at": instant(row["signed_at"]),
    }


def _hex(said: bytes | None) -> str | None:
    return None if said is None else "0x" + bytes(said).hex()
