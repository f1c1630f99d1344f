"""An officer's decisions: each on the version and under the programme that were seen, by the book's verbs."""

from __future__ import annotations

import json
from functools import partial
from typing import Final

from fastapi import APIRouter, Response

from bookrunner.api.caller import Decided as OnVersion
from bookrunner.api.caller import Write
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import InvestorId
from bookrunner.api.shapes.acts import InvestorActed
from bookrunner.api.shapes.onboarding import (
    AccreditationDecision,
    Decided,
    DiligenceDecision,
    DiscrepancyDecision,
    HitDecision,
    IdentityDecision,
    OwnerId,
    PaperId,
    PartyId,
    RecordId,
    Verified,
)
from bookrunner.books import compliance
from bookrunner.core.errors import UnknownRecord

_OF_A_CASE: Final = "/v1/investors/{investor}"
On = tuple[str, str, str]
"""Whose record, which act, and the id of the record."""


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of decisions; a second person is another key, where the book asks for one."""
    router = Router(tags=["compliance"])
    _identity(router, gateway)
    _people(router, gateway)
    _checks(router, gateway)
    _hits(router, gateway)
    return router


def _identity(router: APIRouter, gateway: Gateway) -> None:
    @router.post(f"{_OF_A_CASE}/case/decisions", operation_id="decide_identity", response_model=InvestorActed)
    async def identity(write: OnVersion, investor: InvestorId, body: IdentityDecision) -> Response:
        """Verify an identity, element by element, as the profile stands; or decline it."""
        on = (investor, "case", "")
        if body.decision == "declined":
            return await _decide(gateway, write, on, body)
        seen = {} if body.profile_sha256 is None else {"verified_digest": body.profile_sha256}
        return await _decide(gateway, write, on, body, **seen, **await _sealed(gateway, write, on, body))

    @router.post(
        f"{_OF_A_CASE}/papers/{{paper}}/rejections", operation_id="reject_paper", response_model=InvestorActed
    )
    async def rejected(write: OnVersion, investor: InvestorId, paper: PaperId, body: Decided) -> Response:
        """Reject a paper on file, so that another one is asked for."""
        return await _decide(gateway, write, (investor, "paper", paper), body)


def _people(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        f"{_OF_A_CASE}/owners/{{owner}}/verifications",
        operation_id="verify_owner",
        response_model=InvestorActed,
    )
    async def owner(write: OnVersion, investor: InvestorId, owner: OwnerId, body: Verified) -> Response:
        """Record that somebody behind an entity is who was certified; the screening is a check of its own."""
        on = (investor, "owner", owner)
        return await _decide(gateway, write, on, body, **await _sealed(gateway, write, on, body))

    @router.post(
        f"{_OF_A_CASE}/parties/{{party}}/verifications",
        operation_id="verify_party",
        response_model=InvestorActed,
    )
    async def party(write: OnVersion, investor: InvestorId, party: PartyId, body: Verified) -> Response:
        """Record that a person beside an investor is who was named."""
        on = (investor, "party", party)
        return await _decide(gateway, write, on, body, **await _sealed(gateway, write, on, body))


def _checks(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        f"{_OF_A_CASE}/discrepancies/{{discrepancy}}/decisions",
        operation_id="decide_discrepancy",
        response_model=InvestorActed,
    )
    async def discrepancy(
        write: OnVersion, investor: InvestorId, discrepancy: RecordId, body: DiscrepancyDecision
    ) -> Response:
        """Explain a difference between what was said and what was found, or uphold it."""
        return await _decide(gateway, write, (investor, "discrepancy", discrepancy), body)

    @router.post(
        f"{_OF_A_CASE}/accreditation/decisions",
        operation_id="decide_accreditation",
        response_model=InvestorActed,
    )
    async def accreditation(write: OnVersion, investor: InvestorId, body: AccreditationDecision) -> Response:
        """Approve by a method whose evidence is on file, ask for more, take up again, or decline."""
        return await _decide(gateway, write, (investor, "accreditation", ""), body)

    @router.post(
        f"{_OF_A_CASE}/diligences/{{diligence}}/decisions",
        operation_id="decide_diligence",
        response_model=InvestorActed,
    )
    async def diligence(
        write: OnVersion, investor: InvestorId, diligence: RecordId, body: DiligenceDecision
    ) -> Response:
        """Complete enhanced due diligence with its findings; a second officer approves or sends back."""
        on = (investor, "diligence", diligence)
        findings = await _sealed(gateway, write, on, body) if body.decision == "completed" else {}
        return await _decide(gateway, write, on, body, **findings)

    @router.post(f"{_OF_A_CASE}/reviews", operation_id="complete_review", response_model=InvestorActed)
    async def review(write: OnVersion, investor: InvestorId, body: Decided) -> Response:
        """Say that the whole case was looked at again, on the version of its rating."""
        return await _decide(gateway, write, (investor, "review", ""), body)


def _hits(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/v1/screenings/{subject}/hits/{hit}/decisions",
        operation_id="decide_hit",
        response_model=InvestorActed,
    )
    async def hit(write: OnVersion, subject: RecordId, hit: RecordId, body: HitDecision) -> Response:
        """Decide on a possible match; a weighty decision waits for a second officer to agree."""
        return await _decide(gateway, write, (subject, "hit", hit), body)


async def _sealed(gateway: Gateway, write: Write, on: On, body: Decided) -> dict[str, str]:
    """Seal what was checked as the evidence of a decision, which keeps it when its version is that of now."""
    actor = await gateway.admitted(write.caller, "compliance")
    if await gateway.read(write.caller, lambda of: of.case(investor=on[0])) is None:
        raise UnknownRecord("identity_case_exists", f"there is no case of {on[0]}")
    keeper = compliance.keeper(gateway.database)
    seal = partial(compliance.sealed_file, keeper, on[0], body.because.encode(), actor=actor)
    digest, sealed = await gateway.run(seal)
    return {"evidence_sha256": digest.hex(), "evidence_sealed": sealed.hex()}


async def _decide(gateway: Gateway, write: Write, on: On, body: Decided, **more: str) -> Response:
    scope, act, item = on
    said = body.model_dump(exclude_none=True, exclude={"programme"}, mode="json")
    return await gateway.write(
        write,
        "compliance",
        "decide_check",
        scope=scope,
        act=act,
        item=item,
        version=write.decided_on,
        programme=body.programme,
        said=json.dumps(said | more),
    )
