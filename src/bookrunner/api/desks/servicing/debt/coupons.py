"""Coupons: terms and fixings by two people, the working of one, the distribution that pays it."""

from __future__ import annotations

import json
from datetime import date
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field, StringConstraints

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import Label, OfferId, Price, Shape, money
from bookrunner.api.shapes.onboarding import Day
from bookrunner.api.shapes.servicing.debt import (
    CouponFixing,
    CouponFixings,
    CouponSchedule,
    CouponSchedules,
    CouponWorking,
)
from bookrunner.api.shapes.servicing.payments import DistributionActed, ServicingActed
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within
from bookrunner.engine import Desk
from bookrunner.engine.desk import PROCESS
from bookrunner.engine.life.servicing.coupons import Coupons
from bookrunner.engine.life.servicing.distributions import Distributions

_CREATED = 201
_KEEPER = "engine"
_ScheduleId = Annotated[str, StringConstraints(pattern="^csc_[0-9A-Za-z_]{1,64}$")]
_FixingId = Annotated[str, StringConstraints(pattern="^fix_[0-9A-Za-z_]{1,64}$")]
_Number = Annotated[int, Path(ge=1, le=1200)]
_Level = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,8})?$")]
_Value = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,8})?$")]


class NewCouponSchedule(Shape):
    """Terms of coupons on the principal of a unit.

    A floating one names its index, whose spread the rate is; an indexed one names index and base.
    """

    kind: Literal["fixed", "floating", "indexed"]
    rate_bp: Annotated[int, Field(ge=0, le=10_000)]
    index: Label | None = None
    base: _Level | None = None
    principal: Price
    day_count: Literal["30/360", "actual/360", "actual/365", "actual/actual"]
    months: Literal[1, 2, 3, 4, 6, 12]
    starts_on: Day
    ends_on: Day


class NewFixing(Shape):
    """What an index was on a day: of a rate its percent, of an indicator its level, and who publishes it."""

    index: Label
    on: Day
    value: _Value
    source: Label


class DebtDecision(Shape):
    """A second person's word."""

    decision: Literal["approved", "declined"]


