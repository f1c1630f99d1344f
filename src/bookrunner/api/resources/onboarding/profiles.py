"""Profiles: opened, amended and changed by the portal; what they say is seen by a look that is on record."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from fastapi import APIRouter, Response

from bookrunner.api.caller import Called, Decided, Write, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import InvestorId
from bookrunner.api.shapes.acts import InvestorActed
from bookrunner.api.shapes.onboarding import (
    ChangeDecision,
    ChangedField,
    ChangeId,
    ChangeSeen,
    Look,
    NewChange,
    NewDetail,
    NewProfile,
    Profile,
    ProfileActed,
    ProfileSeen,
    Purpose,
)
from bookrunner.books import portal
from bookrunner.core.errors import UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row

_CREATED = 201
# A look is no repeatable write, and a rule of the book may refuse it all the same.
_REFUSED: dict[int | str, dict[str, Any]] = {409: {}}
_MAY_LOOK = ("portal", "compliance")


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of profiles; the portal opens them, and compliance decides what changes one."""
    router = Router(prefix="/v1/investors", tags=["profiles"])
    _opening(router, gateway)
    _looks(router, gateway)
    _changes(router, gateway)
    return router


async def found(gateway: Gateway, investor: str) -> Row:
    """Return what is no secret of a profile; raises UnknownRecord ``profile_exists``."""
    row: Row | None = await gateway.read_for("portal", lambda of: of.profile(investor=investor))
    if row is None:
        raise UnknownRecord("profile_exists", f"there is no profile {investor}")
    return row


def _opening(router: APIRouter, gateway: Gateway) -> None:
    keeper = portal.keeper(gateway.database)

    @router.post("", operation_id="open_profile", response_model=ProfileActed, status_code=_CREATED)
    async def opened(write: Written, body: NewProfile) -> Response:
        """Open the profile of a new investor; its numbers are sealed under a key of its own."""
        await gateway.admitted(write.caller, "portal")
        investor = new_id("ivr")
        sealed = await gateway.run(partial(portal.sealed_anew, keeper, investor, body.detail.said()))
        answer = await gateway.write(
            write,
            "portal",
            "open_profile",
            investor=investor,
            account=body.account,
            kind=body.kind,
            detail=json.dumps(sealed.detail),
            data_key=sealed.key,
            wrapped=sealed.wrapped,
        )
        answer.status_code = _CREATED
        return answer

    @router.post("/{investor}/versions", operation_id="amend_profile", response_model=ProfileActed)
    async def amended(write: Decided, investor: InvestorId, body: NewDetail) -> Response:
        """Write the next version of a profile; what was verified is locked, and changes by request alone."""
        return await gateway.write(
            write,
            "portal",
            "amend_profile",
            investor=investor,
            version=write.decided_on,
            detail=await _sealed(gateway, write, investor, body.detail.said()),
        )


async def _sealed(gateway: Gateway, write: Write, investor: str, detail: dict[str, object]) -> str:
    actor = await gateway.admitted(write.caller, "portal")
    await found(gateway, investor)
    keeper = portal.keeper(gateway.database)
    return json.dumps(await gateway.run(partial(portal.sealed_for, keeper, investor, detail, actor=actor)))


def _looks(router: APIRouter, gateway: Gateway) -> None:
    keeper = portal.keeper(gateway.database)

    @router.get("/{investor}", operation_id="get_profile")
    async def one(caller: Called, investor: InvestorId, response: Response) -> Profile:
        """Return what a profile is and which fields it has; a look of its own shows what they say."""
        await gateway.admitted(caller, *_MAY_LOOK)
        row = await found(gateway, investor)
        response.headers["ETag"] = f'"{row["version"]}"'
        return {
            "id": row["investor_id"],
            "account": row["account_id"],
            "kind": row["kind"],
            "status": row["status"],
            "country": row["country"],
            "given": sorted(row["given"]),
            "detail_version": row["detail_version"],
            "detail_sha256": bytes(row["detail_digest"]).hex(),
            "version": str(row["version"]),
        }

    @router.post("/{investor}/looks", operation_id="look_at_profile", responses=_REFUSED)
    async def seen(caller: Called, investor: InvestorId, body: Look) -> ProfileSeen:
        """Show the fields of one version; who looked and for what is on record before they are shown."""
        actor = await gateway.admitted(caller, *_MAY_LOOK)
        version = body.detail_version or (await found(gateway, investor))["detail_version"]
        look = partial(portal.reveal_profile, keeper, investor, version, actor=actor, purpose=body.purpose)
        return {"investor": investor, "detail_version": version, "fields": await gateway.run(look)}


def _changes(router: APIRouter, gateway: Gateway) -> None:
    keeper = portal.keeper(gateway.database)

    @router.post(
        "/{investor}/changes",
        operation_id="request_profile_change",
        response_model=InvestorActed,
        status_code=_CREATED,
    )
    async def asked(write: Decided, investor: InvestorId, body: NewChange) -> Response:
        """Ask for a change of a verified profile; an officer who did not ask decides."""
        answer = await gateway.write(
            write,
            "portal",
            "request_profile_change",
            investor=investor,
            version=write.decided_on,
            change=new_id("chg"),
            detail=await _sealed(gateway, write, investor, body.detail.said()),
            because=body.because,
            evidence_sha256=body.evidence_sha256,
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/{investor}/changes/{change}/looks", operation_id="look_at_profile_change", responses=_REFUSED
    )
    async def shown(caller: Called, investor: InvestorId, change: ChangeId, body: Purpose) -> ChangeSeen:
        """Show each field that a change would change, before and after; the look is on record."""
        actor = await gateway.admitted(caller, "compliance")
        look = partial(portal.reveal_change, keeper, investor, change, actor=actor, purpose=body.purpose)
        fields = await gateway.run(look)
        told: list[ChangedField] = [
            {"name": name, "before": before, "after": after} for name, before, after in fields
        ]
        return {"id": change, "investor": investor, "fields": told}

    @router.post(
        "/{investor}/changes/{change}/decisions",
        operation_id="decide_profile_change",
        response_model=InvestorActed,
    )
    async def decided(
        write: Decided, investor: InvestorId, change: ChangeId, body: ChangeDecision
    ) -> Response:
        """Make a requested change the next version, or decline it, as another person than who asked."""
        actor = await gateway.admitted(write.caller, "compliance")
        return await gateway.write_for(
            write,
            actor,
            "portal",
            "decide_profile_change",
            investor=investor,
            change=change,
            version=write.decided_on,
            programme=body.programme,
            is_approved="true" if body.approved else "false",
            because=body.because,
        )
