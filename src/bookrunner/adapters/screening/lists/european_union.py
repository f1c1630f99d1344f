"""The consolidated financial sanctions list of the European Union, format 1.1."""

from __future__ import annotations

from typing import Final

from bookrunner.adapters.screening.lists.assemble import assemble
from bookrunner.adapters.screening.lists.draft import Draft
from bookrunner.adapters.screening.lists.stream import Element, day, elements, local, under
from bookrunner.adapters.screening.lists.tables import unpacked
from bookrunner.adapters.screening.model import EntryKind, NameStrength, SanctionsList
from bookrunner.core.errors import Refused

_KINDS: Final = {"person": EntryKind.PERSON, "enterprise": EntryKind.ENTITY}
_UNKNOWN_COUNTRY: Final = "00"


def read(raw: bytes) -> SanctionsList:
    """Read the published XML, plain or packed; the day is that of its generation.

    Ids are the EU reference numbers (``eu:EU.27.28``). Aliases marked as not strong are weak.
    Refuses as elements do, and ``list_names_its_day``.
    """
    content = unpacked("eu", raw)
    generated = ""
    drafts: list[Draft] = []
    for element in elements("eu", content, "export", "sanctionEntity"):
        if local(element) == "export":
            generated = element.get("generationDate", "")
        else:
            drafts.append(_draft(element))
    return assemble("eu", {"eu": raw}, day("eu", generated), drafts)


def _draft(element: Element) -> Draft:
    reference = element.get("euReferenceNumber") or element.get("logicalId") or ""
    subject = next(under(element, "subjectType"), None)
    kind = _KINDS.get(subject.get("code", "") if subject is not None else "")
    if not reference or kind is None:
        raise Refused("list_file_is_well_formed", f"eu: entry {reference[:40]} has no reference or kind")
    draft = Draft(f"eu:{reference}", kind)
    _names(draft, element)
    for regulation in under(element, "regulation"):
        draft.programme(regulation.get("programme"))
    for born in under(element, "birthdate"):
        _born(draft, born)
    for citizenship in under(element, "citizenship"):
        _country(draft, citizenship)
    for document in under(element, "identification"):
        draft.identifier(
            document.get("identificationTypeDescription") or document.get("identificationTypeCode") or "",
            document.get("number") or document.get("latinNumber"),
            document.get("countryIso2Code"),
        )
    return draft


def _names(draft: Draft, element: Element) -> None:
    first = True
    for alias in under(element, "nameAlias"):
        weak = alias.get("strong") == "false"
        whole = alias.get("wholeName") or " ".join(
            filter(None, (alias.get(part) for part in ("firstName", "middleName", "lastName")))
        )
        draft.name(
            whole, NameStrength.WEAK if weak else NameStrength.PRIMARY if first else NameStrength.STRONG
        )
        first = first and weak


def _born(draft: Draft, born: Element) -> None:
    about = "circa " if born.get("circa") == "true" else ""
    first, last = born.get("yearRangeFrom"), born.get("yearRangeTo")
    exact = born.get("birthdate") or born.get("year")
    if exact:
        draft.born(about + exact)
    elif first and last:
        draft.born(f"{about}{first} to {last}")


def _country(draft: Draft, citizenship: Element) -> None:
    code = citizenship.get("countryIso2Code") or ""
    if code != _UNKNOWN_COUNTRY:
        draft.country(code or citizenship.get("countryDescription"))
