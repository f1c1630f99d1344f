"""Amendments of a published offer, and what investors answer to them."""

from __future__ import annotations

from fastapi import APIRouter, Response

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import (
    AmendmentDecision,
    AmendmentId,
    Answer,
    InvestmentId,
    NewAmendment,
    OfferId,
    ReconfirmationId,
)
from bookrunner.api.shapes.acts import AmendmentActed, InvestmentActed
from bookrunner.api.shapes.answers import Amendment, Amendments, Reconfirmation, Reconfirmations
from bookrunner.api.shapes.moments import instant
from bookrunner.core.errors import Malformed
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of amendments."""
    router = Router(tags=["amendments"])
    _changes(router, gateway)
    _answers(router, gateway)
    return router


def _changes(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/v1/offers/{offer}/amendments", operation_id="list_amendments")
    async def every(caller: Called, offer: OfferId) -> Amendments:
        """List the amendments of an offer by number, with how the investors have answered."""

        def work(of: Within) -> list[Row]:
            required(of, offer)
            found: list[Row] = of.amendments(offering=offer)
            return found

        return {"amendments": [_shown(row) for row in await gateway.read(caller, work)]}

    @router.post(
        "/v1/offers/{offer}/amendments",
        operation_id="propose_amendment",
        response_model=AmendmentActed,
        status_code=_CREATED,
    )
    async def proposed(write: Written, offer: OfferId, body: NewAmendment) -> Response:
        """Propose an amendment; a second key decides it."""
        answer = await gateway.write(
            write,
            "engine",
            "propose_amendment",
            offering=offer,
            amendment=new_id("amd"),
            is_material=body.is_material,
            sentence=body.sentence,
            document_sha256=bytes.fromhex(body.document_sha256),
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/v1/offers/{offer}/amendments/{amendment}/decisions",
        operation_id="decide_amendment",
        response_model=AmendmentActed,
    )
    async def decided(
        write: Decided, offer: OfferId, amendment: AmendmentId, body: AmendmentDecision
    ) -> Response:
        """Announce a material change, record another one, or decline it, on the version that was seen."""
        seen = write.decided_on
        if not seen.isdecimal() or len(seen) > len(str(10**17)):
            raise Malformed("if_match_is_an_amendments_version", "send the ETag as it came")
        return await gateway.write(
            write,
            "engine",
            "decide_amendment",
            offering=offer,
            amendment=amendment,
            version=int(seen),
            is_accepted=body.accepted,
            because=body.because,
        )


def _answers(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/v1/investments/{investment}/reconfirmations", operation_id="list_reconfirmations")
    async def asked(caller: Called, investment: InvestmentId) -> Reconfirmations:
        """List what an investor was asked after material changes, until when, with the answers."""
        rows = await gateway.read(caller, lambda of: of.reconfirmations(investment=investment))
        return {"reconfirmations": [_question(row) for row in rows]}

    @router.post(
        "/v1/investments/{investment}/reconfirmations/{reconfirmation}/answer",
        operation_id="answer_reconfirmation",
        response_model=InvestmentActed,
    )
    async def answered(
        write: Written, investment: InvestmentId, reconfirmation: ReconfirmationId, body: Answer
    ) -> Response:
        """Answer a material change inside its window."""
        return await gateway.write(
            write,
            "subscription",
            "answer_reconfirmation",
            investment=investment,
            reconfirmation=reconfirmation,
            is_reconfirmed=body.reconfirmed,
        )


def _shown(row: Row) -> Amendment:
    return {
        "id": row["amendment_id"],
        "ordinal": row["ordinal"],
        "status": row["status"],
        "is_material": row["is_material"],
        "sentence": row["sentence"],
        "proposed_by": row["proposed_by"],
        "decided_by": row["decided_by"],
        "because": row["because"],
        "rule": row["rule_id"],
        "due_at": None if row["due_at"] is None else instant(row["due_at"]),
        "answers": {
            "asked": row["asked"],
            "reconfirmed": row["reconfirmed"],
            "declined": row["declined"],
            "lapsed": row["lapsed"],
        },
        "version": str(row["version"]),
    }


def _question(row: Row) -> Reconfirmation:
    return {
        "id": row["reconfirmation_id"],
        "amendment": row["amendment_id"],
        "status": row["status"],
        "due_at": instant(row["due_at"]),
        "version": str(row["version"]),
    }
