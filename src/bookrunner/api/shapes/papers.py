"""What reads answer of papers and people: agreements, transfers, wallets, institutions, suitability."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict

from bookrunner.api.shapes.answers import Amount


class AgreementFiles(TypedDict):
    """The SHA-256 of each file of an agreement, null while there is none."""

    document_sha256: str | None
    signed_sha256: str | None
    executed_sha256: str | None
    certificate_sha256: str | None


class Signatures(TypedDict):
    """Who has to sign an agreement, and who has."""

    required: list[str]
    made: list[str]


class Agreement(TypedDict):
    """An agreement with its files, its signatures and its review."""

    id: str
    offer: str
    investment: str
    ordinal: int
    status: str
    units: str
    amount: Amount
    files: AgreementFiles
    signatures: Signatures
    review: str | None
    void_because: str | None
    version: str


class Link(TypedDict):
    """The path of one file for one reader."""

    path: str


class Countersignature(TypedDict):
    """What an officer would countersign, or the rule and the conditions that keep it."""

    agreement: str
    investment: str
    units: str
    signed_sha256: str
    hindrance: str | None
    missing: Any


class Countersignatures(TypedDict):
    """What waits for this officer."""

    countersignatures: list[Countersignature]


class Deficiencies(TypedDict):
    """What reviews found; the words of it are for the book's own keys."""

    deficiencies: list[dict[str, Any]]


class TransferRule(TypedDict):
    """A rule that keeps units from going, and the day on which it passes, if it does."""

    rule: str
    detail: str | None
    passes_on: str | None


class TransferRefusals(TypedDict):
    """Whether units may go now, and else why not; null where only the holder's own side is told."""

    may_go: bool | None
    refusals: list[TransferRule]


class Transfer(TypedDict):
    """A request for a transfer, with its papers, what is missing, and the day on which it is due."""

    id: str
    status: str
    kind: str
    route: str
    seller: str
    buyer: str
    units: str
    price: Amount | None
    from_wallet: str | None
    to_wallet: str | None
    papers: list[str]
    missing: list[str]
    reasons: list[str]
    asked_by: str
    asked_at: str
    due_on: str
    decided_by: str | None
    approved_until: str | None
    version: str


class Transfers(TypedDict):
    """Requests, those that wait first."""

    transfers: list[Transfer]


class Wallets(TypedDict):
    """Wallets with the dates of their steps."""

    wallets: list[dict[str, Any]]


class InstitutionalAllocation(TypedDict):
    """What an institution asks for, and how far it has come."""

    id: str
    tranche: str
    entity: str
    status: str
    amount: Amount
    settlement_due_at: str | None
    is_overdue: bool
    investment: str | None
    intake: str | None
    reviewed_by: str | None
    cancelled_by: str | None
    version: str


class InstitutionalAllocations(TypedDict):
    """Requests in the order in which they came."""

    institutional_allocations: list[InstitutionalAllocation]


class Score(TypedDict):
    """What a model advised, from which facts; rules alone decide."""

    score: int
    parts: Any
    tier: str | None
    reasons: Any
    facts_used: Any
    model: str
    prompt_version: str
    inputs_sha256: str
    scored_at: str


class Intake(TypedDict):
    """A request of an institution, how it was scored, and the rule that it failed, if any."""

    id: str
    offer: str
    entity: str
    status: str
    tranche: str
    amount: Amount
    asked_at: str
    score: Score | None
    rules_met: Any
    failed_rule: str | None
    allocation: str | None
    version: str


class Contradiction(TypedDict):
    """A statement of an investor, and the fact of the record that contradicts it."""

    offering_id: str
    investor_id: str
    kind: str
    code: str
    fact: str
    sentence: str


class Contradictions(TypedDict):
    """Contradictions that nobody has accepted; compliance is told the programme too."""

    contradictions: list[Contradiction]
    programme: NotRequired[str]


class Limit(TypedDict):
    """What an investor may commit, and has; null for no limit."""

    offer: str
    investor: str
    limit: Amount | None
    used: Amount
    remaining: Amount | None


class NoticeHeard(TypedDict):
    """What a signed notice did."""

    result: str


class TradeHeard(TypedDict):
    """What became of a trade: its number at the venue, its transfer and where that stands, refusing rules."""

    result: str
    trade: str
    transfer: str | None
    status: str | None
    rules: list[str]


class Fresh(TypedDict):
    """Whether a message of an identity provider was new."""

    fresh: bool


class Envelope(TypedDict):
    """Where an envelope of an e-sign provider stands with us, and the rule that stopped more."""

    ref: str
    state: str
    refused: str | None


class Envelopes(TypedDict):
    """Every envelope that a message named."""

    envelopes: list[Envelope]


class AskedQuestion(TypedDict):
    """A question of suitability, its choices, and what it is asked after."""

    id: str
    sentence: str
    choices: list[str] | None
    is_required: bool
    if_question: str | None
    if_answers: list[str] | None


class Questionnaire(TypedDict):
    """The questions in force, in their order."""

    offer: str
    version: str
    questions: list[AskedQuestion] | None
