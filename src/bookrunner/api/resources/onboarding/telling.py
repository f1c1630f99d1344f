"""How the case of an investor is written: every record by its id, its state and its version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bookrunner.api.shapes.moments import instant
from bookrunner.api.shapes.onboarding import (
    Case,
    CaseAccreditation,
    CaseClearance,
    CaseHit,
    Required,
    Stands,
)
from bookrunner.db import Row


def told(head: Row, rest: Mapping[str, Sequence[Row]], accreditation: Row | None) -> Case:
    """Return a case from its rows; ``rest`` are what it requires, its records, hits and clearances."""
    return {
        "id": head["case_id"],
        "investor": head["investor_id"],
        "kind": head["kind"],
        "form": head["form"],
        "status": head["status"],
        "tier": head["tier"],
        "valid_until": _moment(head["valid_until"]),
        "profile_sha256": None if head["detail_digest"] is None else bytes(head["detail_digest"]).hex(),
        "is_as_verified": head["is_as_verified"],
        "elements": list(head["elements"]),
        "required": [_required(row) for row in rest["requires"]],
        "papers": _list(rest["records"], "papers"),
        "parties": _list(rest["records"], "parties"),
        "owners": _list(rest["records"], "owners"),
        "discrepancies": _list(rest["records"], "discrepancies"),
        "diligences": _list(rest["records"], "diligences"),
        "changes": _list(rest["records"], "changes"),
        "review": _review(head),
        "hits": [_hit(row) for row in rest["hits"]],
        "unscreened": list(head["unscreened"]),
        "accreditation": None if accreditation is None else _accreditation(accreditation),
        "clearances": [_clearance(row) for row in rest["clearances"]],
        "programme": head["programme"],
        "version": str(head["version"]),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else instant(moment)


def _list(records: Sequence[Row], name: str) -> list[Stands]:
    return [
        {"id": row["id"], "what": row["what"], "status": row["status"], "version": row["version"]}
        for row in records
        if row["list"] == name
    ]


def _required(row: Row) -> Required:
    return {
        "what": row["what"],
        "code": row["code"],
        "missing": int(row["missing"]),
        "sentence": row["sentence"],
    }


def _review(head: Row) -> Stands | None:
    if head["rating_id"] is None:
        return None
    version = str(head["rating_version"])
    return {"id": head["rating_id"], "what": "review", "status": head["rated"], "version": version}


def _hit(row: Row) -> CaseHit:
    return {
        "id": row["hit_id"],
        "subject": row["subject_id"],
        "source": row["source"],
        "entry": row["entry_id"],
        "score_bp": row["score_bp"],
        "status": row["status"],
        "proposed_by": row["proposed_by"],
        "version": str(row["version"]),
    }


def _accreditation(row: Row) -> CaseAccreditation:
    return {
        "id": row["accreditation_id"],
        "status": row["status"],
        "method": row["method"],
        "valid_until": _moment(row["valid_until"]),
        "evidence": list(row["evidence"]),
        "version": str(row["version"]),
    }


def _clearance(row: Row) -> CaseClearance:
    return {
        "id": row["clearance_id"],
        "offer": row["offering_id"],
        "status": row["status"],
        "exemption": row["exemption"],
        "lacks": list(row["lacks"]),
        "valid_until": _moment(row["valid_until"]),
        "version": str(row["version"]),
    }
