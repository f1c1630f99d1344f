"""Where holders of registered units trade: the board of an offer, venues, payment in a coin."""

from __future__ import annotations

from collections.abc import Mapping

from bookrunner.books.registry.transfers import item_clock
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Keeper


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of venues and trades, under the agent's login."""
    return Keeper(database, "registry", __name__)


def post_interest(market: Keeper, on: tuple[str, str], said: Mapping[str, object]) -> str:
    """Put on the board what somebody would buy or sell, and return its id; ``on`` is offering and actor.

    ``said`` has side (``buy`` or ``sell``), investor, units, price_minor of one unit, currency and ends_on.
    Refuses ``poster_is_cleared``, ``offered_units_are_free``, ``interest_ends_in_days_to_come``.
    """
    offering, actor = on
    interest = new_id("itr")
    market.post_interest(actor=actor, offering=offering, interest=interest, said=dict(said))
    return interest


def match_interest(market: Keeper, on: tuple[str, str], interest: str, investor: str) -> str:
    """Take an interest for ``investor`` and return the transfer that is asked for; ``on`` as above.

    Nothing moves by it: papers, screening and approval follow. Refuses the first rule of transfers that
    fails, ``offered_units_are_free`` and ``interest_has_not_ended``.
    """
    offering, actor = on
    transfer = new_id("xfr")
    market.match_interest(
        actor=actor,
        offering=offering,
        interest=interest,
        investor=investor,
        transfer=transfer,
        item=new_id("itm"),
        clock=item_clock(None),
    )
    return transfer
