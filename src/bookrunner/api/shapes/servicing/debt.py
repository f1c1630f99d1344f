"""Answers about debt: terms and fixings of coupons, principal and what is left of it."""

from __future__ import annotations

from typing_extensions import TypedDict

from bookrunner.api.shapes.answers import Amount


class CouponSchedule(TypedDict):
    """Terms of coupons on the principal of a unit as of their decision."""

    id: str
    status: str
    kind: str
    rate_bp: int
    index: str | None
    base: str | None
    principal: Amount
    day_count: str
    months: int
    starts_on: str
    ends_on: str
    proposed_by: str
    decided_by: str | None
    version: str


class CouponSchedules(TypedDict):
    """Terms of coupons, the last first."""

    coupon_schedules: list[CouponSchedule]


class CouponFixing(TypedDict):
    """What an index was on a day, and who says so."""

    id: str
    status: str
    index: str
    on: str
    value: str
    source: str
    proposed_by: str
    decided_by: str | None
    version: str


class CouponFixings(TypedDict):
    """Fixings, those that wait first."""

    coupon_fixings: list[CouponFixing]


class CouponWorking(TypedDict):
    """What a coupon pays on the units of a day, and how that was found."""

    number: int
    from_on: str
    to_on: str
    amount: Amount
    working: list[str]


class PrincipalTerms(TypedDict):
    """The principal of one unit, and what is left of it once terms were in force."""

    id: str
    status: str
    principal: Amount
    left: Amount | None
    proposed_by: str
    decided_by: str | None
    version: str


class Instalment(TypedDict):
    """What is paid back of one unit, and the distribution that pays it."""

    number: int
    due_on: str
    part: Amount
    distribution: str | None
    status: str | None


class PrincipalTermsListed(TypedDict):
    """Terms, the last first, and the instalments of those in force."""

    principal_terms: list[PrincipalTerms]
    instalments: list[Instalment]


class LotLeft(TypedDict):
    """What a lot has left of its principal."""

    id: str
    investor: str
    units: int
    left: Amount


class LotsLeft(TypedDict):
    """Lots by id; ``next`` is the cursor that continues, null at the end."""

    lots: list[LotLeft]
    next: str | None
