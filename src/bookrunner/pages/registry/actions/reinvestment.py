"""Reinvestment on the agent's pages: plans of two people, what holders elect, what runs made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final

from fastapi import Form

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import parse, read_whole, ungrouped
from bookrunner.db import Database

_Line = Annotated[str, Form(max_length=400)]
_DIGITS: Final = 64
_PARTS: Final = 100
_STATES: Final = {
    "proposed": ("waiting", "wait", "waits for a second person"),
    "in_force": ("confirmed", "good", "in force"),
    "ending": ("progress", "calm", "in force, its end waits for a second person"),
    "superseded": ("cancelled", "grey", "another one takes its place"),
    "declined": ("cancelled", "grey", "declined"),
    "ended": ("cancelled", "grey", "ended"),
}
_LINES: Final = {
    "issued": ("confirmed", "good", "issued"),
    "open": ("progress", "calm", "on their way"),
    "planned": ("waiting", "wait", "the run is a draft"),
    "cash": ("confirmed", "grey", "paid in cash"),
    "cancelled": ("cancelled", "grey", "the run was cancelled"),
}
_CASH: Final = {
    "match_with_a_list": "a list may name the holder",
    "payee_is_another": "somebody else receives what the holder is paid",
    "amount_is_less_than_a_unit": "the amount is less than one unit",
    "units_changed_since_the_plan": "the units are others since; propose the plan anew",
    "another_class_is_converted_into_this_one": "another class is being converted into this one",
    "holder_is_not_cleared": "the holder is not cleared",
    "account_is_frozen": "the account is frozen",
    "holding_is_held": "the holding is held",
    "holder_has_no_units": "the holder has no units any more",
    "holder_died": "the holder died",
    "wallet_is_not_linked": "no wallet is linked",
    "share_is_over_its_limit": "the share of the holder would pass its limit",
    "plan_has_too_few_units": "the plan has too few units for this run",
    "supply_is_not_known": "nobody has looked at the supply on chain",
    "authorised_units_are_too_few": "the authorised units are too few for this run",
}
_WAITS: Final = {
    "mint_follows_its_money": "the money of the run is there",
    "security_is_not_paused": "the security is resumed",
    "account_is_not_frozen": "the account is thawed",
    "estate_takes_no_units": "the heirs of the holder are registered",
    "holding_is_not_held": "the gate of the holder opens again",
    "wallet_is_linked": "a wallet is linked",
    "wallet_recovery_is_over": "the wallet is recovered",
    "holder_is_cleared": "the holder is cleared",
    "wallet_is_on_no_list": "no list names the wallet",
    "match_with_a_list": "a match with a list is decided",
    "screening_waits": "the screening is answered",
    "wallet_change_in_progress": "the change of the wallet is over",
    "registration_change_in_progress": "the change of the registration is over",
    "payee_change_in_progress": "the change of the payee is over",
}
_SENTENCES: Final = {
    "plan_needs_two_people": "whoever proposed it cannot put it in force; another person decides",
    "plan_is_ended_by_two_people": "whoever asked for the end cannot agree to it; another person decides",
    "plan_begins_after_its_cut_off": "its first record date leaves holders no time; choose a later one",
    "election_is_kept_when_it_is_given": "it took too long; elect again",
    "plan_is_of_a_class_with_a_token": "the class has no token",
    "plan_is_of_the_units_as_proposed": "the units are others since; propose it anew",
    "plan_has_its_price": "write what one unit costs",
    "plan_issues_a_unit_or_more": "write the most units that are ever issued",
    "plan_cut_off_is_within_a_year": "the cut-off is from 0 to 366 days",
    "plan_names_its_authority": "write which resolution of the issuer says so",
    "one_plan_is_proposed": "another plan waits already",
    "declined_plan_has_its_reason": "write why it is declined",
    "plan_ends_for_a_reason": "write why it ends",
    "election_is_of_a_holder": "nobody of that name holds units here",
    "election_is_under_a_plan_in_force": "no plan is in force",
    "elected_share_is_a_part": "write a percentage from 0 to 100 with two decimals at most",
    "election_for_another_names_its_paper": "write the SHA-256 of the holder's paper",
    "decision_is_on_the_version_seen": "it has changed since; look again",
    "transition_is_listed_for_the_keeper": "it is no longer where that step begins",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form of reinvestment sent."""

    act: str
    what: str
    seen: int
    because: str
    terms: dict[str, str]


