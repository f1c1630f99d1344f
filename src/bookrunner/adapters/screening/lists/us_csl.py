"""The US Consolidated Screening List: lists of Treasury, Commerce and State in one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from bookrunner.adapters.screening.lists.assemble import assemble
from bookrunner.adapters.screening.lists.draft import Draft
from bookrunner.adapters.screening.lists.tables import rows, unpacked
from bookrunner.adapters.screening.model import EntryKind, NameStrength, SanctionsList
from bookrunner.core.countries import country_named
from bookrunner.core.errors import Refused

_COLUMNS: Final = 29
_NEEDED: Final = frozenset(
    {
        "_id",
        "source",
        "type",
        "programs",
        "name",
        "alt_names",
        "citizenships",
        "dates_of_birth",
        "nationalities",
        "ids",
    }
)
_WALLET: Final = "Digital Currency Address - "
_KINDS: Final = {
    "": EntryKind.UNSPECIFIED,
    "Individual": EntryKind.PERSON,
    "Entity": EntryKind.ENTITY,
    "Vessel": EntryKind.VESSEL,
    "Aircraft": EntryKind.AIRCRAFT,
}
_NOT_IDENTIFYING: Final = (
    "Gender", "Additional Sanctions", "Secondary sanctions", "Website", "Transactions Prohibited",
    "Organization", "Executive Order", "Email", "Aircraft M", "Aircraft Operator", "Target Type",
    "Issuer Name", "Former Vessel",
    "Effective Date", "Listing Date", "Purchase", "CAATSA", "IFCA", "Phone", "Fax",
)  # fmt: skip


def read(raw: bytes, *, published_on: date, sources: tuple[str, ...] = ()) -> SanctionsList:
    """Read ``consolidated.csv``, plain or packed; ``sources`` keeps entries whose source starts so.

    Aliases do not say how strong they are and count as strong. Refuses as rows do.
    """
    table = rows("consolidated", unpacked("consolidated", raw), _COLUMNS, end=b"\n")
    header = next(table, [])
    if not set(header) >= _NEEDED:
        raise Refused("list_file_is_well_formed", "consolidated: columns are missing")
    records = (dict(zip(header, row, strict=True)) for row in table)
    kept = (r for r in records if not sources or r["source"].startswith(sources))
    drafts: dict[str, Draft] = {}
    for record in kept:
        _add(drafts, record)
    return assemble("us_csl", {"consolidated": raw}, published_on, drafts.values())


def _parts(cell: str) -> Iterator[str]:
    yield from (part.strip() for part in cell.split(";") if part.strip())


def _add(drafts: dict[str, Draft], record: Mapping[str, str]) -> None:
    """Add a row; a party on several lists has one row on each, all under one id."""
    if record["type"] not in _KINDS:
        raise Refused("list_file_is_well_formed", f"consolidated: entry {record['_id'][:40]}")
    key = record["_id"]
    draft = drafts.setdefault(key, Draft(f"us_csl:{key}", _KINDS[record["type"]]))
    draft.name(record["name"], NameStrength.PRIMARY)
    for alias in _parts(record["alt_names"]):
        draft.name(alias, NameStrength.STRONG)
    for programme in (record["source"].partition(" - ")[0], *_parts(record["programs"])):
        draft.programme(programme)
    for born in _parts(record["dates_of_birth"]):
        draft.born(born)
    for country in (*_parts(record["citizenships"]), *_parts(record["nationalities"])):
        draft.country(country)
    for identifier in _parts(record["ids"]):
        _identifier(draft, identifier)


def _identifier(draft: Draft, text: str) -> None:
    """Read ``country, date, number, kind``, of which only the last two are always there."""
    *before, kind = (part.strip() for part in text.split(","))
    if kind.startswith(_NOT_IDENTIFYING) or not before:
        return
    if kind.startswith(_WALLET):
        draft.wallet(kind.removeprefix(_WALLET), before[-1])
    else:
        draft.identifier(kind, before[-1], country_named(before[0]) if len(before) > 1 else "")
