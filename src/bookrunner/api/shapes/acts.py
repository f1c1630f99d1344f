"""What writes answer: what was made or moved, where it stands now, and the version for the next decision."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict


class OfferActed(TypedDict):
    """An offer after an act."""

    id: str
    status: str
    version: str


class Acted(TypedDict):
    """A record of an offer after an act."""

    id: str
    offer: str
    status: str
    version: str


class InvestmentActed(TypedDict):
    """A record of an investment after an act."""

    id: str
    offer: str
    investment: str
    status: str
    version: str


class InvestorActed(TypedDict):
    """A record of an investor after an act."""

    id: str
    investor: str
    status: str
    version: str


class ClosingFrozen(TypedDict):
    """A closing after its freeze, with the digest of its set."""

    id: str
    offer: str
    ordinal: int
    status: str
    members: int
    set_sha256: str
    version: str


class Step(TypedDict):
    """A step of an application, and what still lacks before the agreement can be asked for."""

    id: str
    offer: str
    investment: str
    lacks: list[Any]
    version: str


class PolicyNamed(TypedDict):
    """How an offer shares its units out."""

    offer: str
    policy: str
    most_units: str | None
    hold_minutes: int | None
    version: str


class Queued(TypedDict):
    """A place in the line for units."""

    id: str
    offer: str
    place: int
    units: str
    status: str
    version: str


class AllotmentDecided(TypedDict):
    """A decided list, in units."""

    id: str
    offer: str
    ordinal: int
    policy: str
    available: str
    ordered: str
    allotted: str
    decided_by: str
    capacity: str
    version: str


class CutBack(TypedDict):
    """An investment after its cut."""

    id: str
    offer: str
    status: str
    units: str
    allotment: str
    version: str


class AmendmentActed(TypedDict):
    """An amendment after an act, and until when investors answer."""

    id: str
    offer: str
    ordinal: int
    status: str
    is_material: bool
    due_at: str | None
    version: str


class TransferActed(TypedDict):
    """A request for a transfer after an act, with the papers that are missing."""

    id: str
    offer: str
    status: str
    missing: list[str]
    reasons: list[str]
    version: str


class DelegationActed(TypedDict):
    """A delegation after an act."""

    id: str
    investor: str
    delegate: str
    status: str
    version: str


class InterestActed(TypedDict):
    """An interest after an act, and the transfer that its match asked for."""

    id: str
    offer: str
    status: str
    transfer: str | None
    version: str


class ChallengeIssued(TypedDict):
    """The text that a wallet has to sign, and until when."""

    id: str
    offer: str
    investor: str
    status: str
    message: str
    expires_at: str
    version: str


class WalletClaimed(TypedDict):
    """A claimed wallet, and how its control was proved."""

    id: str
    offer: str
    investor: str
    status: str
    challenge: str
    proof: str
    version: str


class QuestionnairePublished(TypedDict):
    """A questionnaire by its number."""

    offer: str
    version: str


class SuitabilityAnswered(TypedDict):
    """Answers that were taken, and what they say of the offer for this investor."""

    id: str
    offer: str
    investor: str
    questionnaire: str
    appropriateness: str | None
    version: str


class EscrowOpened(TypedDict):
    """An allocation whose escrow is open, and by when it settles."""

    id: str
    offer: str
    status: str
    investment: str
    settlement_due_at: str
    version: str
