# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: debt."""

from __future__ import annotations

from typing import Literal

from bookrunner.client.records import Exact, Record, Sent


class CouponFixing(Record):
    """What an index was on a day, and who says so."""

    decided_by: str | None
    id: str
    index: str
    on: str
    proposed_by: str
    source: str
    status: str
    value: str
    version: str


class CouponFixings(Record):
    """Fixings, those that wait first."""

    coupon_fixings: list[CouponFixing]


class CouponSchedule(Record):
    """Terms of coupons on the principal of a unit as of their decision."""

    base: str | None
    day_count: str
    decided_by: str | None
    ends_on: str
    id: str
    index: str | None
    kind: str
    months: int
    principal: Exact
    proposed_by: str
    rate_bp: int
    starts_on: str
    status: str
    version: str


class CouponSchedules(Record):
    """Terms of coupons, the last first."""

    coupon_schedules: list[CouponSchedule]


class CouponWorking(Record):
    """What a coupon pays on the units of a day, and how that was found."""

    amount: Exact
    from_on: str
    number: int
    to_on: str
    working: list[str]


class DebtDecision(Sent):
    """A second person's word."""

    decision: Literal["approved", "declined"]


class Instalment(Record):
    """What is paid back of one unit, and the distribution that pays it."""

    distribution: str | None
    due_on: str
    number: int
    part: Exact
    status: str | None


class LotLeft(Record):
    """What a lot has left of its principal."""

    id: str
    investor: str
    left: Exact
    units: int


class LotsLeft(Record):
    """Lots by id; `next` is the cursor that continues, null at the end."""

    lots: list[LotLeft]
    next: str | None


class NewCouponPayment(Sent):
    """Whose units count, and when they are paid; else on the last day of the coupon."""

    record_on: str
    pay_on: str | None = None


class NewCouponSchedule(Sent):
    """Terms of coupons on the principal of a unit.

    A floating one names its index, whose spread the rate is; an indexed one names index and base.
    """

    day_count: Literal["30/360", "actual/360", "actual/365", "actual/actual"]
    ends_on: str
    kind: Literal["fixed", "floating", "indexed"]
    months: Literal[1, 2, 3, 4, 6, 12]
    principal: Exact
    rate_bp: int
    starts_on: str
    base: str | None = None
    index: str | None = None


class NewFixing(Sent):
    """What an index was on a day: of a rate its percent, of an indicator its level, and who publishes
    it.
    """

    index: str
    on: str
    source: str
    value: str


class NewInstalment(Sent):
    """What is paid back of one unit, and when it is due."""

    due_on: str
    part: Exact


class NewInstalmentPayment(Sent):
    """Whose units count, and when they are paid."""

    pay_on: str
    record_on: str


class NewPrincipalTerms(Sent):
    """The principal of one unit, and the instalments that sum to it."""

    instalments: list[NewInstalment]
    principal: Exact


class PrincipalTerms(Record):
    """The principal of one unit, and what is left of it once terms were in force."""

    decided_by: str | None
    id: str
    left: Exact | None
    principal: Exact
    proposed_by: str
    status: str
    version: str


class PrincipalTermsListed(Record):
    """Terms, the last first, and the instalments of those in force."""

    instalments: list[Instalment]
    principal_terms: list[PrincipalTerms]
