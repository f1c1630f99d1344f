"""The steps of an application in their order, and which one is open, computed from what the books hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bookrunner.core.errors import NotFound
from bookrunner.db import Database, Row, load
from bookrunner.pages.shell.language import later

STEPS: Final = (
    "amount",
    "profile",
    "consent",
    "documents",
    "tax_form",
    "authority",
    "ownership",
    "review",
    "sign",
    "file",
)
TITLES: Final = {
    "amount": later("Amount"),
    "profile": later("Profile"),
    "consent": later("Electronic records"),
    "documents": later("Documents"),
    "tax_form": later("Tax form"),
    "authority": later("Signers"),
    "ownership": later("Owners"),
    "review": later("Review"),
    "sign": later("Sign"),
    "file": later("Signed file"),
}
ITEMS: Final = frozenset({"material", "risk", "representation"})
STATED: Final = ("tax_form", "authority", "ownership")
_PARTICULARS: Final = ("records_consent", *STATED)
# What is asked of those who act through somebody alone.
_OF_ENTITIES: Final = frozenset({"authority", "ownership"})
_AGAINST: Final = "compliance has something else on record"
ENDED: Final = frozenset({"cancelled_by_investor", "cancelled_by_manager", "closed_unsuccessfully"})


def facts(database: Database, investment: str) -> dict[str, Any]:
    """Return what the pages of an application show; raises NotFound where there is none to make."""
    shared, own = load("bookrunner.pages"), load(__package__)
    with database.transaction("portal") as transaction:
        found: Mapping[str, Any] | None = shared.investment(transaction, investment=investment)
        if found is None or found["status"] in ENDED:
            raise NotFound(f"there is no investment {investment} to apply for")
        mine = {"offering": found["offering_id"], "investment": investment}
        to_do = list(shared.packet_to_do(transaction, **mine))
        ends_at = shared.reservation_end(transaction, **mine)
        profile = own.profile(transaction, investor=found["investor_id"])
    with database.transaction("subscription") as transaction:
        papers = own.papers(transaction, **mine)
        items = list(own.items(transaction, **mine, investor=found["investor_id"]))
        stated = dict.fromkeys(_PARTICULARS) | {
            row["kind"]: row["detail"] for row in own.stated(transaction, **mine)
        }
        deficiencies = list(own.deficiencies(transaction, **mine))
    if not papers["takes_packets"]:
        raise NotFound(f"the agreement of {investment} is not made on these pages")
    return {
        "investment": found,
        "to_do": to_do,
        "ends_at": ends_at,
        "profile": profile,
        "papers": papers,
        "items": items,
        "stated": stated,
        "deficiencies": deficiencies,
        "contradictions": [row for row in to_do if row["step"] == "correct" and row["says"] == _AGAINST],
        "awaited": _awaited(papers, profile, stated),
        "waits_for_compliance": not (found["profile"] and found["compliance"]),
    }


def _awaited(papers: Row, profile: Row, stated: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the fields in which the investor's signers have not signed, each with the name of its signer."""
    named = stated.get("authority")
    signers = [profile["legal_name"]] if named is None else [each["name"] for each in named["signers"]]
    fields = ["investor" if number == 1 else f"investor_{number}" for number, _ in enumerate(signers, 1)]
    open_fields = set(papers["parties"]) - set(papers["signed_by"])
    return [(field, name) for field, name in zip(fields, signers, strict=True) if field in open_fields]


def order(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the steps of an investor in their order; a person names signers and owners if it is asked to."""
    is_person = found["profile"]["kind"] == "individual"
    asked = {row["code"] for row in found["to_do"] if row["step"] == "state"}
    return tuple(step for step in STEPS if not is_person or step not in _OF_ENTITIES - asked)


def open_step(found: Mapping[str, Any]) -> str:
    """Return the first step that is not done."""
    papers, left = found["papers"], [(row["step"], row["code"]) for row in found["to_do"]]
    if ("state", "records_consent") in left:
        return "consent" if papers["samples"] else "amount"
    if any(step in ITEMS for step, _ in left):
        return "documents"
    stated = next((code for code in STATED if ("state", code) in left), None)
    if stated is not None:
        return stated
    if any(step in {"correct", "submit"} for step, _ in left):
        return "review"
    is_signed = papers["status"] in {"investor_signed", "countersigned"}
    return "file" if is_signed else "sign"


def may_show(step: str, first_open: str) -> bool:
    """Say whether a step may be looked at: those that are done, and the first open one.

    Amount and profile are looked at before anything of them is kept, so they open together.
    """
    if first_open == "amount":
        return step in {"amount", "profile"}
    return STEPS.index(step) <= STEPS.index(first_open)


def current_item(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the item that is asked for next, or None when all are made."""
    item: Mapping[str, Any] | None = next((each for each in found["items"] if not each["is_made"]), None)
    return item


def before(found: Mapping[str, Any], step: str) -> str | None:
    """Return the step that comes before another one, or None."""
    steps = order(found)
    return steps[steps.index(step) - 1] if steps.index(step) else None


def trail(found: Mapping[str, Any], step: str, first_open: str) -> list[dict[str, object]]:
    """Return each step with its title, and whether it is done, open or looked at now."""
    return [
        {
            "name": name,
            "title": TITLES[name],
            "is_here": name == step,
            "is_done": STEPS.index(name) < STEPS.index(first_open),
            "is_open": may_show(name, first_open),
        }
        for name in order(found)
    ]
