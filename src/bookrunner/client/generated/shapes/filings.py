# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: filings."""

from __future__ import annotations

from typing import Literal

from bookrunner.client.records import Record, Sent


class FactStated(Record):
    """A fact that a person stated."""

    fact: str
    happened_on: str
    id: str
    offer: str
    version: str


class Filing(Record):
    """One filing: the fact that starts its clock, the day it is due, and how it was met."""

    because: str | None
    citation: str
    clock: str
    due_on: str | None
    ended_by: str | None
    fact_on: str | None
    fact_source: str
    filed_on: str | None
    form: str
    id: str
    is_late: bool
    is_missed: bool
    offer: str
    proof_sha256: str | None
    reference: str | None
    rule: str | None
    state: str | None
    status: str
    version: str


class FilingActed(Record):
    """A filing after an act."""

    due_on: str | None
    filed_on: str | None
    form: str
    id: str
    offer: str
    status: str
    version: str


class FilingItem(Record):
    """One item of a form; its value is null while nobody has filled it, money as a decimal text.

    Of a prepared or filed filing the value is the one that was kept, `value_now` today's where it
    differs.
    """

    citation: str
    code: str
    differs: bool
    is_found: bool
    is_mandatory: bool
    sentence: str
    source: str | None
    unit: str
    value: str | None
    value_now: str | None


class FilingPack(Record):
    """A filing with the items of its form and the mandatory ones that nothing fills."""

    because: str | None
    citation: str
    clock: str
    due_on: str | None
    ended_by: str | None
    fact_on: str | None
    fact_source: str
    filed_on: str | None
    form: str
    id: str
    is_late: bool
    is_missed: bool
    items: list[FilingItem]
    offer: str
    proof_sha256: str | None
    reference: str | None
    rule: str | None
    state: str | None
    status: str
    unfilled: list[str]
    version: str


class FilingReason(Sent):
    """Why a filing is owed no more, or is opened again."""

    because: str


class Filings(Record):
    """What is missed first, then by the day it is due."""

    filings: list[Filing]


class FilledItem(Sent):
    """The value of one item that no book holds, and the record that it comes from."""

    item: str
    source: str
    value: str


class NewFact(Sent):
    """A fact that no book holds, and the document that says it; a sale in a state names it, as `US-CA`."""

    because: str
    document_sha256: str
    fact: Literal["year_end", "state_sale", "change_of_notice", "reportable_event", "end_of_duty"]
    happened_on: str
    place: str | None = None


class NewSubmission(Sent):
    """That a person filed it: the day, the accession or reference number, the digest of the proof."""

    filed_on: str
    proof_sha256: str
    reference: str
