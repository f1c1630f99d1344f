"""Gather what a file says about one party, in whatever order it says it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bookrunner.adapters.screening.lists.dates import birth_date
from bookrunner.adapters.screening.model import (
    BirthDate,
    EntryKind,
    Identifier,
    ListedName,
    ListEntry,
    NameStrength,
)
from bookrunner.core.countries import country_named
from bookrunner.core.errors import Refused

MAX_BYTES = 512 * 1024 * 1024


@dataclass(slots=True)
class Draft:
    """One entry in the making; ``unread`` counts values that could not be read."""

    entry_id: str
    kind: EntryKind
    names: dict[str, NameStrength] = field(default_factory=dict)
    programmes: dict[str, None] = field(default_factory=dict)
    birth_dates: dict[BirthDate, None] = field(default_factory=dict)
    countries: dict[str, None] = field(default_factory=dict)
    identifiers: dict[Identifier, None] = field(default_factory=dict)
    wallets: dict[tuple[str, str], None] = field(default_factory=dict)
    unread: int = 0

    def name(self, text: str | None, strength: NameStrength) -> None:
        """Add a name; of one text the first strength stays."""
        cleaned = " ".join((text or "").split()).strip(" ,;")
        if cleaned:
            self.names.setdefault(cleaned, strength)

    def programme(self, text: str | None) -> None:
        """Add a programme."""
        if text and text.strip():
            self.programmes[text.strip()] = None

    def born(self, text: str) -> None:
        """Add a birth date as written."""
        if not text.strip():
            return
        found = birth_date(text)
        if found is None:
            self.unread += 1
        else:
            self.birth_dates[found] = None

    def country(self, text: str | None) -> None:
        """Add a citizenship, nationality or place of registration as written."""
        if not (text or "").strip():
            return
        found = country_named(text or "")
        if found is None:
            self.unread += 1
        else:
            self.countries[found] = None

    def identifier(self, kind: str, value: str | None, country: str | None = "") -> None:
        """Add a document or registration number."""
        if value and value.strip():
            self.identifiers[Identifier(kind.strip(), value.strip(), country_named(country or "") or "")] = (
                None
            )

    def wallet(self, ticker: str, address: str) -> None:
        """Add a digital-currency address."""
        self.wallets[ticker.strip().upper(), address.strip()] = None

    def entry(self) -> ListEntry:
        """Return the entry; refuses ``listed_entry_has_a_name``."""
        if not self.names:
            raise Refused("listed_entry_has_a_name", self.entry_id)
        return ListEntry(
            self.entry_id,
            self.kind,
            tuple(ListedName(text, strength) for text, strength in self.names.items()),
            tuple(self.programmes),
            tuple(self.birth_dates),
            tuple(self.countries),
            tuple(self.identifiers),
            tuple(self.wallets),
        )
