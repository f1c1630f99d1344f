"""What the compliance book needs of screening: lists, subjects, and results that name what they rest on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bookrunner.adapters.screening.difference import Difference, difference, rescreen
from bookrunner.adapters.screening.lists import PARSER_VERSION, Published, day_in_name, recognise, successor
from bookrunner.adapters.screening.model import (
    MATCHER_VERSION,
    OPERATING_POINT,
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
from bookrunner.adapters.screening.wallets import ListedWallets

if TYPE_CHECKING:
    from bookrunner.adapters.screening.screener import Screener as Screener
    from bookrunner.adapters.screening.workers import ScreeningWorkers

__all__ = [
    "MATCHER_VERSION",
    "OPERATING_POINT",
    "PARSER_VERSION",
    "BirthDate",
    "ChainFamily",
    "Difference",
    "EntryKind",
    "Identifier",
    "ListEntry",
    "ListVersion",
    "ListedName",
    "ListedWallet",
    "ListedWallets",
    "Match",
    "NameStrength",
    "Published",
    "SanctionsList",
    "ScorePart",
    "Screening",
    "Subject",
    "Thresholds",
    "TokenPair",
    "WalletScreening",
    "day_in_name",
    "difference",
    "open_screener",
    "open_workers",
    "recognise",
    "rescreen",
    "successor",
]


def open_screener(lists: Iterable[SanctionsList]) -> Screener:
    """Return lists indexed for screening; takes about a second, and imports the numerical libraries late.

    Refuses as the screener does.
    """
    from bookrunner.adapters.screening.screener import Screener

    return Screener(lists)


def open_workers(screener: Screener, count: int) -> ScreeningWorkers:
    """Return processes that screen many subjects at once; use them in a ``with`` statement."""
    from bookrunner.adapters.screening.workers import ScreeningWorkers

    return ScreeningWorkers(screener, count)
