"""The five stages of one investment in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bookrunner.engine.gates import STAGES
from bookrunner.pages.shell import words
from bookrunner.pages.shell.language import gettext, later, ngettext, spoken

Row = Mapping[str, Any]

_YOURS = frozenset(
    {
        "profile_is_complete",
        "materials_are_received",
        "risks_are_acknowledged",
        "representations_are_made",
        "agreement_is_signed",
        "funds_are_received",
        "wallet_is_linked",
    }
)
ENDED = {
    "cancelled_by_investor": later("You cancelled this investment."),
    "cancelled_by_manager": later("This investment was cancelled."),
    "closed_unsuccessfully": later("The offer closed without this investment."),
}

_TASKS = {
    "material": later("Read and confirm"),
    "risk": later("Acknowledge this risk"),
    "representation": later("Represent"),
    "sign": later("Sign your agreement"),
    "submit": later("Ask for your agreement"),
}
_PARTICULARS = {
    "records_consent": later("Consent to electronic records"),
    "tax_form": later("State your tax form"),
    "authority": later("State the authority of your signer"),
    "ownership": later("State your owners"),
}


def stages(investment: Row, conditions: Sequence[Row]) -> list[dict[str, object]]:
    """Return each stage with its word, icon, tone, its confirmed conditions and its missing ones.

    A stage counts only with all stages before it; the first open one is ``current``.
    """
    found: list[dict[str, object]] = []
    blocked_by = ""
    for name in STAGES:
        own = [row for row in conditions if row["stage"] == name]
        missing = [
            item for item in investment["missing"] if item["condition"] in {row["condition"] for row in own}
        ]
        held = [row for row in own if investment["holds"] >> row["bit"] & 1]
        icon, tone, word = _word(investment, name, missing, blocked_by)
        found.append(
            {
                "title": spoken(name.capitalize()),
                "keeper": own[0]["keeper"],
                "icon": icon,
                "tone": tone,
                "word": word,
                "confirmed": held,
                "missing": missing,
                "is_current": not investment[name] and not blocked_by,
                "waits_for_closing": name == "issuance" and len(held) < len(own) and not missing,
            }
        )
        if not investment[name] and not blocked_by:
            blocked_by = name
    return found


def _word(investment: Row, name: str, missing: Sequence[Row], blocked_by: str) -> tuple[str, str, str]:
    if investment[name]:
        is_held = name == "issuance" and investment["holding_is_held"]
        return ("held", "wait", gettext("held")) if is_held else ("confirmed", "good", gettext("confirmed"))
    if missing:
        if blocked_by:
            return "not-started", "grey", gettext("open")
        if missing[0]["condition"] in _YOURS:
            return "you", "wait", gettext("needs you")
        return "waiting", "wait", _waits_for(missing[0]["keeper"])
    if blocked_by:
        return "waiting", "wait", _waits_for(blocked_by)
    is_open = investment["issuance_state"] == "open"
    return "progress", "calm", gettext("waiting for a closing") if is_open else gettext("in progress")


def _waits_for(whom: str) -> str:
    return gettext("waiting for %(whom)s", whom=spoken(whom))


def sentence(investment: Row) -> str:
    """Say in one plain sentence where the investment stands and who decides next."""
    missing = investment["missing"]
    if investment["status"] in ENDED:
        return spoken(ENDED[investment["status"]])
    if investment["issuance_state"] == "registered" and investment["holding_is_held"]:
        return gettext("Your units are registered and under a hold; the transfer agent can say why.")
    if investment["issuance_state"] == "registered":
        return gettext("Your units are registered in the master securityholder file.")
    if missing:
        return _next(missing)
    if investment["issuance_state"] == "open":
        return gettext("Everything is confirmed; your units are issued in the next closing.")
    return gettext("Your units are being issued; the transfer agent registers them next.")


def _next(missing: Sequence[Row]) -> str:
    """Say what is missing first, who confirms it and how much follows."""
    condition, keeper = missing[0]["condition"], missing[0]["keeper"]
    if condition in _YOURS:
        first = gettext("Next: %(condition)s; this needs you", condition=words(condition))
    else:
        says = {"condition": words(condition), "keeper": spoken(keeper)}
        first = gettext("Next: %(condition)s; %(keeper)s decides", **says)
    left = len(missing) - 1
    more = ngettext(", and %(count)s more after it", ", and %(count)s more after it", left) if left else ""
    return f"{first}{more}."


def task(row: Row) -> dict[str, str]:
    """Return one thing that is left to do for the packet: a title and what it is about."""
    if row["step"] == "state":
        return {"title": spoken(_PARTICULARS[row["code"]]), "about": ""}
    if row["step"] == "correct":
        return {"title": gettext("Correct: %(field)s", field=words(row["code"])), "about": row["says"]}
    return {"title": spoken(_TASKS[row["step"]]), "about": row["says"]}
