# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: agreements."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, JsonValue

from bookrunner.client.records import Exact, Record, Sent


class Acknowledged(Sent):
    """One material received, one risk acknowledged or one representation made."""

    code: str
    kind: Literal["material", "risk", "representation"]
    version: int


class Signatures(Record):
    """Who has to sign an agreement, and who has."""

    made: list[str]
    required: list[str]


class AgreementFiles(Record):
    """The SHA-256 of each file of an agreement, null while there is none."""

    certificate_sha256: str | None
    document_sha256: str | None
    executed_sha256: str | None
    signed_sha256: str | None


class Agreement(Record):
    """An agreement with its files, its signatures and its review."""

    amount: Exact
    files: AgreementFiles
    id: str
    investment: str
    offer: str
    ordinal: int
    review: str | None
    signatures: Signatures
    status: str
    units: str
    version: str
    void_because: str | None


class Answered(Sent):
    """The investor's answer to one deficiency."""

    answer: str
    deficiency: str


class Consented(Sent):
    """Which sample was opened, and the code that is printed in it."""

    code: str
    sample: str


class Countersignature(Record):
    """What an officer would countersign, or the rule and the conditions that keep it."""

    agreement: str
    hindrance: str | None
    investment: str
    missing: JsonValue
    signed_sha256: str
    units: str


class Countersignatures(Record):
    """What waits for this officer."""

    countersignatures: list[Countersignature]


class Deficiencies(Record):
    """What reviews found; the words of it are for the book's own keys."""

    deficiencies: list[dict[str, JsonValue]]


class Fault(Sent):
    """One deficiency: where it is, of which kind, and what the investor reads."""

    field: str
    page: int
    reason: Literal["missing", "illegible", "inconsistent", "name_differs", "capacity", "expired", "other"]
    words: str


class HandedOver(Sent):
    """Which e-sign provider carries a packet, and until when its signers may sign there."""

    expires_at: AwareDatetime
    provider: str


class Known(Sent):
    """How a portal knew the person who signed: its method, moment, address, browser and session."""

    address: str
    agent: str
    authenticated_at: AwareDatetime
    method: str
    session: str


class Intent(Sent):
    """The sentence that the signer was shown and agreed to, and how it was known.

    `party` names one of several signers of an investor by the field of its signature.
    """

    intent: str
    evidence: Known | None = None
    party: str | None = None


class Link(Record):
    """The path of one file for one reader."""

    path: str


class Linked(Sent):
    """Which file of an agreement, for whom, for how long."""

    file: Literal["document", "signed", "executed", "certificate"]
    minutes: int
    reader: str


class Particular(Sent):
    """One thing that an investor states; the template's schema says what its detail holds."""

    detail: dict[str, JsonValue]
    kind: Literal["tax_form", "authority", "ownership"]


class Released(Sent):
    """The file that the reviewer saw, by its SHA-256."""

    seen_sha256: str


class Returned(Sent):
    """The file that the reviewer saw, and why it goes back."""

    deficiencies: list[Fault]
    seen_sha256: str


class Step(Record):
    """A step of an application, and what still lacks before the agreement can be asked for."""

    id: str
    investment: str
    lacks: list[JsonValue]
    offer: str
    version: str
