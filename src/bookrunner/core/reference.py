"""Payment references: ISO 11649 creditor references with twelve digits.

Digits only, because letters gave false candidates in real bank text; the two check digits catch
every single substitution and every swap of neighbours.
"""

from __future__ import annotations

import re
from typing import Final

from bookrunner.core.errors import Refused

_RF_AS_DIGITS: Final = "2715"
_DIGITS: Final = re.compile(r"[0-9]{12}")
_COMPACT: Final = re.compile(r"RF([0-9]{2})([0-9]{12})")
_IN_TEXT: Final = re.compile(
    r"RF([0-9]{2})[ \u00a0]?([0-9]{4})[ \u00a0]?([0-9]{4})[ \u00a0]?([0-9]{4})(?![0-9])",
    re.ASCII | re.IGNORECASE,
)


def make_reference(digits: str) -> str:
    """Return ``RF`` + two check digits + the twelve digits given.

    Refuses ``reference_has_twelve_digits``.
    """
    if _DIGITS.fullmatch(digits) is None:
        raise Refused("reference_has_twelve_digits", "expected twelve ASCII digits")
    return f"RF{_check_digits(digits)}{digits}"


def is_valid(reference: str) -> bool:
    """Tell whether this is a reference in compact upper-case form with right check digits."""
    match = _COMPACT.fullmatch(reference)
    return match is not None and match[1] == _check_digits(match[2])


def find_references(text: str) -> list[str]:
    """Return each different valid reference in free text, compact, in order of appearance.

    Lower case and single blanks between groups of four are tolerated. About one random candidate
    in a hundred passes the check, so look each up among the references that were issued.
    """
    found: dict[str, None] = {}
    for match in _IN_TEXT.finditer(text):
        reference = "RF" + "".join(match.groups())
        if is_valid(reference):
            found[reference] = None
    return list(found)


def printed(reference: str) -> str:
    """Return a compact reference in groups of four; refuses ``reference_is_valid``."""
    if not is_valid(reference):
        raise Refused("reference_is_valid", "check digits or form are wrong")
    return " ".join(reference[start : start + 4] for start in range(0, len(reference), 4))


def _check_digits(digits: str) -> str:
    return f"{98 - int(digits + _RF_AS_DIGITS + '00') % 97:02d}"
