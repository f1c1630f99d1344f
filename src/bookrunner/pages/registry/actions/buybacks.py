"""Buy-backs on the agent's pages: proposed on the issuer's paper, opened by another person, accepted."""

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
KINDS: Final = {"tender": "From holders who offer", "redemption": "From all, by the terms of the issue"}
_STATES: Final = {
    "proposed": ("waiting", "wait", "waits for a second person"),
    "open": ("progress", "calm", "open"),
    "accepted": ("progress", "calm", "accepted, waits for money and burns"),
    "executed": ("confirmed", "good", "done"),
    "declined": ("cancelled", "grey", "declined"),
    "abandoned": ("cancelled", "grey", "given up"),
}
_WAITS: Final = {
    "redemption_is_paid_from_set_apart_money": "its money is set apart",
    "security_is_not_paused": "the security is resumed",
    "seller_account_is_not_frozen": "the account is thawed",
    "holding_is_not_held": "the gate of the holder opens again",
    "estate_gives_by_inheritance": "the heirs of the holder are registered",
    "accepted_units_are_there": "the units are free",
    "match_with_a_list": "a match with a list is decided",
    "screening_waits": "the screening is answered",
    "wallet_change_in_progress": "the change of the wallet is over",
    "registration_change_in_progress": "the change of the registration is over",
    "payee_change_in_progress": "the change of the payee is over",
    "account_change_in_progress": "the change of the account is over",
    "account_is_not_known": "an account of the payee is known",
    "account_is_not_named": "the payee names one of its accounts",
}
_SENTENCES: Final = {
    "buyback_needs_two_people": "whoever proposed it cannot open it; another person decides",
    "buyback_states_its_limit": "write the most units or the most money that is bought for",
    "buyback_has_its_price": "write what is paid for one unit",
    "buyback_window_ends_after_it_opens": "the window ends after it opens",
    "buyback_names_its_authority": "write which resolution of the issuer says so",
    "one_buyback_is_under_way": "another buy-back of this class is under way",
    "declined_buyback_has_its_reason": "write why it is declined",
    "abandoned_buyback_has_its_reason": "write why it is given up",
    "abandoned_buyback_pays_nobody": "a distribution pays it; cancel that first",
    "buyback_is_given_up_by_another_person": "after the acceptance another person gives it up",
    "window_is_over_before_acceptance": "the window is open still",
    "something_is_offered": "nobody offers anything",
    "whoever_tenders_for_another_accepts_nothing": "whoever recorded an offer for a holder cannot accept",
    "acceptance_meets_units_at_rest": "units that it would take are on their way to somebody else",
    "released_line_has_its_reason": "write why the line is let go",
    "decided_line_release_has_its_reason": "write why",
    "line_release_needs_two_people": "whoever asked cannot agree; another person decides",
    "line_is_released_once": "somebody asked for this line already",
    "released_line_is_open": "the line is cancelled, or a burn of it is on its way",
    "released_line_has_its_price_set_apart": "nothing is set apart yet; give the buy-back up instead",
    "released_line_cannot_be_cancelled": "nothing of this holder keeps its units from being cancelled",
    "decision_is_on_the_version_seen": "it has changed since; look again, then decide",
    "transition_is_listed_for_the_keeper": "it is no longer where that step begins",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form of buy-backs sent."""

    act: str
    what: str
    because: str
    terms: dict[str, str]


def asked(  # noqa: PLR0913 - one field of the form each
    *,
    act: _Line = "",
    what: _Line = "",
    because: _Line = "",
    kind: _Line = "",
    price: _Line = "",
    units: _Line = "",
    money: _Line = "",
    periods: _Line = "",
    opens_at: _Line = "",
    closes_at: _Line = "",
    reference: _Line = "",
    sha256: _Line = "",
    holding: _Line = "",
    seen: _Line = "",
) -> Asked:
    """Read a form."""
    terms = {
        "kind": kind,
        "price": price,
        "units": units,
        "money": money,
        "periods": periods,
        "opens_at": opens_at,
        "closes_at": closes_at,
        "reference": reference,
        "sha256": sha256,
        "holding": holding,
        "seen": seen,
    }
    return Asked(act, what, because.strip(), {name: text.strip() for name, text in terms.items()})


def facts_of(database: Database, offering: str) -> dict[str, Any]:
    """Return the buy-backs of an offer, and offers and lines of the newest that has any."""
    keeper = registry.buybacks_of(database)
    rows = keeper.buybacks(offering=offering)
    newest = next((row for row in rows if row["tenders"] or row["accepted_units"]), None)
    on = {"offering": offering, "buyback": newest["buyback_id"]} if newest else {}
    lines = keeper.redemption_lines(**on) if newest else ()
    return {
        "buybacks": rows,
        "newest": newest,
        "tenders": keeper.tenders(**on) if newest else (),
        "lines": lines,
        "releases": keeper.line_releases(**on) if newest else (),
        "waits": _WAITS,
        "kinds": KINDS,
        "states": _STATES,
    }


def act(database: Database, by: tuple[str, str, str], form: Asked) -> None:
    """Do what a form asks for (offering, its currency, actor).

    Refuses ``decision_is_one_of_those_offered``, ``buyback_has_its_paper``, ``buyback_states_its_moment``,
    ``units_are_a_whole_number`` and what the register refuses.
    """
    offering, code, actor = by
    keeper, who = registry.buybacks_of(database), {"offering": offering, "actor": actor}
    if form.act == "propose":
        keeper.propose_buyback(**who, buyback=new_id("bbk"), asked=_terms(form.terms, code))
    elif form.act in {"approve", "decline"}:
        is_approved = form.act == "approve"
        keeper.decide_buyback(**who, buyback=form.what, is_approved=is_approved, because=form.because)
    elif form.act == "abandon":
        keeper.abandon_buyback(**who, buyback=form.what, because=form.because)
    elif form.act == "accept":
        keeper.accept_buyback(**who, buyback=form.what)
    elif form.act == "let_go":
        named = {"release": new_id("lnr"), "holding": form.terms["holding"], "because": form.because}
        keeper.propose_line_release(**who, buyback=form.what, **named, seen=read_whole(form.terms["seen"]))
    elif form.act in {"let_go_agree", "let_go_decline"}:
        said = {"is_agreed": form.act == "let_go_agree", "because": form.because}
        keeper.decide_line_release(**who, release=form.what, **said, seen=read_whole(form.terms["seen"]))
    else:
        raise Refused("decision_is_one_of_those_offered", "choose one of the acts")


def told(fault: Refused) -> dict[str, str]:
    """Return a refusal as the page says it."""
    detail = "" if fault.rule in fault.detail else fault.detail
    return {"rule": fault.rule, "detail": _SENTENCES.get(fault.rule, detail)}


def _terms(given: dict[str, str], code: str) -> dict[str, object]:
    units = read_whole(ungrouped(given["units"])) if given["units"] else None
    if units is None and given["units"]:
        raise Refused("units_are_a_whole_number", "write whole units, at most 18 digits")
    if len(given["sha256"]) != _DIGITS or set(given["sha256"].lower()) - set("0123456789abcdef"):
        raise Refused("buyback_has_its_paper", "the SHA-256 of the paper has 64 hexadecimal digits")
    try:
        window = [
            datetime.fromisoformat(given[name]).replace(tzinfo=UTC) for name in ("opens_at", "closes_at")
        ]
    except ValueError:
        raise Refused("buyback_states_its_moment", "write day and time, in UTC") from None
    return {
        "kind": given["kind"],
        "price_minor": parse(given["price"], code).minor,
        "most_units": units,
        "most_minor": parse(given["money"], code).minor if given["money"] else None,
        "periods_bind": given["periods"] == "yes",
        "opens_at": window[0].isoformat(),
        "closes_at": window[1].isoformat(),
        "authority_sha256": given["sha256"],
        "authority_reference": given["reference"],
    }
