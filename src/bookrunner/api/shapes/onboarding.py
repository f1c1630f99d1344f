"""What onboarding reads and answers: profiles, the case of an investor, and an officer's decisions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from typing_extensions import TypedDict

from bookrunner.api.shapes import (
    AccountId,
    Because,
    InvestorId,
    Programme,
    Sha256,
    Shape,
)
from bookrunner.api.shapes.moments import Moment

_ID = "[0-9A-Za-z_]{1,64}"
PartyId = Annotated[str, StringConstraints(pattern=f"^pty_{_ID}$")]
OwnerId = Annotated[str, StringConstraints(pattern=f"^own_{_ID}$")]
PaperId = Annotated[str, StringConstraints(pattern=f"^doc_{_ID}$")]
ChangeId = Annotated[str, StringConstraints(pattern=f"^chg_{_ID}$")]
StatementId = Annotated[str, StringConstraints(pattern=f"^ows_{_ID}$")]
RecordId = Annotated[str, StringConstraints(pattern=f"^{_ID}$")]
_Line = Annotated[str, StringConstraints(min_length=1, max_length=400)]
_Code = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,59}$")]


def _calendar_day(written: str) -> str:
    """Return a day that the calendar has; raises ValueError for another."""
    return date.fromisoformat(written).isoformat()


Day = Annotated[str, StringConstraints(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_calendar_day)]
_Reference = Annotated[str, StringConstraints(max_length=200, pattern=r"\S")]


class Detail(Shape):
    """Who an investor says it is: ``tax_id`` and ``birth_date`` are sealed and come back by a look alone."""

    legal_name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
    address: Annotated[str, StringConstraints(min_length=5, max_length=400)]
    tax_id: Annotated[str, StringConstraints(pattern="^[0-9-]{9,11}$")]
    tax_id_kind: Literal["ssn", "itin", "ein"] | None = None
    birth_date: Day | None = None
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)]
    representative: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    lei: Annotated[str, StringConstraints(pattern="^[0-9A-Z]{18}[0-9]{2}$")] | None = None

    def said(self) -> dict[str, object]:
        """Return the fields that were given."""
        return self.model_dump(exclude_none=True)


class NewProfile(Shape):
    """A new investor: the account that speaks for it, what it is, and who it says it is.

    An entity, trust or nominee names its representative.
    """

    account: AccountId
    kind: Literal["individual", "joint", "entity", "trust", "retirement", "nominee"]
    detail: Detail


class NewDetail(Shape):
    """The next version of a profile that nobody has verified yet."""

    detail: Detail


class NewChange(Shape):
    """The next version of a verified profile, why, and the SHA-256 of what shows it."""

    detail: Detail
    because: Because
    evidence_sha256: Sha256


class Look(Shape):
    """Which version of a profile is looked at, the one in force unless another is named, and for what."""

    purpose: Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=r"\S")]
    detail_version: Annotated[int, Field(ge=1, le=10**6)] | None = None


class Purpose(Shape):
    """What something is looked at for; it is kept with who looked."""

    purpose: Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=r"\S")]


class NewCase(Shape):
    """The legal form of an entity, which decides its papers; the kind is that of the profile."""

    form: Literal["", "llc", "corporation", "partnership", "fund"] = ""


class NewFile(Shape):
    """A paper as PDF, in base64; sealed under a key of the investor's own."""

    content: Annotated[
        str, StringConstraints(min_length=1, max_length=4_000_000, pattern="^[A-Za-z0-9+/]+={0,2}$")
    ]


class NewPaper(Shape):
    """What a kept file is, and until when it is in force."""

    code: _Code
    sha256: Sha256
    issued_on: Day | None = None
    valid_until: Moment | None = None


class NewParty(Shape):
    """A person beside an investor; a representative has an account, a scope and the paper that gives it."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    role: Literal["joint_holder", "representative", "trustee", "custodian", "beneficiary", "grantor"]
    account: AccountId | None = None
    scope: Annotated[tuple[_Code, ...], Field(max_length=10, strict=False)] = ()
    document_sha256: Sha256 | None = None
    valid_until: Moment | None = None


class NewEvidence(Shape):
    """A kept file as evidence of an accreditation; a method names the kinds that it asks for."""

    kind: _Code
    sha256: Sha256


class NewClearance(Shape):
    """Whose clearance for the offer is opened; every check of it is computed from then on."""

    investor: InvestorId


class Decided(Shape):
    """A decision under the programme that was seen, and why."""

    programme: Programme
    because: Because


class IdentityDecision(Decided):
    """Verified with everything that it rests on, or declined.

    ``because`` is sealed as the evidence of a verification; of a decline it stands on the record, which every
    book reads: it then says nothing of the person.

    Documents are papers on file, sources what else was asked; ``profile_sha256`` names the version verified.
    """

    decision: Literal["verified", "declined"]
    method: Literal["documentary", "non_documentary"] = "documentary"
    elements: Annotated[tuple[_Code, ...], Field(max_length=20, strict=False)] = ()
    documents: Annotated[tuple[PaperId, ...], Field(max_length=20, strict=False)] = ()
    sources: Annotated[tuple[_Line, ...], Field(max_length=20, strict=False)] = ()
    profile_sha256: Sha256 | None = None
    valid_until: Moment | None = None


class Verified(Decided):
    """Somebody behind or beside an investor is who was said; ``because`` is sealed as the evidence."""


class DiscrepancyDecision(Decided):
    """Whether a difference is explained, or stays in the way."""

    decision: Literal["resolved", "upheld"]


class AccreditationDecision(Decided):
    """Approved by a listed method, sent back for more evidence, taken up again, or declined."""

    decision: Literal["approved", "info_required", "pending", "declined"]
    method: _Code | None = None
    valid_until: Moment | None = None


class DiligenceDecision(Decided):
    """The findings, which ``because`` has and which are sealed, and then a second officer's word on them."""

    decision: Literal["completed", "approved", "sent_back"]


