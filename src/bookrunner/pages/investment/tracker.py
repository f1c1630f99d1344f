"""The five stages of one investment in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bookrunner.engine.gates import STAGES

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
    "cancelled_by_investor": "You cancelled this investment.",
    "cancelled_by_manager": "This investment was cancelled.",
    "closed_unsuccessfully": "The offer closed without this investment.",
}

_TASKS = {
    "material": "Read and confirm",
    "risk": "Acknowledge this risk",
    "representation": "Represent",
    "sign": "Sign your agreement",
    "submit": "Ask for your agreement",
}
_PARTICULARS = {
    "records_consent": "Consent to electronic records",
    "tax_form": "State your tax form",
    "authority": "State the authority of your signer",
    "ownership": "State your owners",
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
                "title": name.capitalize(),
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
        return ("held", "wait", "held") if is_held else ("confirmed", "good", "confirmed")
    if missing:
        if blocked_by:
            return "not-started", "grey", "open"
        if missing[0]["condition"] in _YOURS:
            return "you", "wait", "needs you"
        return "waiting", "wait", f"waiting for {missing[0]['keeper']}"
    if blocked_by:
        return "waiting", "wait", f"waiting for {blocked_by}"
    is_open = investment["issuance_state"] == "open"
    return "progress", "calm", "waiting for a closing" if is_open else "in progress"


def sentence(investment: Row) -> str:
    """Say in one plain sentence where the investment stands and who decides next."""
    missing = investment["missing"]
    if investment["status"] in ENDED:
        return ENDED[investment["status"]]
    if investment["issuance_state"] == "registered" and investment["holding_is_held"]:
        return "Your units are registered and under a hold; the transfer agent can say why."
    if investment["issuance_state"] == "registered":
        return "Your units are registered in the master securityholder file."
    if missing:
        first = missing[0]
        who = "this needs you" if first["condition"] in _YOURS else f"{first['keeper']} decides"
        more = f", and {len(missing) - 1} more after it" if len(missing) > 1 else ""
        return f"Next: {first['condition'].replace('_', ' ')}; {who}{more}."
    if investment["issuance_state"] == "open":
        return "Everything is confirmed; your units are issued in the next closing."
    return "Your units are being issued; the transfer agent registers them next."


def task(row: Row) -> dict[str, str]:
    """Return one thing that is left to do for the packet: a title and what it is about."""
    if row["step"] == "state":
        return {"title": _PARTICULARS[row["code"]], "about": ""}
    if row["step"] == "correct":
        return {"title": f"Correct: {row['code'].replace('_', ' ')}", "about": row["says"]}
    return {"title": _TASKS[row["step"]], "about": row["says"]}
