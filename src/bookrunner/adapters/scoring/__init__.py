"""What the intake of institutions needs of a risk scorer: codes in, a score with its reasons out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bookrunner.adapters.scoring.words import without_personal_data
from bookrunner.core.errors import NotReady

__all__ = [
    "FACTS",
    "PARTS",
    "Facts",
    "Score",
    "Scorer",
    "ScorerFailed",
    "ScorerRule",
    "Tier",
    "without_personal_data",
]

PARTS = ("entity", "jurisdiction", "compliance_history", "tranche_fit")
"""What is scored by itself, each from 0 (worst) to 100 (best)."""

FACTS = (
    "amount_usd",
    "clearance",
    "compliance_history",
    "due_diligence",
    "entity_kind",
    "exemption",
    "jurisdiction",
    "risk_reasons",
    "risk_tier",
    "security_type",
    "statement",
    "tranche",
)
"""Every fact that may leave; the names that a score may say it rests on."""


class Tier(StrEnum):
    """What a scorer advises; the rules decide."""

    FAST_TRACK = "fast_track"
    """Nothing speaks against entering the request at once."""
    MANUAL_REVIEW = "manual_review"
    """A compliance officer should look first."""


class ScorerRule(StrEnum):
    """What a scorer did not do; each keeps an intake unscored."""

    SCORER_IS_CONFIGURED = "scorer_is_configured"
    """An address, a key and a model are set."""
    SCORER_ANSWERS = "scorer_answers"
    """It answers within its time, and without a fault of its own."""
    SCORER_ACCEPTS_US = "scorer_accepts_us"
    """It takes our key and our request."""
    SCORER_HAS_ROOM = "scorer_has_room"
    """It takes another request now."""
    SCORER_GIVES_A_SCORE = "scorer_gives_a_score"
    """It does not decline to answer, and says all it has to say."""
    SCORE_HAS_ITS_SHAPE = "score_has_its_shape"
    """The answer is JSON of the agreed form, and rests on facts that were sent."""


class ScorerFailed(NotReady):
    """There is no score; the detail says what went wrong and quotes nothing of the answer."""

    def __init__(self, rule: ScorerRule, detail: str) -> None:
        super().__init__(rule.value, detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What leaves for a score: codes and amounts, and the entity's own words; no name, address or number."""

    entity_kind: str
    jurisdiction: str
    clearance: str
    risk_tier: str
    risk_reasons: Sequence[str]
    due_diligence: str
    compliance_history: Mapping[str, int]
    tranche: str
    amount_usd: str
    exemption: str
    security_type: str
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a scorer said: the whole and each part from 0 to 100, an advised tier, reasons, facts it used.

    ``has_instructions`` is its word that the entity's text speaks to whoever reads it, and not of the entity.
    """

    score: int
    parts: Mapping[str, int]
    tier: Tier
    reasons: Sequence[str]
    facts_used: Sequence[str]
    has_instructions: bool
    model: str


class Scorer(Protocol):
    """A risk scorer; its word is advice."""

    @property
    def model(self) -> str:
        """The model that is asked, as it is set."""

    @property
    def prompt_version(self) -> str:
        """The version of what it is told to do, with a digest of the text."""

    async def score(self, facts: Facts) -> Score:
        """Return a score, or raise ScorerFailed; nothing else stands in for it."""
