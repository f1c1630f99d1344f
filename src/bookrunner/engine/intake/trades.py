"""Executed trades of venues, heard once each; what may go becomes a transfer request."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final, TypedDict

from bookrunner.adapters.identity import SignedMessage
from bookrunner.adapters.webhooks import ExecutedTrade
from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Malformed, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.log import tell, warn
from bookrunner.db import Database

CLOCKS_DIFFER_BY: Final = timedelta(minutes=5)
_SAID: Final = {
    "taken": "a trade is taken",
    "known": "a trade came again",
    "rejected": "a trade is rejected",
    "contradicted": "a trade contradicts an earlier message",
}


class Heard(TypedDict):
    """What became of a trade: its own number, its transfer and where that stands, rules that refused it."""

    result: str
    trade: str
    transfer: str | None
    status: str | None
    rules: list[str]


def hear_trade(
    database: Database, on: tuple[str, str], message: SignedMessage, told: tuple[ExecutedTrade, bytes]
) -> Heard:
    """Let a verified trade, with its body, have its one effect; ``on`` is offering and venue.

    One that a rule of transfers refuses, or that is beyond the seller's free balance, is ``rejected`` with
    the names of the rules; one that came before is ``known`` and answered as it stands now. Refuses
    ``trade_names_its_offer``, ``trade_has_happened``, ``venue_key_is_in_force`` and, after an alarm was
    committed, ``message_id_has_one_body`` and ``trade_has_one_content``.
    """
    (offering, venue), (trade, body) = on, told
    if trade.offering != offering:
        raise Malformed("trade_names_its_offer", "the body names another offer than the address")
    if trade.executed_at > clock.now() + CLOCKS_DIFFER_BY:
        raise Refused("trade_has_happened", "the trade is dated in the future")
    heard: Heard = registry.market_of(database).hear_trade(
        actor=f"venue:{venue}",
        request=message.id,
        offering=offering,
        venue=venue,
        signed={
            "message": message.id,
            "signed_at": message.signed_at,
            "public_key": message.public_key.hex(),
            "signature": message.signature.hex(),
        },
        body=body,
        told=trade.model_dump(mode="json", exclude={"offering"}),
        transfer=new_id("xfr"),
        item=new_id("itm"),
        clock=registry.item_clock(None),
    )
    rule = heard["rules"][0] if heard["rules"] else ""
    kept = {"message_id": message.id, "source": venue, "sha256": hashlib.sha256(body).hexdigest()}
    say = tell if heard["result"] in {"taken", "known"} else warn
    say(_SAID[heard["result"]], offering=offering, rule=rule, **kept)
    if heard["result"] == "contradicted":
        raise Malformed(rule, "the trade came before with another content")
    return heard
