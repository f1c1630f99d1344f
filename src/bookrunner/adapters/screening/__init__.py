"""What the compliance book needs of screening: lists, subjects, and results that name what they rest on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bookrunner.adapters.screening.model import (
    BirthDate,
    ChainFamily,
    EntryKind,
    Identifier,
    ListedName,
    ListedWallet,
    ListEntry,
    ListVersion,
    Match,
    NameStrength,
    SanctionsList,
    ScorePart,
    Screening,
    Subject,
    Thresholds,
    TokenPair,
    WalletScreening,
)

if TYPE_CHECKING:
    from bookrunner.adapters.screening.screener import Screener

__all__ = [
    "BirthDate",
    "ChainFamily",
    "EntryKind",
    "Identifier",
    "ListEntry",
    "ListVersion",
    "ListedName",
    "ListedWallet",
    "Match",
    "NameStrength",
    "SanctionsList",
    "ScorePart",
    "Screening",
    "Subject",
    "Thresholds",
    "TokenPair",
    "WalletScreening",
    "open_screener",
]


def open_screener(lists: Iterable[SanctionsList]) -> Screener:
    """Return lists indexed for screening; takes about a second, and imports the numerical libraries late.

    Refuses as the screener does.
    """
    from bookrunner.adapters.screening.screener import Screener

    return Screener(lists)
