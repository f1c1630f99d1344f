"""What the compliance book needs of screening: results that name the list they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

__all__ = ["ListVersion", "ListedWallet", "WalletScreening"]


@dataclass(frozen=True, slots=True)
class ListVersion:
    """One immutable version of a list: the digest of its files and the day it was published."""

    sha256: str
    published_on: date

    def __str__(self) -> str:
        """Return the day and the digest in one word."""
        return f"{self.published_on.isoformat()}:{self.sha256}"


@dataclass(frozen=True, slots=True)
class ListedWallet:
    """One listed address in normal form, with the tickers under which the list names it."""

    address: str
    tickers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WalletScreening:
    """Whether one address stands on one version of the list; ``matched`` is set on a hit only.

    Covers direct listing alone (OFAC FAQ 562), not addresses that dealt with a listed one.
    """

    hit: bool
    list_version: ListVersion
    matched: ListedWallet | None
