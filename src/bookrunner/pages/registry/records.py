"""How holders are registered and which of them mail does not reach, on the agent's pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import read_whole
from bookrunner.db import Database, Keeper
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.distributions import Distributions

_MOST: Final = 100
_LONGEST: Final = 400
_HEX_DIGITS: Final = 64
KINDS: Final = {
    "name": "Another name",
    "address": "Another address",
    "death": "Death of the holder",
    "joint_tenancy": "Joint tenancy",
}
FORMS: Final = {"joint_tenants": "joint tenants with survivorship", "tenants_in_common": "tenants in common"}
WORK: Final = {
    "send_mail_again": "Send the mail again",
    "make_first_search": "Make the first search",
    "make_second_search": "Make the second search",
    "units_fall_to_state": "Units fall to the state",
    "write_to_unpaid_payee": "Write to a payee who was not paid",
    "money_falls_to_state": "Money of a distribution falls to the state",
}
PROPERTIES: Final = {"units": "Units", "distributions": "Money of distributions"}
SENTENCES: Final = {
    "registration_change_changes_something": "it is registered so already; the profile changes first",
    "registration_is_that_of_the_profile": "the profile changed again since; propose it anew",
    "registration_papers_are_complete": "a paper is missing",
    "registration_change_needs_two_people": "whoever proposed it does not decide it; another person does",
    "registration_is_changed_by_another_person": "the holder does not decide it; another person does",
    "one_registration_change_waits": "another change of this holding waits",
    "co_holder_is_cleared": "the other holder is not cleared for this offer",
    "search_keeps_its_evidence": "a search is recorded with the database and the SHA-256 of its result",
    "search_is_made_after_its_window_opens": "its window is not open on that day",
    "mail_is_sent_again_within_a_month": "it has to be sent again within a month",
    "lost_holder_was_written_to_twice": "say when it was sent again and when it came back",
    "dormancy_rule_needs_two_people": "whoever proposed the rule does not put it in force",
    "payee_is_written_to_once": "this payee was written to already",
    "notice_is_of_unpaid_money": "that money was not owed on that day, or was paid",
    "day_of_a_record_has_come": "that day is to come",
    "mandate_is_of_a_holder": "whoever it is for holds nothing here",
    "mandate_needs_two_people": "whoever proposed the payee does not put it in force",
    "one_mandate_is_proposed": "another payee of this holder waits for a decision",
    "payee_is_screened_before_it_is_paid": "the payee waits for its screening, or is on a list",
}


async def _form_of(request: Request) -> dict[str, str]:
    async with request.form(max_files=0, max_fields=30) as read:
        return {
            name: value.strip()[:_LONGEST] for name, value in read.multi_items() if isinstance(value, str)
        }


Form = Annotated[dict[str, str], Depends(_form_of)]


def facts_of(database: Database, offering: str) -> dict[str, Any]:
    """Return changes of registrations, lost holders and dormancy rules, those that wait first."""
    holders, on = registry.holders_of(database), {"offering": offering}
    return {
        "changes": holders.registration_changes(**on, most=_MOST),
        "papers": holders.registration_papers(),
        "lost": holders.lost_holders(**on, most=_MOST),
        "rules": holders.dormancy_rules(**on),
        "mandates": holders.payee_mandates(**on, most=_MOST),
        "clocks": holders.escheat_clocks(),
        "work": holders.holder_work(**on, most=_MOST),
        "works": WORK,
        "properties": PROPERTIES,
        "change_kinds": KINDS,
        "tenancies": FORMS,
    }


def act(database: Database, by: tuple[str, str], form: Mapping[str, str]) -> None:
    """Do what a form asks for (offering, actor).

    Refuses ``decision_is_one_of_those_offered``, ``paper_is_named_by_its_hash``, ``day_is_written_as_a_date``
    and what the register refuses.
    """
    offering, actor = by
    if form.get("act") == "propose_payee":
        said = {name: form.get(name, "") for name in ("holder", "payee", "because")}
        said["sha256"] = _digest(form.get("sha256", "")).hex()
        Distributions(Desk(database)).name_payee(offering, said, actor=actor)
        return
    acts: Mapping[str, Callable[[Keeper, Mapping[str, object], Mapping[str, str]], None]] = {
        "propose_change": _propose_change,
        "decide_change": _decide_change,
        "return_mail": _return_mail,
        "lose": _lose,
        "search": _search,
        "find": _find,
        "propose_dormancy": _propose_dormancy,
        "decide_dormancy": _decide_dormancy,
        "decide_payee": _decide_payee,
        "write": _write,
    }
    if form.get("act") not in acts:
        raise Refused("decision_is_one_of_those_offered", "choose one of the acts")
    acts[form["act"]](registry.holders_of(database), {"offering": offering, "actor": actor}, form)


def told(fault: Refused) -> dict[str, str]:
    """Return a refusal as the page says it."""
    detail = "" if fault.rule in fault.detail else fault.detail
    return {"rule": fault.rule, "detail": SENTENCES.get(fault.rule, detail)}


def _propose_change(holders: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    papers = [
        {"paper": name.removeprefix("paper."), "sha256": _digest(value).hex()}
        for name, value in form.items()
        if name.startswith("paper.") and value
    ]
    said = {
        name: form[name] for name in ("kind", "holding", "because", "form", "co_holder") if form.get(name)
    }
    registry.propose_change(holders, (str(who["offering"]), str(who["actor"])), said, papers)


def _decide_change(holders: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    because = form.get("because", "")
    holders.decide_registration(**who, change=form.get("what"), is_approved=_agreed(form), because=because)


def _return_mail(holders: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    said = {name: form.get(name) for name in ("holding", "region")}
    said |= {name: _day(form, name).isoformat() for name in ("last_contact_on", "returned_on")}
    holders.return_mail(
        **who, lost=new_id("lst"), said=said | {"sha256": _digest(form.get("sha256", "")).hex()}
    )


def _lose(holders: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    days = {name: _day(form, name) for name in ("sent_again_on", "lost_on")}
    holders.lose_holder(**who, lost=form.get("what"), **days, sha256=_digest(form.get("sha256", "")))


def _search(holders: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    evidence = _digest(form["sha256"]) if form.get("sha256") else None
    searched = {"database": form.get("database", ""), "searched_on": _day(form, "searched_on")}
    holders.record_search(**who, task=form.get("what"), **searched, evidence_sha256=evidence)


def _find(holders: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    found_on, digest = _day(form, "found_on"), _digest(form.get("sha256", ""))
    holders.find_holder(**who, lost=form.get("what"), found_on=found_on, sha256=digest)


def _write(holders: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    written_on, digest = _day(form, "written_on"), _digest(form.get("sha256", ""))
    holders.record_unpaid_notice(**who, disbursement=form.get("what"), written_on=written_on, sha256=digest)


def _propose_dormancy(holders: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    months = read_whole(form.get("months", ""))
    if months is None:
        raise Refused("dormancy_lasts_months", "write whole months")
    said = {name: form.get(name) for name in ("region", "property", "source")} | {"months": months}
    holders.propose_dormancy(
        **who, rule=new_id("dor"), said=said | {"starts_on": _day(form, "starts_on").isoformat()}
    )


def _decide_dormancy(holders: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    because = form.get("because", "")
    holders.decide_dormancy(**who, rule=form.get("what"), is_approved=_agreed(form), because=because)


def _decide_payee(holders: Keeper, who: Mapping[str, object], form: Mapping[str, str]) -> None:
    seen = read_whole(form.get("seen", ""))
    holders.decide_payee(**who, mandate=form.get("what"), is_agreed=_agreed(form), seen=seen)


def _agreed(form: Mapping[str, str]) -> bool:
    if form.get("choice") not in {"approved", "declined"}:
        raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
    return form["choice"] == "approved"


def _day(form: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(form.get(name, ""))
    except ValueError:
        raise Refused("day_is_written_as_a_date", "write the day as year, month and day") from None


def _digest(text: str) -> bytes:
    if len(text) != _HEX_DIGITS or set(text.lower()) - set("0123456789abcdef"):
        raise Refused("paper_is_named_by_its_hash", "the SHA-256 of the paper has 64 hexadecimal digits")
    return bytes.fromhex(text)
