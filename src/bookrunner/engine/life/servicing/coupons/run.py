"""A coupon from its terms to the distribution that pays it; the database works out every amount."""

from __future__ import annotations

from datetime import date

from bookrunner.core.errors import Refused
from bookrunner.core.log import tell
from bookrunner.db import Keeper, Row, Within
from bookrunner.engine.desk import Desk
from bookrunner.engine.life.servicing.distributions import Distributions, Terms


class Coupons:
    """What the engine knows of coupons."""

    def __init__(self, desk: Desk) -> None:
        self._runs = Distributions(desk)
        self.terms = Keeper(desk.database, "engine", "bookrunner.engine.life.servicing.coupons")

    def work_out(self, offering: str, number: int, record_on: date) -> Row:
        """Return a coupon on the units of a day: its period, its amount in minor units, its working.

        Refuses ``coupon_has_its_fixing``, ``coupon_exists`` and ``coupon_schedule_is_in_force``.
        """
        found: Row | None = self.terms.coupon_on(offering=offering, number=number, record_on=record_on)
        if found is None:
            raise Refused("coupon_schedule_is_in_force", f"{offering} has no coupons in force")
        return found

    def terms_of(self, offering: str, number: int, *, record_on: date, pay_on: date | None) -> Terms:
        """Return the terms of the distribution that pays a coupon; refuses what `work_out` refuses."""
        coupon = self.work_out(offering, number, record_on)
        return Terms(
            record_on=record_on,
            pay_on=pay_on or coupon["to_on"],
            available_minor=coupon["amount_minor"],
            income="interest",
        )

    def draft(self, offering: str, number: int, record_on: date, *, pay_on: date | None, actor: str) -> str:
        """Draft the distribution that pays a coupon, on its last day where no other is named; return its id.

        Refuses what `work_out` and `Distributions.draft` refuse, ``coupon_is_paid_once`` and
        ``distribution_pays_its_coupon``; nothing is drafted then.
        """
        terms = self.terms_of(offering, number, record_on=record_on, pay_on=pay_on)

        def tie(within: Within, made: str) -> None:
            named = {"actor": actor, "offering": offering, "distribution": made}
            within.using(self.terms.queries).tie_coupon(**named, number=number)

        made = self._runs.draft(offering, terms, actor=actor, tie=tie)
        tell("a coupon is drafted", offering=offering, subject=made)
        return made
