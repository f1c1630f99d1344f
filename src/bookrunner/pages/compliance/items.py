"""One piece of work as a page shows it: the record, what may be decided, what has changed meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bookrunner.core.errors import NotFound, Refused, VersionChanged
from bookrunner.db import Database, load
from bookrunner.pages.compliance.chart import percent
from bookrunner.pages.compliance.deciding import CHOICES, IDENTITY_PAPERS, Decision
from bookrunner.pages.compliance.facts import mark
from bookrunner.pages.compliance.queue import KINDS, WATCHED, path_of
from bookrunner.pages.shell import mask, told

Row = Mapping[str, Any]

_LISTS = {"discrepancy": "discrepancies", "change": "changes", "diligence": "diligences"}
# Found among the rows of a query by their id.
_AMONG = {
    "owner": ("owners", "owner_id"),
    "report": ("reports", "report_id"),
    "review": ("reviews", "rating_id"),
    "notice": ("notices", "notice_id"),
}
# What the database says of two people, where only the rule's name comes with its refusal.
SENTENCES = {
    "weighty_hit_needs_two_people": "whoever proposed this cannot agree to it; another officer decides",
    "diligence_needs_two_people": "whoever completed this cannot approve it; another officer decides",
    "change_needs_two_people": "whoever asked for this cannot decide it; another person does",
    "filed_report_has_its_proof": "choose the file that proves the filing",
}
# Of an event's content, what says who decided and why; the rest are digests and ids.
_TOLD = ("status", "because", "decided_because", "proposed_by", "decided_by", "completed_by", "valid_until")


def item(database: Database, kind: str, investor: str, name: str) -> dict[str, Any]:
    """Return the facts of one piece of work of an investor; raises NotFound for an unknown one."""
    queries = load(__package__)
    if kind not in KINDS or kind == "hit" or kind in WATCHED:
        raise NotFound(f"there is no work of kind {kind}")
    with database.transaction("compliance") as transaction:
        head = queries.case_file(transaction, investor=investor)
        record: Row | None = head
        if kind in _LISTS:
            found = getattr(queries, _LISTS[kind])(transaction, investor=investor, item=name)
            record = found[0] if found else None
        elif kind == "accreditation":
            record = queries.accreditation(transaction, investor=investor)
        elif kind in _AMONG:
            query, key = _AMONG[kind]
            rows = getattr(queries, query)(transaction, investor=investor)
            record = next((row for row in rows if row[key] == name), None)
        if head is None or record is None:
            raise NotFound(f"there is no {KINDS[kind].lower()} {name} of {investor}")
        beside = {
            each: getattr(queries, each)(transaction, investor=investor)
            for each in (
                "accreditation_methods",
                "accreditation_evidence",
                "contrary",
                "cip_elements",
                "papers",
            )
        }
        beside["reasons"] = queries.tier_reasons(transaction, investor=investor)
    return {
        **beside,
        "head": head,
        "record": record,
        "title": KINDS[kind],
        "percent": percent,
        "identity_papers": IDENTITY_PAPERS,
        "evidence_kinds": sorted(
            {name for row in beside["accreditation_methods"] for name in row["evidence"]}
        ),
        "masked": {field: mask(head[field]) for field in ("legal_name", "address")},
        **frame(kind, investor, name, record),
    }


def frame(kind: str, scope: str, name: str, record: Row) -> dict[str, Any]:
    """Return what every page of a piece of work has: its address, version, choices, and an empty form."""
    return {
        "kind": kind,
        "scope": scope,
        "item": name,
        "address": path_of(kind, scope, name),
        "choices": CHOICES.get((kind, record["status"]), ()),
        "mark": mark,
        "typed": Decision(seen=record["version"]),
        "refusal": None,
        "changed": (),
        "shown": None,
    }


def refused(database: Database, on: tuple[str, str], said: Decision, fault: Refused) -> dict[str, object]:
    """Return a refusal with what was typed; ``on`` is the scope and the id of the record.

    For a version that has changed, what happened since the one that was seen.
    """
    changed: list[dict[str, Any]] = []
    if isinstance(fault, VersionChanged):
        scope, name = on
        with database.transaction("compliance") as transaction:
            events: Sequence[Row] = load(__package__).since(
                transaction, scope=scope, item=name, seen=said.seen
            )
        changed = [{**row, "told": _told(row["payload"])} for row in events]
    return {"refusal": told(fault, SENTENCES), "typed": said, "changed": changed}


def _told(payload: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    told = payload or {}
    return [(name, str(told[name]).removeprefix("key:")) for name in _TOLD if told.get(name) is not None]
