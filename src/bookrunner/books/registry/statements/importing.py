"""A register from an open file: judged object by object, then proposed on written authority."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from bookrunner.adapters.captable import ENDINGS, Fault, Item, Package, read_package
from bookrunner.core.ids import new_id
from bookrunner.db import Keeper

_COLUMNS: Final = ("security", "investor", "units", "legend", "acquired_on", "period_from")
_CLASS: Final = "stock_classes_files"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Judged:
    """What a file would post, a line for each security that stands, and every fault of it."""

    lines: list[Item]
    faults: list[Fault]

    @property
    def units(self) -> int:
        """The units that the lines come to."""
        return sum(line["units"] for line in self.lines)


def judge_package(raw: bytes) -> Judged:
    """Return what a package would post, with the faults of files, objects and what they say together.

    Rules beside those of the package: ``package_has_one_class``, ``reference_is_known``, ``units_are_whole``,
    ``security_ends_once``, ``transfer_keeps_its_units``, ``text_is_no_formula``.
    Refuses what `read_package` refuses.
    """
    package = read_package(raw)
    faults = list(package.faults)
    if len(package.objects[_CLASS]) != 1:
        faults.append(Fault(_CLASS, "", "package_has_one_class", f"{len(package.objects[_CLASS])} classes"))
    issued = _issuances(package, faults)
    standing = dict(issued)
    for one in package.objects["transactions_files"]:
        if one["object_type"] in ENDINGS:
            _end(one, (issued, standing), faults)
    legends = {one["id"]: one["text"] for one in package.objects["stock_legend_templates_files"]}
    holders = {
        one["id"]: one.get("issuer_assigned_id") or one["id"] for one in package.objects["stakeholders_files"]
    }
    lines = [_line(one, holders, legends) for _, one in sorted(standing.items())]
    faults += [
        Fault("transactions", line["security"], "text_is_no_formula", "a spreadsheet would run it")
        for line in lines
        if _has_formula(line)
    ]
    return Judged(lines, faults)


def judge_csv(text: str) -> Judged:
    """Return what a table would post; its columns are those that `export_csv` writes.

    Rules: ``table_has_its_columns``, ``row_has_its_shape``, ``id_is_used_once``.
    """
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != _COLUMNS:
        return Judged([], [Fault("row 1", "", "table_has_its_columns", ", ".join(_COLUMNS))])
    judged, seen = Judged([], []), set[str]()
    for number, row in enumerate(reader, start=2):
        place, named = f"row {number}", row["security"] or ""
        line = _read_row(row)
        if line is None:
            judged.faults.append(Fault(place, named, "row_has_its_shape", "units, a day or a text is unfit"))
        elif named in seen:
            judged.faults.append(Fault(place, named, "id_is_used_once", "two rows have this security"))
        else:
            judged.lines.append(line)
        seen.add(named)
    return judged


def judge_holders(registry: Keeper, offering: str, judged: Judged) -> Judged:
    """Add what the books say: ``holder_has_a_profile``, ``issue_stays_within_authorised``; writes nothing."""
    named = sorted({line["investor"] for line in judged.lines})
    unknown = [row["investor_id"] for row in registry.unknown_investors(investors=named)]
    faults = [*judged.faults]
    faults += [
        Fault("stakeholders", one, "holder_has_a_profile", "the portal knows nobody so") for one in unknown
    ]
    book = registry.balance(offering=offering)
    if book is None or judged.units > book["authorised_units"]:
        most = 0 if book is None else book["authorised_units"]
        faults.append(
            Fault("transactions", "", "issue_stays_within_authorised", f"{judged.units} of {most} units")
        )
    return Judged(judged.lines, faults)


def propose_import(
    registry: Keeper, on: tuple[str, str], judged: Judged, authority: Mapping[str, object]
) -> str:
    """Propose what a file without faults would post; return the import's id, which a second person decides.

    ``on`` is offering and actor; ``authority`` has file_sha256, authority_sha256 (hex) and reference. Refuses
    ``import_enters_an_empty_register`` and what the constraints of an import refuse.
    """
    offering, actor = on
    made = new_id("imp")
    registry.propose_import(
        actor=actor, offering=offering, import_id=made, said=dict(authority), lines=judged.lines
    )
    return made


def export_csv(registry: Keeper, offering: str) -> str:
    """Return every lot with units left as CSV, in the columns that `judge_csv` reads."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in registry.export_lots(offering=offering):
        if row["left_units"]:
            days = (row["acquired_on"].isoformat(), row["period_from"].isoformat())
            writer.writerow(
                [row["lot_id"], row["investor_id"], row["left_units"], row["legend"] or "", *days]
            )
    return out.getvalue()