def asked(  # noqa: PLR0913 - one field of the form each
    *,
    act: _Line = "",
    what: _Line = "",
    seen: Annotated[int, Form(ge=0, le=10**9)] = 0,
    because: _Line = "",
    price: _Line = "",
    cutoff: _Line = "",
    from_on: _Line = "",
    units: _Line = "",
    reference: _Line = "",
    sha256: _Line = "",
    investor: _Line = "",
    share: _Line = "",
) -> Asked:
    """Read a form."""
    terms = {
        "price": price,
        "cutoff": cutoff,
        "from_on": from_on,
        "units": units,
        "reference": reference,
        "sha256": sha256,
        "investor": investor,
        "share": share,
    }
    return Asked(act, what, seen, because.strip(), {name: text.strip() for name, text in terms.items()})


def facts_of(database: Database, offering: str) -> dict[str, Any]:
    """Return the plans of an offer, what its holders elected, and what its newest run made of it."""
    keeper = registry.reinvestment_of(database)
    lines = keeper.newest_run(offering=offering)
    return {
        "plans": keeper.plans(offering=offering),
        "elections": keeper.elections(offering=offering),
        "lines": lines,
        "waiting": {row["line_id"]: _WAITS[row["rule"]] for row in keeper.hindered_lines(offering=offering)},
        "cash": _CASH,
        "states": _STATES,
        "line_states": _LINES,
    }


def act(database: Database, by: tuple[str, str, str], form: Asked) -> None:
    """Do what a form asks for (offering, its currency, actor).

    Refuses ``decision_is_one_of_those_offered``, ``plan_has_its_paper``, ``units_are_a_whole_number``,
    ``day_is_a_date``, ``elected_share_is_a_part`` and what the register refuses.
    """
    offering, code, actor = by
    keeper, who = registry.reinvestment_of(database), {"offering": offering, "actor": actor}
    on = {"plan": form.what, "seen": form.seen}
    if form.act == "propose":
        keeper.propose_plan(**who, plan=new_id("rpl"), asked=_terms(form.terms, code))
    elif form.act in {"approve", "decline"}:
        keeper.decide_plan(**who, **on, is_approved=form.act == "approve", because=form.because)
    elif form.act == "end":
        keeper.propose_plan_end(**who, **on, because=form.because)
    elif form.act in {"agree", "go on"}:
        keeper.decide_plan_end(**who, **on, is_agreed=form.act == "agree")
    elif form.act == "elect":
        keeper.elect_reinvestment(
            **who,
            election=new_id("elc"),
            investor=form.terms["investor"],
            share_bp=share_of(form.terms["share"]),
            paper_sha256=bytes.fromhex(_paper(form.terms)),
        )
    else:
        raise Refused("decision_is_one_of_those_offered", "choose one of the acts")


def told(fault: Refused) -> dict[str, str]:
    """Return a refusal as the page says it."""
    detail = "" if fault.rule in fault.detail else fault.detail
    return {"rule": fault.rule, "detail": _SENTENCES.get(fault.rule, detail)}


def share_of(text: str) -> int:
    """Return a percentage as parts of ten thousand. Refuses ``elected_share_is_a_part``."""
    try:
        parts = Decimal(text.replace(",", ".")) * _PARTS
    except InvalidOperation:
        parts = Decimal("NaN")
    if not parts.is_finite() or parts != parts.to_integral_value() or not 0 <= parts <= _PARTS * _PARTS:
        raise Refused("elected_share_is_a_part", "write a percentage from 0 to 100")
    return int(parts)


def _paper(given: dict[str, str]) -> str:
    if len(given["sha256"]) != _DIGITS or set(given["sha256"].lower()) - set("0123456789abcdef"):
        raise Refused("plan_has_its_paper", "the SHA-256 of the paper has 64 hexadecimal digits")
    return given["sha256"]


def _terms(given: dict[str, str], code: str) -> dict[str, object]:
    counts = [read_whole(ungrouped(given[name])) for name in ("cutoff", "units")]
    if None in counts:
        raise Refused("units_are_a_whole_number", "write whole days and whole units")
    try:
        first = date.fromisoformat(given["from_on"])
    except ValueError:
        raise Refused("day_is_a_date", "write a day as 2026-07-01") from None
    return {
        "price_minor": parse(given["price"], code).minor,
        "cutoff_days": counts[0],
        "from_on": first.isoformat(),
        "most_units": counts[1],
        "authority_sha256": _paper(given),
        "authority_reference": given["reference"],
    }
