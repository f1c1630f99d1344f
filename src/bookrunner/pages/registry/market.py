"""Where units trade, on the agent's pages: venues with their keys, their trades, what contradicts itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import read_whole
from bookrunner.db import Database, Keeper
from bookrunner.pages.registry.transfers import STATES

_MOST: Final = 100
_KEY_DIGITS: Final = 64
VENUES: Final = {
    "proposed": ("waiting", "wait", "waits for a second person"),
    "in_force": ("confirmed", "good", "in force"),
    "declined": ("cancelled", "grey", "declined"),
    "ended": ("cancelled", "grey", "ended"),
}
SETTLEMENTS: Final = {
    "agreed": ("waiting", "wait", "waits for both legs"),
    "settled": ("confirmed", "good", "settled"),
    "parted": ("refused", "bad", "moved, not settled"),
    "returned": ("cancelled", "grey", "came back"),
    "dropped": ("cancelled", "grey", "dropped"),
}
KINDS: Final = {"ats": "Alternative trading system", "broker": "Broker"}
_SENTENCES: Final = {
    "venue_needs_two_people": "whoever proposed the venue does not put it in force; another person does",
    "venue_key_needs_two_people": "whoever proposed the key does not put it in force; another person does",
    "decision_is_on_the_version_seen": "it was changed since you looked: look again, then decide",
    "declined_venue_has_its_reason": "write why it is declined",
    "ended_venue_has_its_reason": "write why it ends",
    "venue_has_its_name": "write the name of the venue",
    "venue_names_its_registration": "write under which number it is registered",
    "answered_trade_alarm_says_who_and_why": "write what the contradiction was",
    "transition_is_listed_for_the_keeper": "it is no longer where that step begins",
}


def facts_of(database: Database, offering: str) -> dict[str, Any]:
    """Return venues, trades and contradictions of an offer, those that wait first."""
    market, on = registry.market_of(database), {"offering": offering}
    return {
        "venues": market.venues(**on),
        "trades": market.trades(**on, most=_MOST),
        "alarms": market.trade_alarms(**on, most=_MOST),
        "interests": market.interests(**on, most=_MOST),
        "settlements": market.settlements(**on, most=_MOST),
        "settlement_states": SETTLEMENTS,
        "venue_states": VENUES,
        "venue_kinds": KINDS,
        "transfer_states": STATES,
    }


def act(database: Database, by: tuple[str, str], form: Mapping[str, str]) -> None:
    """Do what a form asks for (offering, actor).

    Refuses ``decision_is_one_of_those_offered``, ``paper_is_named_by_its_hash``, ``venue_key_is_ed25519`` and
    what the register refuses.
    """
    acts: Mapping[str, Callable[[Keeper, Mapping[str, object], Mapping[str, str]], None]] = {
        "propose_venue": _propose_venue,
        "adopt_venue": _decide_venue,
        "decline_venue": _decide_venue,
        "propose_key": _propose_key,
        "end_venue": _end_venue,
        "answer_alarm": _answer,
    }
    if form.get("act") not in acts:
        raise Refused("decision_is_one_of_those_offered", "choose one of the acts")
    offering, actor = by
    acts[form["act"]](registry.market_of(database), {"offering": offering, "actor": actor}, form)


def told(fault: Refused) -> dict[str, str]:
    """Return a refusal as the page says it."""
    detail = "" if fault.rule in fault.detail else fault.detail
    return {"rule": fault.rule, "detail": _SENTENCES.get(fault.rule, detail)}


def _propose_venue(market: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    said = {name: form.get(name, "") for name in ("kind", "name", "registered_as")}
    said |= {
        "agreement_sha256": _hex(form, "paper", "paper_is_named_by_its_hash").hex(),
        "public_key": _hex(form, "key", "venue_key_is_ed25519").hex(),
    }
    market.propose_venue(**who, venue=new_id("vnu"), said=said)


def _decide_venue(market: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    decision = {"is_approved": form["act"] == "adopt_venue", "because": form.get("because", "")}
    market.decide_venue(**who, venue=form.get("what"), **decision, seen=read_whole(form.get("seen", "")))


def _propose_key(market: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    key = _hex(form, "key", "venue_key_is_ed25519")
    market.propose_venue_key(**who, venue=form.get("what"), public_key=key)


def _end_venue(market: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    market.end_venue(**who, venue=form.get("what"), because=form.get("because", ""))


def _answer(market: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    market.answer_trade_alarm(**who, alarm=form.get("what"), because=form.get("because", ""))


def _hex(form: Mapping[str, str], name: str, rule: str) -> bytes:
    text = form.get(name, "").strip().lower()
    if len(text) != _KEY_DIGITS or set(text) - set("0123456789abcdef"):
        raise Refused(rule, "write 64 hexadecimal digits")
    return bytes.fromhex(text)