class HitDecision(Decided):
    """A first decision on a hit, a second person's, or the proposal to end a block by its paper."""

    decision: Literal["no_match", "confirmed", "escalated", "agreed", "sent_back", "release"]
    evidence_sha256: Sha256 | None = None


class ChangeDecision(Decided):
    """Whether a requested change of a profile becomes its next version."""

    approved: bool


class Reference(Shape):
    """Why a statement of owners is taken into the record."""

    because: _Reference


class ProfileActed(TypedDict):
    """A profile after an act; of what it says, only the digest."""

    id: str
    status: str
    detail_version: int
    detail_sha256: str
    version: str


class Profile(TypedDict):
    """A profile by what is no secret: what it is, how it stands, where it is at home, which fields it has."""

    id: str
    account: str
    kind: str
    status: str
    country: str | None
    given: list[str]
    detail_version: int
    detail_sha256: str
    version: str


class ProfileSeen(TypedDict):
    """The fields of one version of a profile; that somebody looked is on record."""

    investor: str
    detail_version: int
    fields: dict[str, str]


class ChangedField(TypedDict):
    """One field of a requested change, before and after."""

    name: str
    before: str
    after: str


class ChangeSeen(TypedDict):
    """What a requested change would change; that somebody looked is on record."""

    id: str
    investor: str
    fields: list[ChangedField]


class FileKept(TypedDict):
    """A kept file by its SHA-256, by which papers and decisions name it."""

    investor: str
    sha256: str
    version: str


class OwnersTaken(TypedDict):
    """The id that each owner of a statement got; nobody's name."""

    id: str
    investor: str
    owners: dict[str, str]
    version: str


class ClearanceOpened(TypedDict):
    """A clearance as it was computed when it was opened."""

    id: str
    offer: str
    investor: str
    status: str
    lacks: list[str]
    version: str


class Required(TypedDict):
    """A paper or a party that the kind of an investor needs and that is not on file."""

    what: str
    code: str
    missing: int
    sentence: str


class Stands(TypedDict):
    """One record of a case: what it is, how it stands, and the version that a decision names."""

    id: str
    what: str
    status: str
    version: str


class CaseHit(TypedDict):
    """A possible match of somebody behind the investor with an entry of a list."""

    id: str
    subject: str
    source: str
    entry: str
    score_bp: int
    status: str
    proposed_by: str | None
    version: str


class CaseAccreditation(TypedDict):
    """The accreditation of an investor, and the kinds of evidence on file."""

    id: str
    status: str
    method: str | None
    valid_until: str | None
    evidence: list[str]
    version: str


class CaseClearance(TypedDict):
    """A clearance: computed from the checks, with those that it lacks."""

    id: str
    offer: str
    status: str
    exemption: str
    lacks: list[str]
    valid_until: str | None
    version: str


class Case(TypedDict):
    """The case of an investor with every check, by ids; ``programme`` is what decisions are made under."""

    id: str
    investor: str
    kind: str
    form: str
    status: str
    tier: str | None
    valid_until: str | None
    profile_sha256: str | None
    is_as_verified: bool
    elements: list[str]
    required: list[Required]
    papers: list[Stands]
    parties: list[Stands]
    owners: list[Stands]
    discrepancies: list[Stands]
    diligences: list[Stands]
    changes: list[Stands]
    review: Stands | None
    hits: list[CaseHit]
    unscreened: list[str]
    accreditation: CaseAccreditation | None
    clearances: list[CaseClearance]
    programme: str
    version: str


class Delegation(TypedDict):
    """Who acts for an investor, in which scope and between which moments."""

    id: str
    delegate: str
    scope: str
    status: str
    begins_at: str
    ends_at: str
    version: str


class Delegations(TypedDict):
    """Delegations of an investor, those that stand first."""

    delegations: list[Delegation]
