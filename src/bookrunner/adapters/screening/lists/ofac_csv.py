"""OFAC's own comma-separated files: primary names, aliases, addresses, remarks that ran over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from bookrunner.adapters.screening.lists.assemble import assemble
from bookrunner.adapters.screening.lists.draft import Draft
from bookrunner.adapters.screening.lists.tables import rows, unpacked
from bookrunner.adapters.screening.model import EntryKind, NameStrength, SanctionsList
from bookrunner.core.countries import country_named
from bookrunner.core.errors import Refused

_FILES: Final = {"sdn": 12, "alt": 5, "add": 6, "comments": 2}
_END: Final = b"\r\n\x1a"
_NULL: Final = "-0-"
_KINDS: Final = {
    _NULL: EntryKind.ENTITY,
    "individual": EntryKind.PERSON,
    "vessel": EntryKind.VESSEL,
    "aircraft": EntryKind.AIRCRAFT,
}
_WEAK: Final = re.compile(r"a\.k\.a\. '(.+?)'(?=[;.]|$)")
_WALLET: Final = re.compile(r"Digital Currency Address - ([A-Z0-9]{2,8}) (\S+)")
_COUNTRY: Final = re.compile(r"(?:nationality|citizen|Nationality of Registration) (.+)")
_VALUE: Final = r" (\S*[0-9]\S*)(?: \((.+?)\))?"
_DOCUMENT: Final = re.compile(
    r"((?:Diplomatic )?Passport|SSN|MMSI|SWIFT/BIC|D\.N\.I\.|US FEIN|Driver's License No\.)" + _VALUE
)
_NUMBER: Final = re.compile(r"([A-Za-z][A-Za-z'./#& -]*? (?:No\.|#|Number|ID|IMO))" + _VALUE)
_NO_NUMBER: Final = ("Phone Number", "Fax Number", "Aircraft Tail Number")


def read(files: Mapping[str, bytes], *, published_on: date, code: str = "ofac") -> SanctionsList:
    """Read ``sdn``, ``alt``, ``add`` and ``comments`` (the SDN or the consolidated set), plain or packed.

    Weak aliases, birth dates, identifiers and wallets stand in the remarks, whose overrun in
    ``comments`` is appended first. Refuses ``list_file_is_there`` besides what rows are refused for.
    """
    missing = _FILES.keys() - files.keys()
    if missing:
        raise Refused("list_file_is_there", ", ".join(sorted(missing)))
    table = {name: _rows(name, unpacked(name, files[name])) for name in _FILES}
    overrun = {row[0]: row[1] for row in table["comments"]}
    drafts = {row[0]: _draft(row, overrun.get(row[0], ""), code) for row in table["sdn"]}
    for row in table["alt"]:
        _of(drafts, row, "alt").name(_value(row[3]), NameStrength.STRONG)
    for row in table["add"]:
        _address(_of(drafts, row, "add"), row)
    return assemble(code, {name: files[name] for name in _FILES}, published_on, drafts.values())


def _rows(name: str, content: bytes) -> list[list[str]]:
    # Older publications of the comments lack the end mark that the other files have.
    whole = name == "comments" and content.endswith(b"\r\n")
    return list(rows(name, content, _FILES[name], end=b"\n" if whole else _END))


def _of(drafts: Mapping[str, Draft], row: list[str], name: str) -> Draft:
    found = drafts.get(row[0])
    if found is None:
        raise Refused("listed_entry_is_known", f"{name} names entry {row[0]}")
    return found


def _value(cell: str) -> str:
    return "" if cell.strip() == _NULL else cell


def _draft(row: list[str], overrun: str, code: str) -> Draft:
    number, name, kind, programmes = row[:4]
    if not number.isdigit() or kind.strip() not in _KINDS:
        raise Refused("list_file_is_well_formed", f"sdn: entry {number[:12]}")
    draft = Draft(f"{code}:{number}", _KINDS[kind.strip()])
    draft.name(_value(name), NameStrength.PRIMARY)
    for programme in re.split(r"\]\s*\[", _value(programmes)):
        draft.programme(programme.strip("[] "))
    _remarks(draft, _value(row[11]) + overrun)
    return draft


def _address(draft: Draft, row: list[str]) -> None:
    # An address is free text: a country that is not one of ours counts for nothing.
    if draft.kind is not EntryKind.PERSON and (found := country_named(_value(row[4]))):
        draft.country(found)


def _remarks(draft: Draft, remarks: str) -> None:
    for alias in _WEAK.findall(remarks):
        draft.name(alias, NameStrength.WEAK)
    for part in remarks.split("; "):
        text = part.strip().rstrip(".").removeprefix("alt. ")
        if text.startswith("DOB "):
            draft.born(text[4:])
        elif wallet := _WALLET.fullmatch(text):
            draft.wallet(wallet[1], wallet[2])
        elif country := _COUNTRY.fullmatch(text):
            draft.country(country[1].removeprefix("possibly "))
        elif not text.startswith(_NO_NUMBER) and (number := _DOCUMENT.match(text) or _NUMBER.match(text)):
            draft.identifier(number[1], number[2].rstrip(";."), number[3])
