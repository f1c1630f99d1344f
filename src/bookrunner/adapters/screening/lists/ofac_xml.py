"""OFAC's XML files: the enhanced format, and the standard format of ``SDN.XML`` and ``CONSOLIDATED.XML``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from bookrunner.adapters.screening.lists.assemble import assemble
from bookrunner.adapters.screening.lists.draft import Draft
from bookrunner.adapters.screening.lists.stream import Element, day, elements, local, text, under
from bookrunner.adapters.screening.lists.tables import unpacked
from bookrunner.adapters.screening.model import EntryKind, NameStrength, SanctionsList
from bookrunner.core.errors import Refused

_KINDS: Final = {
    "individual": EntryKind.PERSON,
    "entity": EntryKind.ENTITY,
    "vessel": EntryKind.VESSEL,
    "aircraft": EntryKind.AIRCRAFT,
}
_WALLET: Final = "Digital Currency Address - "
_COUNTRY_FEATURES: Final = ("Nationality Country", "Citizenship Country", "Nationality of Registration")
_NUMBER_FEATURES: Final = ("SWIFT/BIC", "ISIN", "BIK (RU)", "MMSI")


def read_enhanced(raw: bytes, *, code: str = "ofac") -> SanctionsList:
    """Read ``SDN_ENHANCED.XML`` or ``CONS_ENHANCED.XML``, plain or zipped; the day is in the file.

    A name in another script counts like its romanised form. Refuses as elements do, and
    ``list_names_its_day``.
    """
    content = unpacked("enhanced", raw)
    published: list[str] = []

    def drafts() -> Iterator[Draft]:
        for element in elements("enhanced", content, "sanctionsData", "publicationInfo", "entity"):
            if local(element) == "publicationInfo":
                published.append(text(element, "dataAsOf"))
            elif local(element) == "entity":
                yield _enhanced(element, code)

    found = list(drafts())
    return assemble(code, {"enhanced": raw}, _only(published), found)


def read_standard(raw: bytes, *, code: str = "ofac") -> SanctionsList:
    """Read ``SDN.XML`` or ``CONSOLIDATED.XML``, plain or zipped; the day is in the file.

    Refuses as elements do, and ``list_names_its_day``.
    """
    content = unpacked("standard", raw)
    published: list[str] = []
    found: list[Draft] = []
    for element in elements("standard", content, "sdnList", "publshInformation", "sdnEntry"):
        if local(element) == "publshInformation":
            month, _, rest = text(element, "Publish_Date").partition("/")
            number, _, year = rest.partition("/")
            published.append(f"{year}-{month:0>2}-{number:0>2}")
        elif local(element) == "sdnEntry":
            found.append(_standard(element, code))
    return assemble(code, {"standard": raw}, _only(published), found)


def _only(published: list[str]) -> date:
    return day("ofac", published[0] if published else "")


def _kind(written: str, entry: str) -> EntryKind:
    found = _KINDS.get(written.strip().lower())
    if found is None:
        raise Refused("list_file_is_well_formed", f"entry {entry[:12]} is of no known kind")
    return found


def _enhanced(element: Element, code: str) -> Draft:
    number = element.get("id", "")
    draft = Draft(f"{code}:{number}", _kind(text(element, "generalInfo/entityType"), number))
    for name in sorted(under(element, "names/name"), key=lambda n: text(n, "isPrimary") != "true"):
        strength = _strength(name)
        for full in under(name, "translations/translation/formattedFullName"):
            draft.name(full.text, strength)
    for programme in under(element, "sanctionsPrograms/sanctionsProgram"):
        draft.programme(programme.text)
    for feature in under(element, "features/feature"):
        _feature(draft, feature)
    for document in under(element, "identityDocuments/identityDocument"):
        draft.identifier(
            text(document, "type"), text(document, "documentNumber"), text(document, "issuingCountry")
        )
    return draft


def _strength(name: Element) -> NameStrength:
    if text(name, "isLowQuality") == "true":
        return NameStrength.WEAK
    return NameStrength.PRIMARY if text(name, "isPrimary") == "true" else NameStrength.STRONG


def _feature(draft: Draft, feature: Element) -> None:
    kind, value = text(feature, "type"), text(feature, "value")
    if kind == "Birthdate":
        draft.born(value)
    elif kind.startswith(_WALLET):
        draft.wallet(kind.removeprefix(_WALLET), value)
    elif kind in _COUNTRY_FEATURES:
        draft.country(value)
    elif kind in _NUMBER_FEATURES:
        draft.identifier(kind, value)


def _standard(element: Element, code: str) -> Draft:
    number = text(element, "uid")
    draft = Draft(f"{code}:{number}", _kind(text(element, "sdnType"), number))
    draft.name(f"{text(element, 'lastName')}, {text(element, 'firstName')}", NameStrength.PRIMARY)
    for alias in under(element, "akaList/aka"):
        weak = text(alias, "category").lower() == "weak"
        draft.name(
            f"{text(alias, 'lastName')}, {text(alias, 'firstName')}",
            NameStrength.WEAK if weak else NameStrength.STRONG,
        )
    for programme in under(element, "programList/program"):
        draft.programme(programme.text)
    for born in under(element, "dateOfBirthList/dateOfBirthItem/dateOfBirth"):
        draft.born(born.text or "")
    for path in ("nationalityList/nationality/country", "citizenshipList/citizenship/country"):
        for country in under(element, path):
            draft.country(country.text)
    for document in under(element, "idList/id"):
        kind, value = text(document, "idType"), text(document, "idNumber")
        if kind.startswith(_WALLET):
            draft.wallet(kind.removeprefix(_WALLET), value)
        elif kind != "Gender":
            draft.identifier(kind, value, text(document, "idCountry"))
    return draft
