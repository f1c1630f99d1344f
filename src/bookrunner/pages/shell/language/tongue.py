"""One language: its catalogue of sentences, and how it writes moments, days, numbers and money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from gettext import NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.dates import format_date, format_datetime, get_timezone_name
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations

from bookrunner.core.money import Money, currency

_UTC: Final = "UTC"
_PLACES: Final = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
# A day as files and the API write it: no reader of English takes its day for its month.
_ISO_DAY, _ISO_MOMENT = "yyyy-MM-dd", "yyyy-MM-dd HH:mm z"


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language by its code (BCP 47), its own name, its catalogue and its patterns (Unicode TR 35).

    Moments are written in ``zone``, a name of the IANA time zone database.
    """

    code: str
    name: str
    catalogue: NullTranslations
    day_pattern: str = _ISO_DAY
    moment_pattern: str = _ISO_MOMENT
    zone: str = _UTC

    @property
    def locale(self) -> Locale:
        """The conventions of the language, from the Unicode CLDR."""
        return Locale.parse(self.code)

    @property
    def zone_name(self) -> str:
        """The time zone as a person reads it."""
        if self.zone == _UTC:
            return _UTC
        return get_timezone_name(
            ZoneInfo(self.zone), width="long", zone_variant="generic", locale=self.locale
        )

    def within(self, zone: str) -> Tongue:
        """Return the language with its moments in another time zone."""
        return replace(self, zone=zone)

    def gettext(self, text: str) -> str:
        """Return a sentence of the catalogue, or the text itself."""
        return self.catalogue.gettext(text) if text else ""

    def has(self, text: str) -> bool:
        """Whether the language has its own words for a sentence; English has them for each."""
        return self.code == ENGLISH.code or self.gettext(text) != text

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Return the form of a sentence for a count."""
        return self.catalogue.ngettext(one, many, count)

    def moment(self, moment: datetime) -> str:
        """Write a moment with its time zone."""
        zone = UTC if self.zone == _UTC else ZoneInfo(self.zone)
        return format_datetime(moment, self.moment_pattern, tzinfo=zone, locale=self.locale)

    def day(self, day: date) -> str:
        """Write a day."""
        return format_date(day, self.day_pattern, locale=self.locale)

    def number(self, number: int) -> str:
        """Write a whole number, its thousands apart."""
        return format_decimal(number, "#,##0", locale=self.locale)

    def money(self, minor: int, code: str) -> str:
        """Write an amount of minor units with the currency's decimals and its ISO 4217 code, exactly."""
        decimals = currency(code).exponent
        amount = Decimal(Money(minor, currency(code)).minor).scaleb(-decimals)
        pattern = f"#,##0.{'0' * decimals}" if decimals else "#,##0"
        return f"{format_decimal(amount, pattern, locale=self.locale)} {code}"

    def share(self, basis_points: int) -> str:
        """Write a share of basis points as a percentage with two decimals."""
        return f"{format_decimal(Decimal(basis_points).scaleb(-2), '0.00', locale=self.locale)} %"


ENGLISH: Final = Tongue("en", "English", NullTranslations())


def catalogue_of(content: bytes, code: str) -> NullTranslations:
    """Return a catalogue as its file writes it, without what is unsure or has no translation."""
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(content), locale=code, abort_invalid=True))
    compiled.seek(0)
    return Translations(compiled)


@cache
def tongues() -> Sequence[Tongue]:
    """Return every language of the pages, English first; each catalogue is read once."""
    german = (files(__package__) / "de.po").read_bytes()
    patterns = ("dd.MM.yyyy", "dd.MM.yyyy, HH:mm z")
    return (ENGLISH, Tongue("de", "Deutsch", catalogue_of(german, "de"), *patterns))


@cache
def zones() -> Sequence[str]:
    """Return the time zones that a person may choose, by their names in the IANA time zone database."""
    return (_UTC, *sorted(zone for zone in available_timezones() if zone.startswith(_PLACES)))
