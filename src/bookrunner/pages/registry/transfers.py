"""Transfers on the agent's pages: requests, what the chain shows, and the rules of the offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Form

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import read_whole, ungrouped
from bookrunner.db import Database, Keeper

_MOST: Final = 100
_HEX_DIGITS: Final = 64
_DEFAULT_DAYS: Final = 10
_MOST_DAYS: Final = 90
_Line = Annotated[str, Form(max_length=4000)]
STATES: Final = {
    "requested": ("waiting", "wait", "waits for papers or screening"),
    "screened": ("you", "wait", "needs your decision"),
    "returned": ("waiting", "grey", "returned"),
    "approved": ("progress", "calm", "approved"),
    "instructed": ("progress", "calm", "signed, waits for the chain"),
    "registered": ("confirmed", "good", "registered"),
    "rescinded": ("cancelled", "grey", "taken back"),
    "rejected": ("refused", "bad", "rejected"),
    "withdrawn": ("cancelled", "grey", "withdrawn"),
}
_SEEN: Final = {
    "matched": ("confirmed", "good", "posted"),
    "unauthorised": ("refused", "bad", "without authority"),
    "unmapped": ("refused", "bad", "unknown wallet"),
    "over_issued": ("refused", "bad", "issued without instruction"),
    "explained": ("waiting", "wait", "waits for a second person"),
    "resolved": ("confirmed", "good", "ended"),
}
_RESCISSIONS: Final = {
    "asked": ("waiting", "wait", "its order is not carried out yet"),
    "done": ("confirmed", "good", "taken back"),
    "repaid": ("confirmed", "good", "taken back, price repaid"),
    "dropped": ("cancelled", "grey", "came to nothing"),
}
_RULES: Final = {
    "proposed": ("waiting", "wait", "waits for a second person"),
    "in_force": ("confirmed", "good", "in force"),
    "declined": ("cancelled", "grey", "declined"),
    "ended": ("cancelled", "grey", "ended"),
}
KINDS: Final = {
    "holding_period": "Holding period, in months",
    "flow_back_period": "Distribution period abroad, in days",
    "lock_up": "Lock-up until its end",
    "country_closed": "Countries that are closed",
    "holder_cap": "Most holders",
    "non_accredited_cap": "Most holders who are not accredited",
    "holding_limit": "Most units of one holder, in parts of 10000",
    "volume": "Most units of one holder in a span",
    "fee": "Fee of a transfer, in minor units of the offer's currency",
}
PAYERS: Final = {"seller": "the giver", "buyer": "the taker"}
ENDINGS: Final = {
    "post": "Post it: the authority has come",
    "reversed": "Sent back on chain",
    "bought_in": "Bought in",
    "authority_raised": "More units were authorised",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a form of this page sent."""

    act: str
    what: str
    because: str
    days: str
    paper: str
    ending: str
    reference: str
    rule: dict[str, str]


def decision(  # noqa: PLR0913 - one field of the form each
    *,
    act: _Line = "",
    what: _Line = "",
    because: _Line = "",
    days: _Line = "",
    paper: _Line = "",
    ending: _Line = "",
    reference: _Line = "",
    kind: _Line = "",
    starts_on: _Line = "",
    ends_on: _Line = "",
    amount: _Line = "",
    span: _Line = "",
    investor: _Line = "",
    countries: _Line = "",
    payer: _Line = "",
) -> Decision:
    """Read a form; what was left empty is no part of a rule."""
    given = {"kind": kind, "starts_on": starts_on, "ends_on": ends_on, "amount": amount}
    given |= {"span": span, "investor": investor, "countries": countries, "payer": payer}
    said = {name: text.strip() for name, text in given.items() if text.strip()}
    return Decision(
        act, what.strip(), because.strip(), days.strip(), paper.strip(), ending, reference.strip(), said
    )


def facts_of(database: Database, offering: str) -> dict[str, Any]:
    """Return requests with the rules that refuse them now, observed transfers, and the rules."""
    keeper, on = registry.transfers_of(database), {"offering": offering}
    requests = [dict(row) for row in keeper.transfers(**on, investor=None, most=_MOST)]
    for row in requests:
        waits = row["status"] in {"screened", "approved"}
        asked = {"seller": row["seller_id"], "buyer": row["buyer_id"], "units": row["units"]}
        row["refusals"] = keeper.transfer_refusals(**on, **asked, transfer=row["request_id"]) if waits else []
    return {
        "requests": requests,
        "observed": keeper.observed(**on, most=_MOST),
        "buy_ins": keeper.buy_in_cases(**on),
        "affiliations": keeper.affiliations(**on),
        "rules": keeper.transfer_rules(**on),
        "rescissions": keeper.rescissions(**on, most=_MOST),
        "rescission_states": _RESCISSIONS,
        "states": STATES,
        "seen_states": _SEEN,
        "rule_states": _RULES,
        "rule_kinds": KINDS,
        "payers": PAYERS,
        "endings": ENDINGS,
        "today": clock.today().isoformat(),
    }


