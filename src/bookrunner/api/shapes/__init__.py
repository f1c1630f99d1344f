"""What a request may say, field by field, and how facts are written in an answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from bookrunner.api.shapes.answers import Amount
from bookrunner.api.shapes.moments import Moment
from bookrunner.core.money import Money, currency, parse
from bookrunner.db import Row

_ID = "[0-9A-Za-z_]{1,64}"
OfferId = Annotated[str, StringConstraints(pattern=f"^ofr_{_ID}$")]
INVESTMENT = f"inv_{_ID}"
InvestmentId = Annotated[str, StringConstraints(pattern=f"^{INVESTMENT}$")]
InvestorId = Annotated[str, StringConstraints(pattern=f"^ivr_{_ID}$")]
IssuerId = Annotated[str, StringConstraints(pattern=f"^iss_{_ID}$")]
AllocationId = Annotated[str, StringConstraints(pattern=f"^alc_{_ID}$")]
AcceptanceId = Annotated[str, StringConstraints(pattern=f"^sac_{_ID}$")]
AgreementId = Annotated[str, StringConstraints(pattern=f"^agr_{_ID}$")]
Programme = Annotated[str, StringConstraints(pattern="^prg_[0-9a-f]{26}$")]
EntryId = Annotated[str, StringConstraints(pattern=f"^wle_{_ID}$")]
CaseId = Annotated[str, StringConstraints(pattern=f"^ccs_{_ID}$")]
InstitutionalId = Annotated[str, StringConstraints(pattern=f"^iac_{_ID}$")]
AmendmentId = Annotated[str, StringConstraints(pattern=f"^amd_{_ID}$")]
ReconfirmationId = Annotated[str, StringConstraints(pattern=f"^rcf_{_ID}$")]
ClosingId = Annotated[str, StringConstraints(pattern=f"^cls_{_ID}$")]
BankStatementId = Annotated[str, StringConstraints(pattern=f"^stm_{_ID}$")]
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Because = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"\S")]
Exemption = Literal["506(b)", "506(c)", "reg_cf", "reg_a_tier_1", "reg_a_tier_2", "reg_s", "eu_crowdfunding"]
Capacity = Literal["issuer", "placement_agent"]
Units = Annotated[str, StringConstraints(pattern="^[1-9][0-9]{0,17}$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
PAGE = 200


class Shape(BaseModel):
    """What a body may say: fields that are not listed are refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Price(Shape):
    """Exact money: a decimal text with at most the currency's decimals, and an ISO 4217 code."""

    amount: Annotated[str, StringConstraints(max_length=40)]
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]

    def exact(self) -> Money:
        """Return the money; refuses what ``core.money.parse`` refuses."""
        return parse(self.amount, self.currency)


class NewOffer(Shape):
    """The terms of a new offer; units are whole numbers written as texts."""

    issuer: IssuerId
    name: Label
    exemption: Exemption
    unit_price: Price
    units_total: Units
    minimum_units: Units
    isin: Annotated[str, StringConstraints(max_length=12)] | None = None
    agreement_form: Literal["packet", "canonical"] = "packet"
    security_type: Literal["equity", "preferred", "debt", "convertible", "fund_interest"] = "equity"
    instrument: dict[str, int | str] = Field(default_factory=dict, max_length=20)
    target_minor: Annotated[int, Field(gt=0, lt=2**53)] | None = None
    opens_at: Moment | None = None
    closes_at: Moment | None = None
    pays_by: Moment | None = None
    closes_at_cap: bool = True
    two_people_close: bool = False


class Move(Shape):
    """The state that an offer moves to, by the moves of its machine."""

    to: Literal[
        "draft",
        "legal_review",
        "legal_declined",
        "legal_accepted",
        "published",
        "legally_closed",
        "closed_successfully",
        "closed_unsuccessfully",
        "exited",
    ]


class NewInvestment(Shape):
    """One investor's commitment to one offer."""

    offer: OfferId
    investor: InvestorId
    units: Units


