"""Splits on the agent's pages: proposed on the issuer's paper, decided by another person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Form

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import parse, read_whole, ungrouped
from bookrunner.db import Database

_Line = Annotated[str, Form(max_length=400)]
_DIGITS: Final = 64
RULES: Final = {
    "cash": "In cash, at the price below",
    "round_up": "Rounded up to a whole unit",
    "round_half": "Rounded to the nearest whole unit",
}
_STATES: Final = {
    "proposed": ("waiting", "wait", "waits for a second person"),
    "approved": ("progress", "calm", "agreed, waits to begin"),
    "begun": ("progress", "calm", "the chain is being changed"),
    "executed": ("confirmed", "good", "done"),
    "declined": ("cancelled", "grey", "declined"),
    "abandoned": ("cancelled", "grey", "given up"),
}
_WAITS: Final = {
    "split_is_agreed": "a second person agrees to it",
    "split_time_has_come": "its time comes",
    "split_follows_the_sale": "the sale is over",
    "split_meets_no_open_closing": "no closing is open",
    "split_meets_a_paused_security": "the security is paused",
    "split_meets_units_at_rest": "nothing is asked for in units or on its way",
    "split_meets_no_frozen_part": "no part of an account is frozen",
    "split_meets_records_that_agree": "no difference of the records is open",
    "split_stays_within_the_authorised_units": "the new units are within the authorised ones",
}
_SENTENCES: Final = {
    "split_needs_two_people": "whoever proposed it cannot agree to it; another person decides",
    "split_has_a_rule_for_fractions": "say what becomes of a fraction of a unit",
    "cash_in_lieu_has_its_price": "fractions in cash need the price of one new unit, other rules need none",
    "split_changes_the_units": "so many for so many changes nothing",
    "split_ratio_is_in_lowest_terms": "write the ratio in its lowest terms",
    "split_ratio_is_of_whole_numbers": "both parts of the ratio are whole numbers from 1 to 1,000,000",
    "split_names_its_authority": "write which resolution of the issuer says so",
    "one_split_waits": "another split of this class is under way",
    "declined_split_has_its_reason": "write why it is declined",
    "abandoned_split_has_its_reason": "write why it is given up",
    "transition_is_listed_for_the_keeper": "it is no longer where that step begins",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form of splits sent."""

    act: str
    what: str
    because: str
    terms: dict[str, str]


def asked(  # noqa: PLR0913 - one field of the form each
    *,
    act: _Line = "",
    what: _Line = "",
    because: _Line = "",
    new_units: _Line = "",
    for_units: _Line = "",
    fractions: _Line = "",
    price: _Line = "",
    effective_at: _Line = "",
    reference: _Line = "",
    sha256: _Line = "",
) -> Asked:
    """Read a form."""
    terms = {
        "new_units": new_units,
        "for_units": for_units,
        "fractions": fractions,
        "price": price,
        "effective_at": effective_at,
        "reference": reference,
        "sha256": sha256,
    }
    return Asked(act, what, because.strip(), {name: text.strip() for name, text in terms.items()})


def facts_of(database: Database, offering: str) -> dict[str, Any]:
    """Return the splits of an offer, what an agreed one waits for, the lines of the newest that has any."""
    keeper = registry.actions_of(database)
    rows = keeper.splits(offering=offering)
    agreed = next((row["split_id"] for row in rows if row["status"] == "approved"), None)
    worked_out = next((row for row in rows if row["units_before"] is not None), None)
    found = () if agreed is None else keeper.split_hindrances(offering=offering, split=agreed)
    waits = [_WAITS[row["rule"]] for row in found]
    lines = () if worked_out is None else keeper.split_lines(offering=offering, split=worked_out["split_id"])
    shown = {"splits": rows, "waits": waits, "worked_out": worked_out, "lines": lines}
    return {**shown, "rules": RULES, "states": _STATES}


def act(database: Database, by: tuple[str, str, str], form: Asked) -> None:
    """Do what a form asks for (offering, its currency, actor).

    Refuses ``decision_is_one_of_those_offered``, ``split_has_its_paper``, ``split_states_its_moment``,
    ``units_are_a_whole_number`` and what the register refuses.
    """
    offering, code, actor = by
    keeper, who = registry.actions_of(database), {"offering": offering, "actor": actor}
    if form.act == "propose":
        keeper.propose_split(**who, split=new_id("spl"), asked=_terms(form.terms, code))
    elif form.act in {"approve", "decline"}:
        is_approved = form.act == "approve"
        keeper.decide_split(**who, split=form.what, is_approved=is_approved, because=form.because)
    elif form.act == "abandon":
        keeper.abandon_split(**who, split=form.what, because=form.because)
    else:
        raise Refused("decision_is_one_of_those_offered", "choose one of the acts")


def told(fault: Refused) -> dict[str, str]:
    """Return a refusal as the page says it."""
    detail = "" if fault.rule in fault.detail else fault.detail
    return {"rule": fault.rule, "detail": _SENTENCES.get(fault.rule, detail)}


def _terms(given: dict[str, str], code: str) -> dict[str, object]:
    parts = [read_whole(ungrouped(given[name])) for name in ("new_units", "for_units")]
    if None in parts:
        raise Refused("units_are_a_whole_number", "write both parts of the ratio as whole numbers")
    if len(given["sha256"]) != _DIGITS or set(given["sha256"].lower()) - set("0123456789abcdef"):
        raise Refused("split_has_its_paper", "the SHA-256 of the paper has 64 hexadecimal digits")
    try:
        moment = datetime.fromisoformat(given["effective_at"]).replace(tzinfo=UTC)
    except ValueError:
        raise Refused("split_states_its_moment", "write day and time, in UTC") from None
    return {
        "new_units": parts[0],
        "for_units": parts[1],
        "fractions": given["fractions"] or None,
        "cash_price_minor": _price(given["price"], code),
        "effective_at": moment.isoformat(),
        "authority_sha256": given["sha256"],
        "authority_reference": given["reference"],
    }


def _price(text: str, code: str) -> int | None:
    if not text:
        return None
    return parse(text, code).minor
