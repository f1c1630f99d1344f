# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: amendments."""

from __future__ import annotations

from bookrunner.client.records import Record, Sent


class AmendmentAnswers(Record):
    """How many investors were asked, and how they answered."""

    asked: int
    declined: int
    lapsed: int
    reconfirmed: int


class Amendment(Record):
    """A change of an offer, the rule of its window, and how the investors have answered."""

    answers: AmendmentAnswers
    because: str | None
    decided_by: str | None
    due_at: str | None
    id: str
    is_material: bool
    ordinal: int
    proposed_by: str
    rule: str | None
    sentence: str
    status: str
    version: str


class AmendmentActed(Record):
    """An amendment after an act, and until when investors answer."""

    due_at: str | None
    id: str
    is_material: bool
    offer: str
    ordinal: int
    status: str
    version: str


class AmendmentDecision(Sent):
    """What the second person decides on an amendment, and why."""

    accepted: bool
    because: str


class Amendments(Record):
    """Amendments by number."""

    amendments: list[Amendment]


class Answer(Sent):
    """Whether the commitment stands on the changed terms."""

    reconfirmed: bool


class NewAmendment(Sent):
    """What changes, whether a reasonable investor would find it important, and the document that says
    it.
    """

    document_sha256: str
    is_material: bool
    sentence: str


class Reconfirmation(Record):
    """What an investor was asked after a material change, and until when."""

    amendment: str
    due_at: str
    id: str
    status: str
    version: str


class Reconfirmations(Record):
    """Questions to one investor."""

    reconfirmations: list[Reconfirmation]