class NewInstitutional(Shape):
    """What an institution asks for: an amount of one tranche."""

    entity: InvestorId
    tranche: Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9_-]{0,39}$")]
    amount: Price


class AllocationMove(Shape):
    """What a person of ours decides on a request: to take it up for review, or to cancel it for a reason."""

    status: Literal["under_internal_review", "cancelled"]
    because: Annotated[str, StringConstraints(max_length=1000)] | None = None


class Nothing(Shape):
    """An act that needs no words; its body is empty or ``{}``."""


class Decision(Shape):
    """What is decided on a requested cancellation."""

    granted: bool
    because: Because | None = None


class NewClosing(Shape):
    """Who is in a closing: all candidates, those that lack nothing, or the named ones."""

    members: (
        Literal["all", "ready"]
        | Annotated[tuple[InvestmentId, ...], Field(min_length=1, max_length=10_000, strict=False)]
    )


class NewAllocation(Shape):
    """The units that the issuer would allocate to one investment."""

    units: Units


class Acknowledged(Shape):
    """One material received, one risk acknowledged or one representation made."""

    kind: Literal["material", "risk", "representation"]
    code: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,59}$")]
    version: Annotated[int, Field(ge=1, le=10**6)]


class Particular(Shape):
    """One thing that an investor states; the template's schema says what its detail holds."""

    kind: Literal["tax_form", "authority", "ownership"]
    detail: dict[str, JsonValue]


class Consented(Shape):
    """Which sample was opened, and the code that is printed in it."""

    sample: Annotated[str, StringConstraints(pattern=f"^csm_{_ID}$")]
    code: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class CaseDecision(Shape):
    """What becomes of an investment that a closing left out; counsel's decision names its archived file."""

    status: Literal["to_be_included", "to_be_refunded", "decided_by_counsel"]
    because: Because
    evidence_sha256: Sha256 | None = None


class Known(Shape):
    """How a portal knew the person who signed: its method, moment, address, browser and session."""

    method: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    authenticated_at: Moment
    address: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    agent: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    session: Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_.:/-]{1,80}$")]


class Intent(Shape):
    """The sentence that the signer was shown and agreed to, and how it was known.

    ``party`` names one of several signers of an investor by the field of its signature.
    """

    intent: Annotated[str, StringConstraints(min_length=10, max_length=400)]
    evidence: Known | None = None
    party: Annotated[str, StringConstraints(pattern="^investor(_([2-9]|10))?$")] | None = None


class Released(Shape):
    """The file that the reviewer saw, by its SHA-256."""

    seen_sha256: Sha256


class Fault(Shape):
    """One deficiency: where it is, of which kind, and what the investor reads."""

    page: Annotated[int, Field(ge=1, le=1000)]
    field: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    reason: Literal["missing", "illegible", "inconsistent", "name_differs", "capacity", "expired", "other"]
    words: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Returned(Shape):
    """The file that the reviewer saw, and why it goes back."""

    seen_sha256: Sha256
    deficiencies: Annotated[tuple[Fault, ...], Field(min_length=1, max_length=50, strict=False)]


class Answered(Shape):
    """The investor's answer to one deficiency."""

    deficiency: Annotated[str, StringConstraints(pattern=f"^dfc_{_ID}$")]
    answer: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class HandedOver(Shape):
    """Which e-sign provider carries a packet, and until when its signers may sign there."""

    provider: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_-]{0,63}$")]
    expires_at: Moment


class AcceptedStatement(Shape):
    """A statement that may stand beside a fact of the compliance record, why, and under which programme."""

    programme: Programme
    statement: Annotated[str, StringConstraints(pattern="^[A-Za-z][A-Za-z0-9_-]{0,59}$")]
    fact: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,59}$")]
    because: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Withdrawn(Shape):
    """Why an acceptance ends, and under which programme."""

    programme: Programme
    because: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


