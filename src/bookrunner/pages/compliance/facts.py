"""What a case file shows, read in one transaction of the compliance login; personal data stays masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bookrunner.core.errors import NotFound
from bookrunner.db import Database, load
from bookrunner.pages.compliance.chart import chart, percent, state_of
from bookrunner.pages.compliance.deciding import CATEGORIES
from bookrunner.pages.shell import mask

Row = Mapping[str, Any]

CHECKS = (
    ("identity_is_verified", "identity"),
    ("discrepancies_are_resolved", "identity"),
    ("required_parties_are_verified", "papers"),
    ("required_documents_are_on_file", "papers"),
    ("beneficial_owners_are_verified", "owners"),
    ("control_person_is_verified", "owners"),
    ("sanctions_are_screened", "screening"),
    ("sanctions_are_clear", "screening"),
    ("enhanced_due_diligence_is_complete", "risk"),
    ("review_is_current", "risk"),
)
HISTORY_ROWS = 60
_TONES = {
    "new": ("not-started", "grey"),
    "pending": ("progress", "calm"),
    "in_review": ("waiting", "wait"),
    "approved": ("confirmed", "good"),
    "declined": ("refused", "bad"),
    "expired": ("refused", "bad"),
    "revoked": ("refused", "bad"),
    "info_required": ("waiting", "wait"),
    "open": ("missing", "bad"),
    "upheld": ("refused", "bad"),
    "resolved": ("confirmed", "good"),
    "requested": ("waiting", "wait"),
    "applied": ("confirmed", "good"),
    "completed": ("waiting", "wait"),
    "clear": ("confirmed", "good"),
    "reopened": ("missing", "bad"),
    "possible_match": ("missing", "bad"),
    "confirmed_match": ("refused", "bad"),
    "escalated": ("waiting", "wait"),
    "proposed": ("waiting", "wait"),
    "release_proposed": ("waiting", "wait"),
    "no_match": ("confirmed", "good"),
    "confirmed": ("refused", "bad"),
    "released": ("confirmed", "good"),
    "due": ("waiting", "wait"),
    "filed": ("confirmed", "good"),
    "sent": ("confirmed", "good"),
    "verified": ("confirmed", "good"),
    "recorded": ("progress", "calm"),
    "on_file": ("confirmed", "good"),
    "rejected": ("refused", "bad"),
}


def mark(state: str) -> tuple[str, str]:
    """Return icon and tone of a state."""
    return _TONES.get(state, ("progress", "calm"))


def case_file(database: Database, investor: str) -> dict[str, Any]:
    """Return everything that the file of an investor shows; raises NotFound for an unknown one."""
    queries = load(__package__)
    with database.transaction("compliance") as transaction:
        head: Row | None = queries.case_file(transaction, investor=investor)
        if head is None:
            raise NotFound(f"there is no case of {investor}")
        read: dict[str, Any] = {
            name: getattr(queries, name)(transaction, investor=investor)
            for name in (
                "tier_reasons",
                "snapshots",
                "cip_elements",
                "owners",
                "shares",
                "people_missing",
                "screenings",
                "unscreened",
                "hits",
                "accreditation",
                "accreditation_evidence",
                "contrary",
                "spellings",
                "papers",
                "parties",
                "required",
                "clearances",
                "clearance_records",
                "kept_files",
                "reports_heard",
                "deficiencies",
                "reviews",
                "categories",
                "notices",
                "reports",
            )
        }
        for name in ("discrepancies", "changes", "diligences"):
            read[name] = getattr(queries, name)(transaction, investor=investor, item=None)
        read["programme"] = queries.programme(transaction)
        read["history"] = queries.history(transaction, investor=investor, most=HISTORY_ROWS)
    for row in read["clearances"]:
        row["checks"] = _checks(row)
    read["owners"] = [_owner(row) for row in read["owners"]]
    return {
        **read,
        "head": head,
        "masked": {name: mask(head[name]) for name in ("legal_name", "address")},
        "chart": chart(investor, read["owners"], read["shares"]),
        "locked": _locked(head, read["snapshots"]),
        "known_categories": CATEGORIES,
        "mark": mark,
        "percent": percent,
        "sentence": sentence(head, read["clearances"]),
    }


def sentence(head: Row, clearances: Sequence[Row]) -> str:
    """Say in one sentence where the case stands."""
    if not clearances:
        return f"The identity is {head['status'].replace('_', ' ')}; no offer has asked for a clearance yet."
    open_ones = [row for row in clearances if row["status"] != "clear"]
    if not open_ones:
        noun = "offer" if len(clearances) == 1 else "offers"
        return f"Cleared for {len(clearances)} {noun}; nothing is missing."
    missing = sorted({name for row in open_ones for name in row["lacks"]})
    checks = "1 check is missing" if len(missing) == 1 else f"{len(missing)} checks are missing"
    return f"Not cleared for {len(open_ones)} of {len(clearances)} offers: {checks}."


def _checks(row: Row) -> list[dict[str, object]]:
    """Return each check of a clearance with whether it holds and where on the page it is made."""
    known = [*CHECKS]
    of_exemption = [name for name in row["lacks"] if name not in dict(CHECKS)]
    if row["needs_accreditation"] and "accreditation_is_verified" not in of_exemption:
        of_exemption.append("accreditation_is_verified")
    known += [(name, "accreditation") for name in of_exemption]
    return [{"name": name, "place": place, "holds": name not in row["lacks"]} for name, place in known]


def _owner(row: Row) -> dict[str, Any]:
    word, tone = state_of(row)
    return {**row, "share": percent(row["share_bp"]), "word": word, "tone": tone}


def _locked(head: Row, snapshots: Sequence[Row]) -> Row | None:
    """Return the snapshot by which fields are locked now: the latest, while the identity stands approved."""
    return snapshots[0] if snapshots and head["status"] == "approved" else None
