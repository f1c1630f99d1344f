"""Decisions of an officer: their choices and forms, and the verbs that carry them out."""

from bookrunner.pages.compliance.deciding.forms import (
    CATEGORIES,
    CHOICES,
    IDENTITY_PAPERS,
    Decision,
    Seen,
    category_of,
    decision,
    paper_of,
    seen_of,
    sophistication_of,
)
from bookrunner.pages.compliance.deciding.officer import Officer

__all__ = [
    "CATEGORIES",
    "CHOICES",
    "IDENTITY_PAPERS",
    "Decision",
    "Officer",
    "Seen",
    "category_of",
    "decision",
    "paper_of",
    "seen_of",
    "sophistication_of",
]