def act(database: Database, by: tuple[str, str], form: Decision) -> None:
    """Do what a form asks for (offering, actor).

    Refuses ``decision_is_one_of_those_offered``, ``paper_is_named_by_its_hash``, ``days_are_a_whole_number``
    and what the register refuses.
    """
    keeper, who = registry.transfers_of(database), {"offering": by[0], "actor": by[1]}
    acts: Mapping[str, Callable[[Keeper, Mapping[str, object], Decision], None]] = {
        "approve": _approve,
        "returned": _end,
        "rejected": _end,
        "explain": _explain,
        "agree": _resolve,
        "send_back": _resolve,
        "propose_rule": _propose,
        "adopt": _decide,
        "decline": _decide,
        "end_rule": _end_rule,
        "affiliate": _affiliate,
        "end_affiliation": _end_affiliation,
        "rescind": _rescind,
        "repaid": _repaid,
    }
    if form.act not in acts:
        raise Refused("decision_is_one_of_those_offered", "choose one of the acts")
    acts[form.act](keeper, who, form)


def _approve(keeper: Keeper, who: Mapping[str, object], form: Decision) -> None:
    days = read_whole(form.days or str(_DEFAULT_DAYS))
    if days is None or not 1 <= days <= _MOST_DAYS:
        raise Refused("days_are_a_whole_number", "write 1 to 90 days")
    until = clock.now() + timedelta(days=days)
    keeper.approve_transfer(**who, transfer=form.what, until=until)


def _end(keeper: Keeper, who: Mapping[str, object], form: Decision) -> None:
    reasons = [line.strip() for line in form.because.splitlines() if line.strip()]
    keeper.end_transfer(**who, transfer=form.what, status=form.act, reasons=reasons)


def _explain(keeper: Keeper, who: Mapping[str, object], form: Decision) -> None:
    keeper.explain_observed(
        **who, observed=form.what, ending=form.ending, paper_sha256=_digest(form.paper), because=form.because
    )


def _resolve(keeper: Keeper, who: Mapping[str, object], form: Decision) -> None:
    keeper.resolve_observed(**who, observed=form.what, is_agreed=form.act == "agree")


def _propose(keeper: Keeper, who: Mapping[str, object], form: Decision) -> None:
    said: dict[str, object] = {**form.rule, "because": form.because, "paper": _digest(form.paper).hex()}
    if "amount" in form.rule:
        amount = ungrouped(form.rule["amount"])
        if read_whole(amount) is None:
            raise Refused("units_are_a_whole_number", "write a whole number, at most 18 digits")
        said["amount"] = amount
    if "countries" in form.rule:
        said["countries"] = form.rule["countries"].upper().replace(",", " ").split()
    keeper.propose_transfer_rule(**who, rule=new_id("trl"), said=said)


def _decide(keeper: Keeper, who: Mapping[str, object], form: Decision) -> None:
    keeper.decide_transfer_rule(**who, rule=form.what, is_approved=form.act == "adopt", because=form.because)


def _end_rule(keeper: Keeper, who: Mapping[str, object], form: Decision) -> None:
    keeper.end_transfer_rule(**who, rule=form.what, because=form.because)


def _affiliate(keeper: Keeper, who: Mapping[str, object], form: Decision) -> None:
    keeper.record_affiliation(
        **who,
        affiliation=new_id("aff"),
        investor=form.rule.get("investor", ""),
        group=form.what,
        because=form.because,
    )


def _end_affiliation(keeper: Keeper, who: Mapping[str, object], form: Decision) -> None:
    keeper.end_affiliation(**who, affiliation=form.what, because=form.because)


def _rescind(keeper: Keeper, who: Mapping[str, object], form: Decision) -> None:
    asked = {"transfer": form.what, "because": form.because, "order_sha256": _digest(form.paper).hex()}
    asked["order_reference"] = form.reference
    keeper.ask_rescission(**who, rescission=new_id("rsn"), action=new_id("cta"), asked=asked)


def _repaid(keeper: Keeper, who: Mapping[str, object], form: Decision) -> None:
    keeper.record_repayment(**who, rescission=form.what, sha256=_digest(form.paper))


def _digest(text: str) -> bytes:
    if len(text) != _HEX_DIGITS or set(text.lower()) - set("0123456789abcdef"):
        raise Refused("paper_is_named_by_its_hash", "the SHA-256 of the paper has 64 hexadecimal digits")
    return bytes.fromhex(text)
