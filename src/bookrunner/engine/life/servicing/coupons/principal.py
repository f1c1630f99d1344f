"""An instalment of principal, from its terms to the distribution that pays it."""

from __future__ import annotations

from datetime import date

from bookrunner.core.ids import new_id
from bookrunner.core.log import tell
from bookrunner.db import Keeper
from bookrunner.engine.desk import Desk
from bookrunner.engine.life.servicing.distributions import Distributions


class Amortisation:
    """What the engine knows of principal that is paid back in parts."""

    def __init__(self, desk: Desk) -> None:
        self._runs = Distributions(desk)
        self.terms = Keeper(desk.database, "engine", "bookrunner.engine.life.servicing.coupons")

    def draft(self, offering: str, number: int, record_on: date, *, pay_on: date, actor: str) -> str:
        """Draft the distribution that pays an instalment of every unit of a day; return its id.

        Refuses ``instalment_exists``, ``instalment_is_paid_once``, ``principal_terms_follow_the_split``,
        ``instalment_is_of_the_units_after_the_conversion``, ``principal_is_paid_between_coupons``,
        ``distribution_pays_its_instalment`` and what each draft does.
        """
        made = new_id("dst")
        asked = {"number": number, "record_on": record_on, "pay_on": pay_on}
        self.terms.draft_instalment(actor=actor, offering=offering, distribution=made, **asked)
        tell("an instalment is drafted", offering=offering, subject=made)
        self._runs.screen(offering, made, actor=actor)
        return made
