"""Venues that tell of executed trades: whose key is on record, and what their signed message says."""

from __future__ import annotations

from collections.abc import Iterable

from bookrunner.adapters.identity.webhook import verify_public
from bookrunner.adapters.webhooks.trades import parse_trade
from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.log import warn
from bookrunner.db import Database
from bookrunner.engine.intake import hear_trade
from bookrunner.engine.intake.trades import Heard


def receive_trade(
    database: Database, on: tuple[str, str], headers: Iterable[tuple[str, str]], body: bytes
) -> Heard:
    """Verify one message of a venue, ``on`` offering and venue, and let its trade have its one effect.

    Refuses ``venue_is_in_force`` and what `verify_public`, `parse_trade` and `hear_trade` refuse.
    """
    offering, venue = on
    key = registry.market_of(database).venue_key(offering=offering, venue=venue)
    if key is None:
        raise UnknownRecord("venue_is_in_force", "the offer has no such venue in force")
    try:
        message = verify_public(headers, body, now=clock.now(), public_key=bytes(key))
        told = parse_trade(body)
    except Refused as refused:
        warn("a trade is refused", offering=offering, source=venue, rule=refused.rule)
        raise
    return hear_trade(database, on, message, (told, body))
