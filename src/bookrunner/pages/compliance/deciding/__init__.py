"""Decisions of an officer: their choices and forms, and the verbs that carry them out."""

from bookrunner.pages.compliance.deciding.forms import (
    CHOICES,
    IDENTITY_PAPERS,
    Decision,
    Seen,
    decision,
    paper_of,
    seen_of,
    sophistication_of,
)
from bookrunner.pages.compliance.deciding.officer import Officer

__all__ = [
    "CHOICES",
    "IDENTITY_PAPERS",
    "Decision",
    "Officer",
    "Seen",
    "decision",
    "paper_of",
    "seen_of",
    "sophistication_of",
]
