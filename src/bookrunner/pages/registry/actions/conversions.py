"""Conversions on the agent's pages: proposed on the issuer's paper, inputs confirmed, decided by another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Final

from fastapi import Form

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import currency, parse, read_whole, ungrouped
from bookrunner.db import Database, Row

_Line = Annotated[str, Form(max_length=400)]
_DIGITS: Final = 64
_SHOWN: Final = Decimal("0.00000001")
FORMULAS: Final = {
    "fixed_ratio": "A fixed ratio of new units to old ones",
    "fixed_price": "Principal over a fixed price",
    "discounted_price": "Principal over the price of the round, less a discount",
    "capped_price": "Principal over the valuation cap per fully diluted unit",
    "lower_price": "Principal over the lower of both prices",
}
FRACTIONS: Final = {"cash": "Owed in cash, at the price of conversion", "lapse": "They lapse"}
INPUTS: Final = {
    "new_units": "New units",
    "for_units": "For so many old ones",
    "unit_price_minor": "Price of one new unit, for fractions",
    "principal_minor": "Principal of one old unit",
    "price_minor": "Price of one new unit",
    "round_price_minor": "Price of the round",
    "discount_ppm": "Discount, in parts of a million",
    "valuation_cap_minor": "Valuation cap",
    "diluted_units": "Fully diluted capitalisation, in units",
    "interest_ppm": "Interest a year, in parts of a million",
    "interest_from": "Interest from, not before a unit was bought",
    "year_days": "Days of a year of interest, 360 or 365",
}
_BASES: Final = {"ratio": "the ratio", "price": "the price", "discount": "the discount", "cap": "the cap"}
_STATES: Final = {
    "proposed": ("waiting", "wait", "waits for a second person"),
    "approved": ("progress", "calm", "agreed, waits to begin"),
    "begun": ("progress", "calm", "the chain is being changed"),
    "executed": ("confirmed", "good", "done"),
    "declined": ("cancelled", "grey", "declined"),
    "abandoned": ("cancelled", "grey", "given up"),
}
_WAITS: Final = {
    "conversion_is_agreed": "a second person agrees to it",
    "conversion_time_has_come": "its time comes",
    "conversion_has_its_inputs": "every input is confirmed",
    "conversion_is_of_the_units_as_proposed": "it is proposed anew: units were split since",
    "conversion_is_of_the_principal_as_proposed": "it is proposed anew: principal was paid back since",
    "open_instalment_is_paid_first": "the open instalment is paid or cancelled",
    "conversion_follows_the_sale": "the sale of the convertible is over",
    "new_class_is_offered": "the new class has been published",
    "conversion_meets_no_open_closing": "no closing of either class is open",
    "conversion_meets_paused_securities": "both securities are paused",
    "conversion_meets_units_at_rest": "nothing is asked for in units of either class or on its way",
    "conversion_meets_no_restraint": "no account of the convertible is frozen or held",
    "conversion_meets_records_that_agree": "no difference of the records is open",
    "holders_are_cleared_for_the_new_units": "every holder is cleared for the new class",
    "holders_have_a_wallet_for_the_new_units": "every holder has a wallet linked for the new class",
    "new_units_stay_within_the_authorised_ones": "the new units are within the authorised ones",
    "conversion_stays_within_the_holder_cap": "the holders are within the cap of the new class",
    "conversion_stays_within_the_non_accredited_cap": "non-accredited holders are within the cap",
}
_SENTENCES: Final = {
    "conversion_needs_two_people": "whoever proposed it cannot agree to it; another person decides",
    "conversion_goes_from_token_to_token": "both classes need a token on chain",
    "conversion_is_of_the_units_as_proposed": "units were split since; propose it anew",
    "conversion_is_of_the_principal_as_proposed": "principal was paid back since; propose it anew",
    "whoever_confirms_an_input_approves_nothing": "whoever confirmed an input cannot agree to it",
    "conversion_has_a_rule_for_fractions": "say what becomes of a fraction of a unit",
    "conversion_formula_is_known": "choose a formula",
    "ratio_takes_no_interest": "a ratio of units takes no interest",
    "conversion_input_is_within_its_bounds": "that input cannot be so much or so little",
    "conversion_names_its_authority": "write which resolution of the issuer says so",
    "conversion_input_names_its_source": "write in which paper it stands",
    "one_conversion_waits": "another conversion of this class is under way",
    "declined_conversion_has_its_reason": "write why it is declined",
    "abandoned_conversion_has_its_reason": "write why it is given up",
    "transition_is_listed_for_the_keeper": "it is no longer where that step begins",
    "decision_is_on_the_version_seen": "it has changed since this page was opened; look at it again",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form of conversions sent."""

    act: str
    what: str
    because: str
    seen: str
    terms: dict[str, str]


def asked(  # noqa: PLR0913 - one field of the form each
    *,
    act: _Line = "",
    what: _Line = "",
    because: _Line = "",
    seen: _Line = "",
    into: _Line = "",
    formula: _Line = "",
    interest: _Line = "",
    fractions: _Line = "",
    effective_at: _Line = "",
    name: _Line = "",
    value: _Line = "",
    reference: _Line = "",
    sha256: _Line = "",
) -> Asked:
    """Read a form."""
    terms = {
        "into": into,
        "formula": formula,
        "interest": interest,
        "fractions": fractions,
        "effective_at": effective_at,
        "name": name,
        "value": value,
        "reference": reference,
        "sha256": sha256,
    }
    return Asked(act, what, because.strip(), seen, {key: text.strip() for key, text in terms.items()})


