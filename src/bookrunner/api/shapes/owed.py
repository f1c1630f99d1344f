"""Answers about what offers owe: filings, their packs, and acts on them."""

from __future__ import annotations

from typing_extensions import TypedDict


class Filing(TypedDict):
    """One filing: the fact that starts its clock, the day it is due, and how it was met."""

    id: str
    offer: str
    form: str
    clock: str
    state: str | None
    status: str
    fact_on: str | None
    fact_source: str
    due_on: str | None
    is_missed: bool
    is_late: bool
    rule: str | None
    citation: str
    filed_on: str | None
    reference: str | None
    proof_sha256: str | None
    because: str | None
    version: str


class Filings(TypedDict):
    """What is missed first, then by the day it is due."""

    filings: list[Filing]


class FilingItem(TypedDict):
    """One item of a form; its value is null while nobody has filled it, money as a decimal text."""

    code: str
    sentence: str
    citation: str
    is_mandatory: bool
    is_found: bool
    value: str | None
    unit: str
    source: str | None


class FilingPack(Filing):
    """A filing with the items of its form and the mandatory ones that nothing fills."""

    unfilled: list[str]
    items: list[FilingItem]


class FilingActed(TypedDict):
    """A filing after an act."""

    id: str
    offer: str
    form: str
    status: str
    due_on: str | None
    filed_on: str | None
    version: str


class FactStated(TypedDict):
    """A fact that a person stated."""

    id: str
    offer: str
    fact: str
    happened_on: str
    version: str
