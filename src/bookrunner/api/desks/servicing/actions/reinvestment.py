"""Reinvestment of distributions: plans of two people, elections of holders, what a run makes of them."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import Because, InvestorId, Label, OfferId, Price, Sha256, Shape, money
from bookrunner.api.shapes.moments import instant
from bookrunner.api.shapes.onboarding import Day
from bookrunner.api.shapes.servicing.actions import (
    ElectionGiven,
    Elections,
    Plan,
    PlanActed,
    Plans,
    ReinvestedLine,
    ReinvestedRun,
)
from bookrunner.core.errors import Malformed
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201
_READERS = ("registry", "engine", "audit")
_KEEPER = "registry"
_PlanId = Annotated[str, StringConstraints(pattern="^rpl_[0-9A-Za-z_]{1,64}$")]
_DistributionId = Annotated[str, StringConstraints(pattern="^dst_[0-9A-Za-z_]{1,64}$")]
_NEEDS_REASON = {"declined": "declined_plan_has_its_reason", "end_proposed": "plan_ends_for_a_reason"}


class NewPlan(Shape):
    """The price of a unit, the days of the cut-off, the first record date and the most units."""

    price: Price
    cutoff_days: Annotated[int, Field(ge=0, le=366)]
    from_on: Day
    most_units: Annotated[int, Field(ge=1, le=10**15)]
    authority_sha256: Sha256
    authority_reference: Label


class PlanDecision(Shape):
    """A word on a plan or on its end; each is proposed by one person and decided by another."""

    decision: Literal["approved", "declined", "end_proposed", "end_approved", "end_declined"]
    because: Because | None = None


class NewElection(Shape):
    """The share in parts of ten thousand that a holder wants in units, with its paper; 0 ends it."""

    investor: InvestorId
    share_bp: Annotated[int, Field(ge=0, le=10_000)]
    paper_sha256: Sha256 | None = None


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of reinvestment: read by registry, engine and audit, written by the agent."""
    router = Router(prefix="/v1/offers/{offer}/reinvestment", tags=["reinvestment"])
    _reading(router, gateway)

    @router.post(
        "/plans", operation_id="propose_reinvestment_plan", status_code=_CREATED, response_model=PlanActed
    )
    async def proposed(write: Written, offer: OfferId, body: NewPlan) -> Response:
        """Propose a plan on the issuer's authority; another person puts it in force.

        Refuses ``one_plan_is_proposed`` and ``plan_price_is_in_the_currency_of_the_offer``.
        """
        price = body.price.exact()
        asked = {
            "price_minor": price.minor,
            "currency": price.currency.code,
            **body.model_dump(mode="json", exclude={"price"}),
        }
        answer = await gateway.write(
            write, _KEEPER, "propose_plan", offering=offer, plan=new_id("rpl"), terms=json.dumps(asked)
        )
        answer.status_code = _CREATED
        return answer

    @router.post("/plans/{plan}/decisions", operation_id="decide_reinvestment_plan", response_model=PlanActed)
    async def decided(write: Decided, offer: OfferId, plan: _PlanId, body: PlanDecision) -> Response:
        """Put a plan in force or decline it as another person, ask for its end, or decide that as another.

        Refuses ``plan_needs_two_people``, ``plan_begins_after_its_cut_off``,
        ``plan_is_of_a_class_with_a_token``, ``plan_is_of_the_units_as_proposed``,
        ``end_of_a_plan_is_proposed_first`` and ``plan_is_ended_by_two_people``.
        """
        if body.decision in _NEEDS_REASON and body.because is None:
            raise Malformed(_NEEDS_REASON[body.decision], "say why")
        return await gateway.write(
            write,
            _KEEPER,
            "decide_plan",
            offering=offer,
            plan=plan,
            version=write.decided_on,
            decision=body.decision,
            because=body.because,
        )

    @router.post(
        "/elections", operation_id="elect_reinvestment", status_code=_CREATED, response_model=ElectionGiven
    )
    async def elected(write: Written, offer: OfferId, body: NewElection) -> Response:
        """Record what part of its distributions a holder wants in units; it counts from its moment on.

        Refuses ``election_for_another_names_its_paper``, ``election_is_of_a_holder``,
        ``election_is_under_a_plan_in_force`` and ``election_is_kept_when_it_is_given``. Whoever records it
        for somebody else neither drafts nor approves a distribution that counts it.
        """
        answer = await gateway.write(
            write,
            _KEEPER,
            "elect_reinvestment",
            offering=offer,
            election=new_id("elc"),
            **body.model_dump(mode="json"),
        )
        answer.status_code = _CREATED
        return answer

    return router


def _reading(router: Router, gateway: Gateway) -> None:
    @router.get("/plans", operation_id="list_reinvestment_plans")
    async def listed(caller: Called, offer: OfferId) -> Plans:
        """List the plans of an offer, the newest first, with the units that are promised and issued."""
        await gateway.admitted(caller, *_READERS)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.plans(offering=offer))

        return {"plans": [_shown(row) for row in await gateway.read(caller, work)]}

    @router.get("/elections", operation_id="list_reinvestment_elections")
    async def given(caller: Called, offer: OfferId) -> Elections:
        """List what each holder elected last, with the first record date that it counts for."""
        await gateway.admitted(caller, *_READERS)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.elections(offering=offer))

        rows = await gateway.read(caller, work)
        return {
            "elections": [
                {
                    "id": row["election_id"],
                    "investor": row["investor_id"],
                    "share_bp": row["share_bp"],
                    "given_by": row["given_by"],
                    "given_at": instant(row["given_at"]),
                    "counts_from": None if row["counts_from"] is None else row["counts_from"].isoformat(),
                }
                for row in rows
            ]
        }

    @router.get("/distributions/{distribution}", operation_id="get_reinvestment")
    async def worked(caller: Called, offer: OfferId, distribution: _DistributionId) -> ReinvestedRun:
        """Return what a distribution reinvests of each holder with an election, or why it pays it in cash."""
        await gateway.admitted(caller, *_READERS)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.reinvested(offering=offer, distribution=distribution))

        return {"lines": [_line(row) for row in await gateway.read(caller, work)]}


def _shown(row: Row) -> Plan:
    return {
        "id": row["plan_id"],
        "status": row["status"],
        "price": money(row["price_minor"], row["currency"]),
        "cutoff_days": row["cutoff_days"],
        "from_on": row["from_on"].isoformat(),
        "most_units": row["most_units"],
        "promised_units": row["promised_units"],
        "issued_units": row["issued_units"],
        "proposed_by": row["proposed_by"],
        "decided_by": row["decided_by"],
        "end_proposed_by": row["end_proposed_by"],
        "version": str(row["version"]),
    }


def _line(row: Row) -> ReinvestedLine:
    code = row["currency"]
    return {
        "id": row["line_id"],
        "investor": row["investor_id"],
        "plan": row["plan_id"],
        "share_bp": row["share_bp"],
        "price": money(row["price_minor"], code),
        "units": row["units"],
        "set_off": money(row["amount_minor"], code),
        "cash": money(row["cash_minor"], code),
        "status": row["state"],
        "because": row["because"] or row["waits_for"],
    }