class NewCouponPayment(Shape):
    """Whose units count, and when they are paid; else on the last day of the coupon."""

    record_on: Day
    pay_on: Day | None = None


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of coupons, for keys of the engine."""
    router = Router(prefix="/v1/offers/{offer}", tags=["debt"])
    _schedules(router, gateway)
    _fixings(router, gateway)
    _payments(router, gateway)
    return router


def _schedules(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/coupon_schedules", operation_id="list_coupon_schedules")
    async def listed(caller: Called, offer: OfferId) -> CouponSchedules:
        """List the terms of coupons, the last first."""
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> tuple[Row, list[Row]]:
            return required(of, offer), list(of.coupon_schedules(offering=offer))

        head, rows = await gateway.read(caller, work)
        return {"coupon_schedules": [_schedule(row, head["currency"]) for row in rows]}

    @router.post(
        "/coupon_schedules",
        operation_id="propose_coupon_schedule",
        status_code=_CREATED,
        response_model=ServicingActed,
    )
    async def proposed(write: Written, offer: OfferId, body: NewCouponSchedule) -> Response:
        """Propose the terms of coupons; another person puts them in force.

        Refuses ``terms_are_in_the_currency_of_the_offer``, ``coupon_names_its_index``,
        ``indexed_coupon_has_its_base``, ``coupon_is_on_principal`` and ``coupons_end_after_they_start``.
        """
        principal = body.principal.exact()
        said = {**body.model_dump(), "principal": principal.minor, "currency": principal.currency.code}
        answer = await gateway.write(
            write,
            _KEEPER,
            "act_on_schedule",
            offering=offer,
            subject=new_id("csc"),
            version=None,
            act="proposed",
            said=json.dumps(said),
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/coupon_schedules/{schedule}/decisions",
        operation_id="decide_coupon_schedule",
        response_model=ServicingActed,
    )
    async def decided(write: Decided, offer: OfferId, schedule: _ScheduleId, body: DebtDecision) -> Response:
        """Put terms in force as another person, in the place of those before them, or decline them.

        Refuses ``schedule_needs_two_people`` and ``terms_are_of_the_units_as_proposed``.
        """
        return await gateway.write(
            write,
            _KEEPER,
            "act_on_schedule",
            offering=offer,
            subject=schedule,
            version=write.decided_on,
            act=body.decision,
            said="{}",
        )


def _fixings(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/coupon_fixings", operation_id="list_coupon_fixings")
    async def listed(caller: Called, offer: OfferId) -> CouponFixings:
        """List the fixings that wait, then those in force, the last day first; at most 200."""
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.coupon_fixings(offering=offer))

        return {"coupon_fixings": [_fixing(row) for row in await gateway.read(caller, work)]}

    @router.post(
        "/coupon_fixings",
        operation_id="propose_coupon_fixing",
        status_code=_CREATED,
        response_model=ServicingActed,
    )
    async def proposed(write: Written, offer: OfferId, body: NewFixing) -> Response:
        """Say what an index was on a day; no coupon uses it before another person agrees."""
        answer = await gateway.write(
            write,
            _KEEPER,
            "act_on_fixing",
            offering=offer,
            subject=new_id("fix"),
            version=None,
            act="proposed",
            said=body.model_dump_json(),
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/coupon_fixings/{fixing}/decisions",
        operation_id="decide_coupon_fixing",
        response_model=ServicingActed,
    )
    async def decided(write: Decided, offer: OfferId, fixing: _FixingId, body: DebtDecision) -> Response:
        """Put a fixing in force as another person, or decline it.

        Refuses ``fixing_needs_two_people`` and ``index_is_fixed_once_a_day``.
        """
        return await gateway.write(
            write,
            _KEEPER,
            "act_on_fixing",
            offering=offer,
            subject=fixing,
            version=write.decided_on,
            act=body.decision,
            said="{}",
        )


def _payments(router: APIRouter, gateway: Gateway) -> None:
    coupons = Coupons(Desk(gateway.database))
    runs = Distributions(Desk(gateway.database))

    @router.get("/coupons/{number}/working", operation_id="work_coupon", responses={409: {}})
    async def worked(
        caller: Called, offer: OfferId, number: _Number, record_on: Annotated[Day, Query()]
    ) -> CouponWorking:
        """Work a coupon out on the units of a day; nothing is written.

        Refuses ``coupon_has_its_fixing``, ``coupon_exists`` and ``coupon_schedule_is_in_force``.
        """
        await gateway.admitted(caller, _KEEPER)
        head = await gateway.read(caller, lambda of: required(of, offer))
        day = date.fromisoformat(record_on)
        row = await gateway.run(partial(coupons.work_out, offer, number, day))
        return {
            "number": number,
            "from_on": row["from_on"].isoformat(),
            "to_on": row["to_on"].isoformat(),
            "amount": money(row["amount_minor"], head["currency"]),
            "working": list(row["working"]),
        }

    @router.post(
        "/coupons/{number}/distributions",
        operation_id="draft_coupon",
        status_code=_CREATED,
        response_model=DistributionActed,
    )
    async def drafted(write: Written, offer: OfferId, number: _Number, body: NewCouponPayment) -> Response:
        """Draft the distribution that pays a coupon, and open the screening of its payees.

        Another person approves it. Refuses ``coupon_has_its_fixing``, ``coupon_is_paid_once``,
        ``distribution_pays_its_coupon`` and ``record_date_is_reconciled``.
        """
        await gateway.admitted(write.caller, _KEEPER)
        await gateway.read(write.caller, lambda of: required(of, offer))
        day = date.fromisoformat(body.record_on)
        pay_on = None if body.pay_on is None else date.fromisoformat(body.pay_on)
        terms = await gateway.run(partial(coupons.terms_of, offer, number, record_on=day, pay_on=pay_on))
        said = await gateway.run(partial(runs.worked, offer, terms))
        answer = await gateway.write(
            write,
            _KEEPER,
            "draft_coupon",
            offering=offer,
            distribution=new_id("dst"),
            number=number,
            said=json.dumps(said),
        )
        made = json.loads(bytes(answer.body))["id"]
        # Another person's word waits for it; the same request again opens what a crash left out.
        await gateway.run(partial(runs.screen, offer, made, actor=PROCESS))
        answer.status_code = _CREATED
        return answer


def _schedule(row: Row, currency: str) -> CouponSchedule:
    return {
        "id": row["schedule_id"],
        "status": row["status"],
        "kind": row["kind"],
        "rate_bp": row["rate_bp"],
        "index": row["index_name"],
        "base": row["base_value"],
        "principal": money(row["principal_minor"], currency),
        "day_count": row["day_count"],
        "months": row["months"],
        "starts_on": row["starts_on"].isoformat(),
        "ends_on": row["ends_on"].isoformat(),
        "proposed_by": row["proposed_by"],
        "decided_by": row["decided_by"],
        "version": str(row["version"]),
    }


def _fixing(row: Row) -> CouponFixing:
    return {
        "id": row["fixing_id"],
        "status": row["status"],
        "index": row["index_name"],
        "on": row["fixed_on"].isoformat(),
        "value": row["value"],
        "source": row["source"],
        "proposed_by": row["proposed_by"],
        "decided_by": row["decided_by"],
        "version": str(row["version"]),
    }
