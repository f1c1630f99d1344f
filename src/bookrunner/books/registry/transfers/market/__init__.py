"""Where holders of registered units trade: the board of an offer, venues, payment in a coin."""

from __future__ import annotations

from collections.abc import Mapping

from bookrunner.adapters.chain import Swap
from bookrunner.books.registry.transfers import item_clock
from bookrunner.core.errors import (
    Malformed,
    NotAllowed,
    NotAuthenticated,
    NotReady,
    Refused,
    StillRunning,
    UnknownRecord,
)
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Keeper, Row, Within, load
from bookrunner.db.queries import Queries

# What a refusal of a match may say of itself: the rest would tell of the other side.
_OF_THE_CALLER = (NotAuthenticated, NotAllowed, Malformed, StillRunning, NotReady)
_OF_THE_BOARD = frozenset(
    {
        "interest_exists",
        "interest_has_not_ended",
        "offered_units_are_free",
        "transition_is_listed_for_the_keeper",
        "offer_exists",
    }
)


def queries() -> Queries:
    """Return the lookups of board, venues and settlements, for whoever reads them beside its own."""
    return load(__name__)


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


def legs_of(market: Within | Keeper, on: tuple[str, str], *, investor: str | None = None) -> Row:
    """Return what both holders of an approved sale against a coin move, and between which wallets.

    ``on`` is offering and transfer. Of an ``investor``, only its own sale. Raises UnknownRecord
    ``sale_against_a_coin_is_approved``.
    """
    found: Row | None = market.swap_of(offering=on[0], transfer=on[1], investor=investor)
    if found is None:
        raise UnknownRecord(
            "sale_against_a_coin_is_approved", f"{on[1]} is no approved sale against a coin now"
        )
    return found


def swap_over(legs: Row, manager: bytes) -> Swap:
    """Return the swap of these legs through a contract at ``manager``: whole units, the coin's base units."""
    parties = {side: bytes(legs[side]) for side in ("token", "maker", "coin", "taker")}
    return Swap(manager, units=legs["units"], amount=int(legs["base_units"]), **parties)


def match_refused(refused: Refused) -> Refused:
    """Return what whoever would take an interest is told of a refusal.

    Which rule of transfers it is would tell of the other side: what it holds, or what compliance knows of it.
    What is wrong with the call itself, or with whoever sends it, is told as everywhere.
    """
    if isinstance(refused, _OF_THE_CALLER) or refused.rule in _OF_THE_BOARD:
        return refused
    return Refused("transfer_rules_allow_the_match", "the transfer agent can say which rule is in its way")


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
