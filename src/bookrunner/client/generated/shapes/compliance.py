# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: compliance."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from bookrunner.client.records import Record, Sent


class AccreditationDecision(Sent):
    """Approved by a listed method, sent back for more evidence, taken up again, or declined."""

    because: str
    decision: Literal["approved", "info_required", "pending", "declined"]
    programme: str
    method: str | None = None
    valid_until: AwareDatetime | None = None


class Stands(Record):
    """One record of a case: what it is, how it stands, and the version that a decision names."""

    id: str
    status: str
    version: str
    what: str


class Required(Record):
    """A paper or a party that the kind of an investor needs and that is not on file."""

    code: str
    missing: int
    sentence: str
    what: str


class CaseHit(Record):
    """A possible match of somebody behind the investor with an entry of a list."""

    entry: str
    id: str
    proposed_by: str | None
    score_bp: int
    source: str
    status: str
    subject: str
    version: str


class CaseClearance(Record):
    """A clearance: computed from the checks, with those that it lacks."""

    exemption: str
    id: str
    lacks: list[str]
    offer: str
    status: str
    valid_until: str | None
    version: str


class CaseAccreditation(Record):
    """The accreditation of an investor, and the kinds of evidence on file."""

    evidence: list[str]
    id: str
    method: str | None
    status: str
    valid_until: str | None
    version: str


class Case(Record):
    """The case of an investor with every check, by ids; `programme` is what decisions are made under."""

    accreditation: CaseAccreditation | None
    changes: list[Stands]
    clearances: list[CaseClearance]
    diligences: list[Stands]
    discrepancies: list[Stands]
    elements: list[str]
    form: str
    hits: list[CaseHit]
    id: str
    investor: str
    is_as_verified: bool
    kind: str
    owners: list[Stands]
    papers: list[Stands]
    parties: list[Stands]
    profile_sha256: str | None
    programme: str
    required: list[Required]
    review: Stands | None
    status: str
    tier: str | None
    unscreened: list[str]
    valid_until: str | None
    version: str


class ClearanceOpened(Record):
    """A clearance as it was computed when it was opened."""

    id: str
    investor: str
    lacks: list[str]
    offer: str
    status: str
    version: str


class Decided(Sent):
    """A decision under the programme that was seen, and why."""

    because: str
    programme: str


class DiligenceDecision(Sent):
    """The findings, which `because` has and which are sealed, and then a second officer's word on them."""

    because: str
    decision: Literal["completed", "approved", "sent_back"]
    programme: str


class DiscrepancyDecision(Sent):
    """Whether a difference is explained, or stays in the way."""

    because: str
    decision: Literal["resolved", "upheld"]
    programme: str


class FileKept(Record):
    """A kept file by its SHA-256, by which papers and decisions name it."""

    investor: str
    sha256: str
    version: str


class HitDecision(Sent):
    """A first decision on a hit, a second person's, or the proposal to end a block by its paper."""

    because: str
    decision: Literal["no_match", "confirmed", "escalated", "agreed", "sent_back", "release"]
    programme: str
    evidence_sha256: str | None = None


class IdentityDecision(Sent):
    """Verified with everything that it rests on, or declined.

    `because` is sealed as the evidence of a verification; of a decline it stands on the record, which
    every book reads: it then says nothing of the person.

    Documents are papers on file, sources what else was asked; `profile_sha256` names the version
    verified.
    """

    because: str
    decision: Literal["verified", "declined"]
    programme: str
    documents: list[str] | None = None
    elements: list[str] | None = None
    method: Literal["documentary", "non_documentary"] | None = None
    profile_sha256: str | None = None
    sources: list[str] | None = None
    valid_until: AwareDatetime | None = None


class NewCase(Sent):
    """The legal form of an entity, which decides its papers; the kind is that of the profile."""

    form: Literal["", "llc", "corporation", "partnership", "fund"] | None = None


class NewClearance(Sent):
    """Whose clearance for the offer is opened; every check of it is computed from then on."""

    investor: str


class NewEvidence(Sent):
    """A kept file as evidence of an accreditation; a method names the kinds that it asks for."""

    kind: str
    sha256: str


class NewFile(Sent):
    """A paper as PDF, in base64; sealed under a key of the investor's own."""

    content: str


class NewPaper(Sent):
    """What a kept file is, and until when it is in force."""

    code: str
    sha256: str
    issued_on: str | None = None
    valid_until: AwareDatetime | None = None


class NewParty(Sent):
    """A person beside an investor; a representative has an account, a scope and the paper that gives
    it.
    """

    name: str
    role: Literal["joint_holder", "representative", "trustee", "custodian", "beneficiary", "grantor"]
    account: str | None = None
    document_sha256: str | None = None
    scope: list[str] | None = None
    valid_until: AwareDatetime | None = None


class OwnersTaken(Record):
    """The id that each owner of a statement got; nobody's name."""

    id: str
    investor: str
    owners: dict[str, str]
    version: str


class Reference(Sent):
    """Why a statement of owners is taken into the record."""

    because: str


class Verified(Sent):
    """Somebody behind or beside an investor is who was said; `because` is sealed as the evidence."""

    because: str
    programme: str
