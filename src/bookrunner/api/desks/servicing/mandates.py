"""What the register changes by paper: who receives what a holder is paid, transfers that are taken back."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import StringConstraints

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import Because, InvestorId, Label, OfferId, Sha256, Shape, money
from bookrunner.api.shapes.servicing.payments import (
    Mandate,
    Mandates,
    Rescission,
    Rescissions,
    ServicingActed,
)
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within
from bookrunner.engine import Desk
from bookrunner.engine.desk import PROCESS
from bookrunner.engine.life.servicing.distributions import Distributions

_CREATED = 201
_KEEPER = "registry"
_MandateId = Annotated[str, StringConstraints(pattern="^pmd_[0-9A-Za-z_]{1,64}$")]
_RescissionId = Annotated[str, StringConstraints(pattern="^rsn_[0-9A-Za-z_]{1,64}$")]
_TransferId = Annotated[str, StringConstraints(pattern="^xfr_[0-9A-Za-z_]{1,64}$")]


class NewMandate(Shape):
    """Who receives what a holder is paid, by the paper that the holder signed."""

    holder: InvestorId
    payee: InvestorId
    evidence_sha256: Sha256
    because: Because


class MandateDecision(Shape):
    """A second person's word."""

    decision: Literal["approved", "declined"]


class NewRescission(Shape):
    """A registered transfer that is taken back, by an order and its reference."""

    transfer: _TransferId
    because: Because
    order_sha256: Sha256
    order_reference: Label


class Repayment(Shape):
    """The evidence that the price was paid back."""

    evidence_sha256: Sha256


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of mandates and rescissions, for the agent."""
    router = Router(prefix="/v1/offers/{offer}", tags=["register"])
    _mandates(router, gateway)
    _rescissions(router, gateway)
    return router


def _mandates(router: APIRouter, gateway: Gateway) -> None:
    runs = Distributions(Desk(gateway.database))

    @router.get("/payee_mandates", operation_id="list_payee_mandates")
    async def listed(caller: Called, offer: OfferId) -> Mandates:
        """List the mandates of payees that wait or are in force, those that wait first."""
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.mandates(offering=offer))

        return {"mandates": [_mandate(row) for row in await gateway.read(caller, work)]}

    @router.post(
        "/payee_mandates",
        operation_id="propose_payee_mandate",
        status_code=_CREATED,
        response_model=ServicingActed,
    )
    async def proposed(write: Written, offer: OfferId, body: NewMandate) -> Response:
        """Propose who receives what a holder is paid, and open the payee's screening.

        Refuses ``mandate_is_of_a_holder`` and ``one_mandate_is_proposed``.
        """
        said = {
            "holder": body.holder,
            "payee": body.payee,
            "sha256": body.evidence_sha256,
            "because": body.because,
        }
        answer = await gateway.write(
            write,
            _KEEPER,
            "act_on_mandate",
            offering=offer,
            subject=new_id("pmd"),
            version=None,
            act="proposed",
            said=json.dumps(said),
        )
        # Another person's word waits for it; the same request again opens what a crash left out.
        await gateway.run(partial(runs.screen_payee, body.payee, actor=PROCESS))
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/payee_mandates/{mandate}/decisions",
        operation_id="decide_payee_mandate",
        response_model=ServicingActed,
    )
    async def decided(write: Decided, offer: OfferId, mandate: _MandateId, body: MandateDecision) -> Response:
        """Put a mandate in force or decline it, as a person who is neither holder nor payee."""
        return await gateway.write(
            write,
            _KEEPER,
            "act_on_mandate",
            offering=offer,
            subject=mandate,
            version=write.decided_on,
            act=body.decision,
            said="{}",
        )


def _rescissions(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/rescissions", operation_id="list_rescissions")
    async def listed(caller: Called, offer: OfferId) -> Rescissions:
        """List the transfers that are taken back, those that wait first, with who owes the price."""
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.rescissions(offering=offer))

        return {"rescissions": [_rescission(row) for row in await gateway.read(caller, work)]}

    @router.post(
        "/rescissions", operation_id="ask_rescission", status_code=_CREATED, response_model=ServicingActed
    )
    async def asked(write: Written, offer: OfferId, body: NewRescission) -> Response:
        """Ask that a registered transfer is taken back; its order is decided like any other.

        Refuses ``rescinded_units_are_with_the_taker`` and a transfer that is not registered.
        """
        said = {
            "transfer": body.transfer,
            "action": new_id("cta"),
            "because": body.because,
            "order_sha256": body.order_sha256,
            "order_reference": body.order_reference,
        }
        answer = await gateway.write(
            write,
            _KEEPER,
            "act_on_rescission",
            offering=offer,
            subject=new_id("rsn"),
            version=None,
            act="asked",
            said=json.dumps(said),
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/rescissions/{rescission}/repayments", operation_id="record_repayment", response_model=ServicingActed
    )
    async def repaid(write: Decided, offer: OfferId, rescission: _RescissionId, body: Repayment) -> Response:
        """Record that the price of a transfer that was taken back was paid back, on evidence."""
        return await gateway.write(
            write,
            _KEEPER,
            "act_on_rescission",
            offering=offer,
            subject=rescission,
            version=write.decided_on,
            act="repaid",
            said=json.dumps({"evidence_sha256": body.evidence_sha256}),
        )


def _mandate(row: Row) -> Mandate:
    return {
        "id": row["mandate_id"],
        "holder": row["investor_id"],
        "payee": row["payee_id"],
        "status": row["status"],
        "because": row["because"],
        "proposed_by": row["proposed_by"],
        "decided_by": row["decided_by"],
        "version": str(row["version"]),
    }


def _rescission(row: Row) -> Rescission:
    return {
        "id": row["rescission_id"],
        "transfer": row["request_id"],
        "action": row["action_id"],
        "status": row["status"],
        "units": row["units"],
        "owed_by": row["owed_by"],
        "owed_to": row["owed_to"],
        "price": None if row["price_minor"] is None else money(row["price_minor"], row["currency"]),
        "asked_by": row["asked_by"],
        "decided_by": row["decided_by"],
        "version": str(row["version"]),
    }
