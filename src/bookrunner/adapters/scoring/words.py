"""What is taken out of an institution's own words before they leave."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

REMOVED: Final = "[removed]"
_BETWEEN: Final = r"[\s().\-/\u2010-\u2015]*"
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_PERSONAL: Final = re.compile(
    "|".join(
        (
            r"[^\s@<>,;]+@[^\s@<>,;]+",
            r"\b[a-z]{2}\d{2}(?:\s?[a-z0-9]{4}){2,7}(?:\s?[a-z0-9]{1,3})?\b",
            rf"\b\d{{1,2}}(?:st|nd|rd|th)?\.?\s+(?:of\s+)?{_MONTH},?\s+\d{{4}}\b",
            rf"\b{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}\b",
            r"\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b",
            # A number of a person, an account or a telephone; an amount is written with commas.
            rf"\+?(?<!\w)\w*(?:\d{_BETWEEN}){{5,}}\d\w*",
        )
    ),
    re.IGNORECASE,
)


def without_personal_data(text: str) -> str:
    """Return a text without e-mail addresses, dates and numbers of persons, accounts and telephones.

    Each becomes ``[removed]``: six digits or more in a row, whatever stands between them but a comma, an
    account number (ISO 13616), a day with its month and year. Names and addresses in words stay.
    """
    return _PERSONAL.sub(REMOVED, unicodedata.normalize("NFKC", text))
