"""Requests of institutions for a tranche: whose they are, the credential says; scored once, then ruled on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import StringConstraints

from bookrunner.api.caller import Called, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import OfferId, Price, Shape, money
from bookrunner.api.shapes.moments import instant
from bookrunner.api.shapes.papers import Intake
from bookrunner.db import Row
from bookrunner.engine.allocation.capital import Asked, Intakes

_CREATED = 201


class NewIntake(Shape):
    """What an institution asks for, and what it says of itself; never who it is."""

    offer: OfferId
    tranche: Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9_-]{0,39}$")]
    amount: Price
    statement: Annotated[str, StringConstraints(max_length=4000)] = ""


def routes(gateway: Gateway, intakes: Intakes) -> APIRouter:
    """Return the routes of the intake."""
    router = Router(prefix="/v1/ai-intake", tags=["institutions"])

    @router.post("", operation_id="take_institution_in", response_model=Intake, status_code=_CREATED)
    async def taken(write: Written, body: NewIntake) -> Response:
        """Score a request of the institution behind the key and enter it, or send it to a review.

        The same key again scores nothing anew. Without a scorer it answers 503, and nothing is scored.
        """
        actor, entity = await gateway.institution(write.caller)
        amount = body.amount.exact()
        asked = Asked(
            offering=body.offer,
            entity=entity,
            actor=actor,
            request=write.request,
            body_sha256=write.body_sha256,
            tranche=body.tranche,
            amount_minor=amount.minor,
            currency=amount.currency.code,
            statement=body.statement,
        )
        row, is_known = await intakes.take(asked, gateway.run)
        headers = {"ETag": f'"{row["version"]}"'}
        if is_known:
            headers["Idempotent-Replayed"] = "true"
        return JSONResponse(_shown(row), _CREATED, headers)

    @router.get("/{offer}/{intake}", operation_id="get_intake")
    async def one(caller: Called, offer: OfferId, intake: str) -> Intake:
        """Return a request of the institution behind the key, as it stands."""
        _, entity = await gateway.institution(caller)
        return _shown(await gateway.run(lambda: intakes.found(offer, intake, entity)))

    return router


def _shown(row: Row) -> Intake:
    digest = bytes(row["inputs_sha256"]).hex()
    score = row["score"] is not None
    return {
        "id": row["intake_id"],
        "offer": row["offering_id"],
        "entity": row["entity_id"],
        "status": row["status"],
        "tranche": row["tranche"],
        "amount": money(row["amount_minor"], row["currency"]),
        "asked_at": instant(row["asked_at"]),
        "score": {
            "score": row["score"],
            "parts": row["parts"],
            "tier": row["advised_tier"],
            "reasons": row["reasons"],
            "facts_used": row["facts_used"],
            "model": row["model"],
            "prompt_version": row["prompt_version"],
            "inputs_sha256": digest,
            "scored_at": instant(row["scored_at"]),
        }
        if score
        else None,
        "rules_met": row["rules_met"],
        "failed_rule": row["failed_rule"],
        "allocation": row["allocation_id"],
        "version": str(row["version"]),
    }
