"""What the compliance book needs of screening: lists, subjects, and results that name what they rest on."""

from bookrunner.adapters.screening.model import (
    BirthDate,
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

__all__ = [
    "BirthDate",
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
]
