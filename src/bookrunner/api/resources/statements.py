"""What investors state: contradictions of the record with their acceptance, answers to questionnaires."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Response

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import (
    AcceptanceId,
    AcceptedStatement,
    InvestmentId,
    InvestorId,
    NewQuestionnaire,
    OfferId,
    StatedOwnership,
    Suitability,
    Withdrawn,
    money,
)
from bookrunner.api.shapes.acts import (
    InvestmentActed,
    InvestorActed,
    QuestionnairePublished,
    SuitabilityAnswered,
)
from bookrunner.api.shapes.papers import Contradiction, Contradictions, Limit, Questionnaire
from bookrunner.core.errors import UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row

_CREATED = 201
# The version of what a person saw comes in the body, not in a header.
_AS_SEEN: dict[int | str, dict[str, Any]] = {412: {}}


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of contradictions; the desk and compliance read them, compliance accepts."""
    router = Router(prefix="/v1/investments/{investment}", tags=["statements"])

    @router.get("/contradictions", operation_id="list_contradictions")
    async def listed(caller: Called, investment: InvestmentId) -> Contradictions:
        """List the statements of an investor that the record contradicts and nobody has accepted.

        Compliance is told the programme too, under which it decides on them.
        """
        await gateway.admitted(caller, "subscription", "compliance")
        rows = await gateway.read(caller, lambda of: list(of.contradictions(investment=investment)))
        found: Contradictions = {"contradictions": [_contradiction(row) for row in rows]}
        if caller.keeper == "compliance":
            found["programme"] = await gateway.read(caller, lambda of: str(of.programme()))
        return found

    @router.post(
        "/acceptances",
        operation_id="accept_statement",
        responses=_AS_SEEN,
        response_model=InvestmentActed,
        status_code=_CREATED,
    )
    async def accepted(write: Written, investment: InvestmentId, body: AcceptedStatement) -> Response:
        """Let a statement stand beside a fact of the record, for a reason, under the programme in force."""
        said = body.model_dump()
        answer = await gateway.write(
            write, "compliance", "accept_statement", investment=investment, acceptance=new_id("sac"), **said
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/acceptances/{acceptance}/withdrawals",
        operation_id="withdraw_acceptance",
        response_model=InvestmentActed,
    )
    async def withdrawn(
        write: Decided, investment: InvestmentId, acceptance: AcceptanceId, body: Withdrawn
    ) -> Response:
        """Let the contradiction stand again, on the version that was seen."""
        return await gateway.write(
            write,
            "compliance",
            "withdraw_acceptance",
            investment=investment,
            acceptance=acceptance,
            because=body.because,
            programme=body.programme,
            version=write.decided_on,
        )

    return router


def questionnaires(gateway: Gateway) -> APIRouter:
    """Return the routes of suitability; compliance publishes the questions, the portal brings the answers."""
    router = Router(prefix="/v1/offers/{offer}", tags=["suitability"])

    @router.get("/questionnaire", operation_id="show_questionnaire")
    async def shown(caller: Called, offer: OfferId) -> Questionnaire:
        """Return the questions in force in their order, each with what it is asked after."""
        await gateway.admitted(caller, "portal", "compliance", "subscription", "engine")
        found: Questionnaire | None = await gateway.read(caller, lambda of: of.questionnaire(offering=offer))
        if found is None:
            raise UnknownRecord("questionnaire_exists", f"{offer} asks no questions")
        return found

    @router.get("/limit", operation_id="show_limit", responses={409: {}})
    async def limit(caller: Called, offer: OfferId, investor: InvestorId) -> Limit:
        """Return what an investor may commit: the limit, used of it, remaining; null for no limit.

        Over all crowdfunding offers of twelve months (17 CFR 227.100(a)(2)); refused where nothing is stated
        of income and net worth.
        """
        await gateway.admitted(caller, "portal", "compliance")
        row = await gateway.read(caller, lambda of: of.commitment_limit(offering=offer, investor=investor))
        most, used, code = row["limit_minor"], row["used_minor"], row["currency"]
        return {
            "offer": offer,
            "investor": investor,
            "limit": None if most is None else money(most, code),
            "used": money(used, code),
            "remaining": None if most is None else money(max(most - used, 0), code),
        }

    _suitability(router, gateway)
    return router


def _suitability(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/questionnaires",
        operation_id="publish_questionnaire",
        response_model=QuestionnairePublished,
        status_code=_CREATED,
    )
    async def published(write: Written, offer: OfferId, body: NewQuestionnaire) -> Response:
        """Publish the next version; answers to an earlier one no longer count."""
        content = body.model_dump(exclude={"because"}, exclude_none=True)
        answer = await gateway.write(
            write,
            "compliance",
            "publish_questionnaire",
            offering=offer,
            content=json.dumps(content),
            because=body.because,
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/suitability",
        operation_id="answer_suitability",
        responses=_AS_SEEN,
        response_model=SuitabilityAnswered,
        status_code=_CREATED,
    )
    async def answered(write: Written, offer: OfferId, body: Suitability) -> Response:
        """Answer the questions in force for an investor; what is missing or not asked is named."""
        answer = await gateway.write(
            write,
            "portal",
            "answer_suitability",
            offering=offer,
            suitability=new_id("sui"),
            investor=body.investor,
            questionnaire=int(body.questionnaire),
            answers=json.dumps(body.answers),
            is_warned="true" if body.warning_confirmed else "false",
            account=body.account,
        )
        answer.status_code = _CREATED
        return answer


def ownership(gateway: Gateway) -> APIRouter:
    """Return the route by which the signer of an entity certifies its owners."""
    router = Router(prefix="/v1/investors/{investor}", tags=["ownership"])

    @router.post(
        "/ownership", operation_id="certify_ownership", response_model=InvestorActed, status_code=_CREATED
    )
    async def certified(write: Written, investor: InvestorId, body: StatedOwnership) -> Response:
        """Certify who is behind an entity; refused without an authority, over the whole, in a loop."""
        said = body.model_dump()
        answer = await gateway.write(
            write,
            "portal",
            "certify_ownership",
            investor=investor,
            statement=new_id("ows"),
            account=body.account,
            people=json.dumps(said["people"]),
            shares=json.dumps(said["shares"]),
            is_certified="true" if body.certified else "false",
        )
        answer.status_code = _CREATED
        return answer

    return router


def _contradiction(row: Row) -> Contradiction:
    return {
        "offering_id": row["offering_id"],
        "investor_id": row["investor_id"],
        "kind": row["kind"],
        "code": row["code"],
        "fact": row["fact"],
        "sentence": row["sentence"],
    }