AccountId = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_.:-]{1,64}$")]
QuestionId = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,39}$")]
_Choice = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Choices = Annotated[tuple[_Choice, ...], Field(max_length=20, strict=False)]


class Question(Shape):
    """A question: free text without choices; asked only after one of ``if_answers`` to ``if_question``.

    ``knowing`` are the choices that show knowledge of what is offered.
    """

    id: QuestionId
    sentence: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    choices: _Choices = ()
    is_required: bool = True
    if_question: QuestionId | None = None
    if_answers: _Choices = ()
    knowing: _Choices = ()


class NewQuestionnaire(Shape):
    """The next version of the questions; ``knowledge_from`` knowing answers show appropriateness."""

    questions: Annotated[tuple[Question, ...], Field(min_length=1, max_length=100, strict=False)]
    knowledge_from: Annotated[int, Field(ge=1, le=100)] | None = None
    because: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Suitability(Shape):
    """The answers of an investor to the version of the questions that was seen, and a confirmed warning."""

    investor: InvestorId
    account: AccountId
    questionnaire: Annotated[str, StringConstraints(pattern="^[1-9][0-9]{0,8}$")]
    answers: Annotated[
        dict[QuestionId, Annotated[str, StringConstraints(max_length=1000)]], Field(max_length=100)
    ]
    warning_confirmed: bool = False


class StatedOwner(Shape):
    """Somebody behind an entity, under an id of this statement alone."""

    id: QuestionId
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    kind: Literal["person", "entity"] = "person"
    controls: bool = False


class StatedShare(Shape):
    """A direct share in basis points; ``owned`` is the investor itself or somebody who is stated."""

    owned: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    owner: QuestionId
    share_bp: Annotated[int, Field(ge=1, le=10_000)]


class StatedOwnership(Shape):
    """Who is behind an entity, and the word of the account's person that it is complete and correct."""

    account: AccountId
    people: Annotated[tuple[StatedOwner, ...], Field(min_length=1, max_length=200, strict=False)]
    shares: Annotated[tuple[StatedShare, ...], Field(max_length=1000, strict=False)]
    certified: bool


class Linked(Shape):
    """Which file of an agreement, for whom, for how long."""

    file: Literal["document", "signed", "executed", "certificate"]
    reader: Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_.:-]{1,64}$")]
    minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)]


class Policy(Shape):
    """How an offer shares out its units: orders up to ``most_units``, held for so many minutes."""

    policy: Literal["first_come", "pro_rata", "discretionary"]
    most_units: Units | None = None
    hold_minutes: Annotated[int, Field(ge=1, le=525_600)] | None = None


class Waiting(Shape):
    """An order that waits for units to come free."""

    investor: InvestorId
    units: Units


Wishes = Annotated[
    dict[InvestmentId, Annotated[str, StringConstraints(pattern="^(0|[1-9][0-9]{0,17})$")]],
    Field(max_length=10_000),
]


class Wished(Shape):
    """The units of each order, where the issuer has discretion; empty for any other policy."""

    wishes: Wishes | None = None


class NewAllotment(Wished):
    """Who decides on the list that a dry run showed, and why."""

    capacity: Capacity
    because: Because


class Cut(Shape):
    """The units that are left to one investment."""

    units: Units
    capacity: Capacity
    because: Because


class NewAmendment(Shape):
    """What changes, whether a reasonable investor would find it important, and the document that says it."""

    sentence: Because
    is_material: bool
    document_sha256: Sha256


class AmendmentDecision(Shape):
    """What the second person decides on an amendment, and why."""

    accepted: bool
    because: Because


class Answer(Shape):
    """Whether the commitment stands on the changed terms."""

    reconfirmed: bool


def money(minor: int, code: str) -> Amount:
    """Write minor units as exact money."""
    return {"amount": Money(minor, currency(code)).format(), "currency": code}


def version_of(stage: Row) -> str:
    """Return the version of an investment: its own, then that of what the keepers say of it."""
    return f"{stage['investment_version']}.{stage['version']}"
