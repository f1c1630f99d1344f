"""Delegates: named by an investor under its own key, listed, ended; accepted at the delegate's own page."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import StringConstraints

from bookrunner.api.caller import Called, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import InvestorId, Shape
from bookrunner.api.shapes.acts import DelegationActed
from bookrunner.api.shapes.moments import Moment, instant
from bookrunner.api.shapes.onboarding import Delegation, Delegations
from bookrunner.core.ids import new_id
from bookrunner.db import Row

_CREATED, _MOST = 201, 200
_PORTAL = "portal"
_Delegate = Annotated[str, StringConstraints(pattern="^dlg_[0-9a-z]{1,58}$")]
_Delegation = Annotated[str, StringConstraints(pattern="^dgn_[0-9A-Za-z_]{1,64}$")]


class NewDelegate(Shape):
    """Who is named, by the name of its account; what it may do, and between which moments."""

    delegate: _Delegate
    scope: Literal["see", "prepare", "act"]
    begins_at: Moment | None = None
    ends_at: Moment


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of an investor's delegates.

    A key with the id of the investor as its name reads, names and ends; any other of the portal reads and
    ends.
    """
    router = Router(prefix="/v1/investors/{investor}/delegates", tags=["profiles"])

    @router.get("", operation_id="list_delegates")
    async def listed(caller: Called, investor: InvestorId) -> Delegations:
        """List whom an investor has named, those that stand first."""
        await gateway.speaker(caller, investor)
        rows: list[Row] = await gateway.read_for(
            _PORTAL, lambda of: list(of.delegates(investor=investor, most=_MOST))
        )
        return {"delegations": [_shown(row) for row in rows]}

    @router.post("", operation_id="name_delegate", response_model=DelegationActed, status_code=_CREATED)
    async def named(write: Written, investor: InvestorId, body: NewDelegate) -> Response:
        """Name a delegate that has an account; it acts when it has accepted."""
        said = {"delegate": body.delegate, "scope": body.scope, "until": body.ends_at.isoformat()}
        if body.begins_at is not None:
            said["from"] = body.begins_at.isoformat()
        answer = await gateway.write_for(
            write,
            await gateway.speaker(write.caller, investor),
            _PORTAL,
            "name_delegate",
            investor=investor,
            delegation=new_id("dgn"),
            said=json.dumps(said),
        )
        answer.status_code = _CREATED
        return answer

    @router.post("/{delegation}/end", operation_id="end_delegation", response_model=DelegationActed)
    async def ended(write: Written, investor: InvestorId, delegation: _Delegation) -> Response:
        """End a delegation from this moment on."""
        actor = await gateway.speaker(write.caller, investor)
        on = {"investor": investor, "delegation": delegation}
        return await gateway.write_for(write, actor, _PORTAL, "end_delegation", **on)

    return router


def _shown(row: Row) -> Delegation:
    return {
        "id": row["delegation_id"],
        "delegate": row["delegate"],
        "scope": row["scope"],
        "status": row["status"],
        "begins_at": instant(row["valid_from"]),
        "ends_at": instant(row["valid_until"]),
        "version": str(row["version"]),
    }
