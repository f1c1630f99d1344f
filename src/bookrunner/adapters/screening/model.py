"""What a sanctions list says, who is screened, and what a screening answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Final

# Scores may be compared, and dismissals kept, only within one version; see docs/screening.md.
MATCHER_VERSION: Final = "1"


class EntryKind(StrEnum):
    """What a list entry or a screened subject is."""

    PERSON = "person"
    """A natural person."""
    ENTITY = "entity"
    """A company, trust, fund, bank, authority or group."""
    VESSEL = "vessel"
    """A ship."""
    AIRCRAFT = "aircraft"
    """An aircraft."""
    UNSPECIFIED = "unspecified"
    """The list does not say; compared with persons and with entities."""


class ChainFamily(StrEnum):
    """Chains that share addresses: who holds one on the first holds it on the others."""

    EVM = "evm"
    """Ethereum and every chain with its addresses."""
    BITCOIN = "bitcoin"
    """Bitcoin and its descendants."""
    TRON = "tron"
    """Tron."""
    MONERO = "monero"
    """Monero."""
    RIPPLE = "ripple"
    """The XRP ledger."""
    OTHER = "other"
    """Any other; compared as written."""


class NameStrength(StrEnum):
    """How firmly the list holds a name."""

    PRIMARY = "primary"
    """The name that the entry stands under."""
    STRONG = "strong"
    """An alias of good quality."""
    WEAK = "weak"
    """An alias that the list itself calls weak: a nickname, an acronym, a login."""


@dataclass(frozen=True, slots=True)
class ListVersion:
    """One immutable version of a list: the digest of its files and the day it was published."""

    sha256: str
    published_on: date

    def __str__(self) -> str:
        """Return the day and the digest in one word."""
        return f"{self.published_on.isoformat()}:{self.sha256}"


@dataclass(frozen=True, slots=True)
class ListedName:
    """One name of an entry as the list writes it."""

    text: str
    strength: NameStrength


@dataclass(frozen=True, slots=True)
class BirthDate:
    """A birth date as exactly as it is known: both ends are inclusive."""

    earliest: date
    latest: date


@dataclass(frozen=True, slots=True)
class Identifier:
    """A document or registration number; ``country`` is an ISO code, or empty when unknown."""

    kind: str
    value: str
    country: str = ""


@dataclass(frozen=True)
class ListEntry:
    """One listed party; ``entry_id`` is stable over versions, such as ``ofac:7487``."""

    entry_id: str
    kind: EntryKind
    names: tuple[ListedName, ...]
    programmes: tuple[str, ...] = ()
    birth_dates: tuple[BirthDate, ...] = ()
    countries: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    wallets: tuple[tuple[str, str], ...] = ()

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of everything that the entry says, in any order of its parts."""
        content = {
            "kind": self.kind,
            "names": sorted([name.text, name.strength] for name in self.names),
            "programmes": sorted(self.programmes),
            "birth_dates": sorted([str(b.earliest), str(b.latest)] for b in self.birth_dates),
            "countries": sorted(self.countries),
            "identifiers": sorted([i.kind, i.value, i.country] for i in self.identifiers),
            "wallets": sorted(self.wallets),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SanctionsList:
    """One version of one list; ``unread`` counts birth dates and countries that could not be read."""

    code: str
    version: ListVersion
    entries: Mapping[str, ListEntry]
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is screened: every name, and what else is known; countries are ISO codes."""

    kind: EntryKind
    names: tuple[str, ...]
    birth_date: BirthDate | None = None
    countries: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which score on a match alerts, in ten-thousandths, for each kind of subject."""

    person: int
    other: int

    def of(self, kind: EntryKind) -> int:
        """Return the threshold for a kind of subject."""
        return self.person if kind is EntryKind.PERSON else self.other


OPERATING_POINT: Final = Thresholds(person=8_500, other=7_500)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """One word of the subject's name beside the listed word it was compared with.

    ``similarity`` and ``weight`` are ten-thousandths; an empty word on one side has no partner.
    """

    asked: str
    listed: str
    similarity: int
    weight: int


@dataclass(frozen=True, slots=True)
class ScorePart:
    """What one fact added to the score or took from it, in ten-thousandths, and what was compared."""

    fact: str
    outcome: str
    effect: int


@dataclass(frozen=True, slots=True)
class Match:
    """One list entry that scored at or above the threshold, with everything that made the score.

    ``parts`` sum to ``score`` unless the sum passed 10,000, which is the highest score.
    """

    entry_id: str
    score: int
    asked_name: str
    listed_name: ListedName
    words: tuple[TokenPair, ...]
    parts: tuple[ScorePart, ...]
    entry_digest: str


@dataclass(frozen=True, slots=True)
class Screening:
    """The answer for one subject: the matches, highest first, and what they rest on."""

    matches: tuple[Match, ...]
    list_versions: tuple[tuple[str, ListVersion], ...]
    matcher_version: str
    threshold: int


@dataclass(frozen=True, slots=True)
class ListedWallet:
    """One listed address in normal form, with the tickers and the entries that name it."""

    address: str
    tickers: tuple[str, ...]
    family: ChainFamily
    entry_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WalletScreening:
    """Whether one address stands on one version of the list; ``matched`` is set on a hit only.

    Covers direct listing alone (OFAC FAQ 562), not addresses that dealt with a listed one.
    """

    hit: bool
    list_version: ListVersion
    matched: ListedWallet | None