def facts_of(database: Database, offering: str) -> dict[str, Any]:
    """Return the conversions of an offer, and of the one that is not given up its inputs and working."""
    keeper = registry.conversions_of(database)
    rows = keeper.conversions(offering=offering)
    one = next((row for row in rows if row["status"] not in {"declined", "abandoned"}), None)
    inputs, lines, waits = (), (), []
    if one is not None:
        on = {"offering": offering, "conversion": one["conversion_id"]}
        inputs, lines = keeper.conversion_inputs(**on), keeper.conversion_working(**on)
        if one["status"] == "approved":
            waits = [_WAITS[row["rule"]] for row in keeper.conversion_hindrances(**on)]
    classes = keeper.classes_to_become(offering=offering)
    return {
        "conversions": rows,
        "one": one,
        "inputs": inputs,
        "lines": lines,
        "waits": waits,
        "classes": classes,
        "class_names": {row["offering_id"]: row["name"] for row in classes},
        "price": None if one is None else _price(one),
        "formulas": FORMULAS,
        "fraction_rules": FRACTIONS,
        "names": INPUTS,
        "states": _STATES,
    }


def act(database: Database, by: tuple[str, str, str], form: Asked) -> None:
    """Do what a form asks for (offering, its currency, actor).

    Refuses ``decision_is_one_of_those_offered``, ``conversion_has_its_paper``,
    ``conversion_states_its_moment``, ``conversion_input_is_an_amount_or_a_day`` and what the register says.
    """
    offering, code, actor = by
    keeper, who = registry.conversions_of(database), {"offering": offering, "actor": actor}
    if form.act == "propose":
        keeper.propose_conversion(**who, conversion=new_id("cnv"), asked=_terms(form.terms))
    elif form.act == "confirm":
        keeper.confirm_input(**who, conversion=form.what, said=_input(form.terms, code))
    elif form.act in {"approve", "decline"}:
        keeper.decide_conversion(
            **who,
            conversion=form.what,
            is_approved=form.act == "approve",
            because=form.because,
            seen=read_whole(form.seen),
        )
    elif form.act == "abandon":
        keeper.abandon_conversion(**who, conversion=form.what, because=form.because)
    else:
        raise Refused("decision_is_one_of_those_offered", "choose one of the acts")


def told(fault: Refused) -> dict[str, str]:
    """Return a refusal as the page says it; inputs that are missing are named as the page names them."""
    detail = "" if fault.rule in fault.detail else fault.detail
    if fault.rule == "conversion_has_its_inputs":
        named = [INPUTS[name] for name in INPUTS if name in detail.replace(",", " ").split()]
        return {"rule": fault.rule, "detail": f"nobody has confirmed: {'; '.join(named)}"}
    return {"rule": fault.rule, "detail": _SENTENCES.get(fault.rule, detail)}


def _price(row: Row) -> str | None:
    """Return the price of one new unit in words; the conversion itself takes the exact fraction."""
    if row["basis"] is None:
        return None
    if row["basis"] == "ratio":
        return f"{row['below']:,} new for {row['above']:,} old units"
    places = currency(row["currency"]).exponent
    exact = Decimal(row["above"]) / Decimal(row["below"]) / 10**places
    shown = exact.quantize(_SHOWN, rounding=ROUND_HALF_UP).normalize()
    return f"{shown:,f} {row['currency']} a new unit, by {_BASES[row['basis']]}"


def _digest(text: str) -> str:
    if len(text) != _DIGITS or set(text.lower()) - set("0123456789abcdef"):
        raise Refused("conversion_has_its_paper", "the SHA-256 of the paper has 64 hexadecimal digits")
    return text


def _terms(given: dict[str, str]) -> dict[str, object]:
    try:
        moment = datetime.fromisoformat(given["effective_at"]).replace(tzinfo=UTC)
    except ValueError:
        raise Refused("conversion_states_its_moment", "write day and time, in UTC") from None
    return {
        "into": given["into"],
        "formula": given["formula"],
        "bears_interest": given["interest"] == "yes",
        "fractions": given["fractions"] or None,
        "effective_at": moment.isoformat(),
        "authority_sha256": _digest(given["sha256"]),
        "authority_reference": given["reference"],
    }


def _input(given: dict[str, str], code: str) -> dict[str, object]:
    name, value = given["name"], given["value"]
    said = {"name": name, "source": given["reference"], "source_sha256": _digest(given["sha256"])}
    if name.endswith("_minor"):
        return {**said, "amount": parse(ungrouped(value), code).minor}
    if name == "interest_from":
        try:
            return {**said, "day": date.fromisoformat(value).isoformat()}
        except ValueError:
            raise Refused("conversion_input_is_an_amount_or_a_day", "write the day as 2026-07-01") from None
    whole = read_whole(ungrouped(value))
    if whole is None:
        raise Refused("conversion_input_is_an_amount_or_a_day", "write a whole number")
    return {**said, "amount": whole}
