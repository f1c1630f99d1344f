"""What the forms of an application say, as particulars of the packet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bookrunner.core.errors import Refused
from bookrunner.core.money import read_whole

RELATIONS: Final = ("registered owner", "joint owner", "beneficial owner", "control person", "trustee")
_W8: Final = ("W-8BEN", "W-8BEN-E")
FORMS: Final = ("W-9", *_W8)
_MOST_LINES: Final = 20


def particular(kind: str, form: Mapping[str, str], legal_name: str) -> dict[str, Any]:
    """Return the detail of a particular as the form states it.

    Refuses ``tax_form_is_chosen``, ``backup_withholding_is_answered`` and ``lines_name_their_parts``.
    """
    if kind == "tax_form":
        return _tax(form, legal_name)
    if kind == "authority":
        lines = _lines(form.get("signers", ""), 3)
        signers = [{"name": n, "capacity": c, "authority": a} for n, c, a in lines]
        required = read_whole(form.get("required", ""))
        if not required:
            raise Refused("lines_name_their_parts", "say in digits how many of them have to sign")
        return {"signers": signers, "required": required}
    lines = _lines(form.get("owners", ""), 3)
    return {"owners": [_owner(*line) for line in lines]}


def _tax(form: Mapping[str, str], legal_name: str) -> dict[str, Any]:
    chosen = form.get("form", "")
    if chosen == "W-9":
        if form.get("backup_withholding") not in {"yes", "no"}:
            raise Refused("backup_withholding_is_answered", "say yes or no")
        return {
            "form": chosen,
            "name": legal_name,
            "classification": form.get("classification", "").strip(),
            "number_kind": form.get("number_kind", ""),
            "number_ends": form.get("number_ends", "").strip(),
            "backup_withholding": form.get("backup_withholding") == "yes",
            "fatca_code": form.get("fatca_code", "").strip().upper(),
        }
    if chosen in _W8:
        return {
            "form": chosen,
            "name": legal_name,
            "country": form.get("country", "").strip().upper(),
            "foreign_number_ends": form.get("foreign_number_ends", "").strip().upper(),
            "treaty": form.get("treaty", "").strip(),
            "status": form.get("status", "").strip(),
        }
    raise Refused("tax_form_is_chosen", "choose W-9, W-8BEN or W-8BEN-E")


def _owner(name: str, relation: str, share: str) -> dict[str, Any]:
    if relation not in RELATIONS:
        raise Refused("lines_name_their_parts", f"the relation is one of {', '.join(RELATIONS)}")
    whole, _, part = share.rstrip(" %").partition(".")
    points = read_whole(f"{whole or '0'}{part:0<2}") if whole + part and len(part) <= len("00") else None
    if points is None:
        raise Refused("lines_name_their_parts", "the share is a percentage with at most two decimals")
    return {"name": name, "relation": relation, "basis_points": points}


def _lines(text: str, parts: int) -> list[list[str]]:
    lines = [[part.strip() for part in line.split(";")] for line in text.splitlines() if line.strip()]
    if not lines or len(lines) > _MOST_LINES or any(len(line) != parts or not all(line) for line in lines):
        raise Refused("lines_name_their_parts", f"write {parts} parts a line, with semicolons between them")
    return lines
