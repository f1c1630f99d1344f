"""The consolidated list of the United Nations Security Council."""

from __future__ import annotations

from typing import Final

from bookrunner.adapters.screening.lists.assemble import assemble
from bookrunner.adapters.screening.lists.draft import Draft
from bookrunner.adapters.screening.lists.stream import Element, day, elements, local, text, under
from bookrunner.adapters.screening.lists.tables import unpacked
from bookrunner.adapters.screening.model import EntryKind, NameStrength, SanctionsList
from bookrunner.core.errors import Refused

_NAME_PARTS: Final = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")
_KINDS: Final = {"INDIVIDUAL": EntryKind.PERSON, "ENTITY": EntryKind.ENTITY}


def read(raw: bytes) -> SanctionsList:
    """Read the published XML, plain or packed; the day is that of its generation.

    Ids are the reference numbers (``un:QDi.001``), which stay when the rest changes. Aliases of
    quality ``Low`` are weak. Refuses as elements do, and ``list_names_its_day``.
    """
    content = unpacked("un", raw)
    generated = ""
    drafts: list[Draft] = []
    for element in elements("un", content, "CONSOLIDATED_LIST", *_KINDS):
        if local(element) == "CONSOLIDATED_LIST":
            generated = element.get("dateGenerated", "")
        else:
            drafts.append(_draft(element))
    return assemble("un", {"un": raw}, day("un", generated), drafts)


def _draft(element: Element) -> Draft:
    kind = local(element)
    reference = text(element, "REFERENCE_NUMBER")
    if not reference:
        raise Refused("list_file_is_well_formed", "un: an entry has no reference number")
    draft = Draft(f"un:{reference}", _KINDS[kind])
    draft.name(" ".join(filter(None, (text(element, part) for part in _NAME_PARTS))), NameStrength.PRIMARY)
    draft.name(text(element, "NAME_ORIGINAL_SCRIPT"), NameStrength.STRONG)
    draft.programme(text(element, "UN_LIST_TYPE"))
    for alias in under(element, f"{kind}_ALIAS"):
        weak = text(alias, "QUALITY").lower() == "low"
        draft.name(text(alias, "ALIAS_NAME"), NameStrength.WEAK if weak else NameStrength.STRONG)
    for born in under(element, "INDIVIDUAL_DATE_OF_BIRTH"):
        _born(draft, born)
    for nationality in under(element, "NATIONALITY/VALUE"):
        draft.country(nationality.text)
    for document in under(element, "INDIVIDUAL_DOCUMENT"):
        draft.identifier(
            text(document, "TYPE_OF_DOCUMENT"),
            text(document, "NUMBER"),
            text(document, "ISSUING_COUNTRY") or text(document, "COUNTRY_OF_ISSUE"),
        )
    return draft


def _born(draft: Draft, born: Element) -> None:
    about = "circa " if text(born, "TYPE_OF_DATE").upper() == "APPROXIMATELY" else ""
    first, last = text(born, "FROM_YEAR"), text(born, "TO_YEAR")
    exact = text(born, "DATE") or text(born, "YEAR")
    if exact:
        draft.born(about + exact)
    elif first and last:
        draft.born(f"{about}{first} to {last}")