def _issuances(package: Package, faults: list[Fault]) -> dict[str, Item]:
    known = {
        key: {one["id"] for one in package.objects[key]}
        for key in ("stakeholders_files", _CLASS, "stock_legend_templates_files")
    }
    issued: dict[str, Item] = {}
    for one in package.objects["transactions_files"]:
        if one["object_type"] != "TX_STOCK_ISSUANCE":
            continue
        wanted = [(_CLASS, one["stock_class_id"]), ("stakeholders_files", one["stakeholder_id"])]
        wanted += [("stock_legend_templates_files", legend) for legend in one["stock_legend_ids"]]
        lost = [named for key, named in wanted if named not in known[key]]
        if lost:
            faults.append(Fault("transactions", one["id"], "reference_is_known", ", ".join(lost)))
        if not one["quantity"].isdigit() or int(one["quantity"]) < 1:
            faults.append(Fault("transactions", one["id"], "units_are_whole", one["quantity"]))
        elif one["security_id"] in issued:
            faults.append(Fault("transactions", one["id"], "id_is_used_once", one["security_id"]))
        elif not lost:
            issued[one["security_id"]] = one
    return issued


def _end(one: Item, known: tuple[Mapping[str, Item], dict[str, Item]], faults: list[Fault]) -> None:
    """End a security; of a transfer or a repurchase, its units are those of what comes from it and goes."""
    issued, standing = known
    made = [
        *one.get("resulting_security_ids", ()),
        *([one["balance_security_id"]] if "balance_security_id" in one else []),
    ]
    lost = [named for named in (one["security_id"], *made) if named not in issued]
    if lost:
        faults.append(Fault("transactions", one["id"], "reference_is_known", ", ".join(lost)))
        return
    if standing.pop(one["security_id"], None) is None:
        faults.append(Fault("transactions", one["id"], "security_ends_once", one["security_id"]))
    had, has = int(issued[one["security_id"]]["quantity"]), sum(int(issued[n]["quantity"]) for n in made)
    if one["object_type"] == "TX_STOCK_REPURCHASE":
        if not one["quantity"].isdigit():
            faults.append(Fault("transactions", one["id"], "units_are_whole", one["quantity"]))
            return
        has += int(one["quantity"])
    if had != has and one["object_type"] in {"TX_STOCK_TRANSFER", "TX_STOCK_REPURCHASE"}:
        faults.append(Fault("transactions", one["id"], "transfer_keeps_its_units", f"{had} became {has}"))


def _line(one: Item, holders: Mapping[str, str], legends: Mapping[str, str]) -> Item:
    said = dict(comment.split(" ", 1) for comment in one.get("comments", ()) if " " in comment)
    acquired = said.get("acquired_on", one["date"])
    return {
        "security": one["security_id"],
        "investor": holders[one["stakeholder_id"]],
        "units": int(one["quantity"]),
        "legend": "; ".join(legends[named] for named in one["stock_legend_ids"]) or None,
        "acquired_on": acquired,
        "period_from": said.get("period_from", acquired),
    }


def _read_row(row: Mapping[str, str | None]) -> Item | None:
    units = row["units"] or ""
    try:
        days = [date.fromisoformat(row[name] or "").isoformat() for name in ("acquired_on", "period_from")]
    except ValueError:
        return None
    if not (units.isascii() and units.isdigit() and int(units) and row["security"] and row["investor"]):
        return None
    if _has_formula(row):
        return None
    named = {"security": row["security"], "investor": row["investor"], "legend": row["legend"] or None}
    return {**named, "units": int(units), "acquired_on": days[0], "period_from": days[1]}


def _has_formula(line: Mapping[str, object]) -> bool:
    """Say whether a spreadsheet that opens a table of these texts would run one (CWE-1236)."""
    return any(str(line[name] or "").startswith(_FORMULA) for name in ("security", "investor", "legend"))
