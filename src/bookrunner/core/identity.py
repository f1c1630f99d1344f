"""What a form says of a person or company, checked for shape once, at the edge."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Final

from stdnum import isin as stdnum_isin
from stdnum import lei as stdnum_lei
from stdnum.exceptions import ValidationError
from stdnum.us import ein as stdnum_ein
from stdnum.us import itin as stdnum_itin
from stdnum.us import ssn as stdnum_ssn

from bookrunner.core.errors import Refused

_OLDEST_YEARS: Final = 120
_LONGEST_NAME: Final = 200
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_US_TAX_ID: Final = re.compile(r"[0-9]{9}|[0-9]{3}-[0-9]{2}-[0-9]{4}", re.ASCII)
_EIN: Final = re.compile(r"[0-9]{9}|[0-9]{2}-[0-9]{7}", re.ASCII)
# Numbers that stand in leaflets and advertisements and belong to nobody who fills in a form.
_PRINTED_SSN: Final = frozenset({"078051120", "219099999", "123456789", "111111111"})
_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")


def birth_date(text: str, *, today: date) -> date:
    """Read ``YYYY-MM-DD``.

    Refuses ``birth_date_is_a_day`` for what no calendar has and ``birth_date_is_possible`` for a day to
    come or more than 120 years ago.
    """
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise Refused("birth_date_is_a_day", "expected a day as YYYY-MM-DD")
    if day > today or day.year < today.year - _OLDEST_YEARS:
        raise Refused("birth_date_is_possible", f"in the future or more than {_OLDEST_YEARS} years ago")
    return day


def ssn(text: str) -> str:
    """Return nine digits of a social security number; refuses ``tax_id_is_ssn``.

    There is no check digit: area, group and serial must have been assignable.
    """
    compact = text.replace("-", "")
    if not _US_TAX_ID.fullmatch(text) or compact in _PRINTED_SSN or not _passes(stdnum_ssn.validate, compact):
        raise Refused("tax_id_is_ssn", "no such social security number can have been issued")
    return compact


def itin(text: str) -> str:
    """Return nine digits of an individual taxpayer number; refuses ``tax_id_is_itin``."""
    if not _US_TAX_ID.fullmatch(text) or not _passes(stdnum_itin.validate, text.replace("-", "")):
        raise Refused("tax_id_is_itin", "no such taxpayer number can have been issued")
    return text.replace("-", "")


def ein(text: str) -> str:
    """Return nine digits of an employer number; refuses ``tax_id_is_ein`` (the prefix is one in use)."""
    if not _EIN.fullmatch(text) or not _passes(stdnum_ein.validate, text.replace("-", "")):
        raise Refused("tax_id_is_ein", "no such employer number can have been issued")
    return text.replace("-", "")


def lei(text: str) -> str:
    """Return a legal entity identifier; refuses ``lei_has_its_check_digits`` (ISO 17442)."""
    if not re.fullmatch(r"[0-9A-Z]{18}[0-9]{2}", text, re.ASCII) or not _passes(stdnum_lei.validate, text):
        raise Refused("lei_has_its_check_digits", "expected 20 capitals and digits whose check digits agree")
    return text


def isin(text: str) -> str:
    """Return a securities identification number; refuses ``isin_has_its_check_digit`` (ISO 6166)."""
    if not re.fullmatch(r"[A-Z]{2}[0-9A-Z]{9}[0-9]", text, re.ASCII) or not _passes(
        stdnum_isin.validate, text
    ):
        raise Refused("isin_has_its_check_digit", "expected 12 capitals and digits whose check digit agrees")
    return text


def name(text: str) -> str:
    """Return a name in composed form, with single blanks between its words.

    Refuses ``name_has_no_hidden_characters`` (control, direction and invisible characters),
    ``name_has_letters`` and ``name_fits`` beyond 200 characters.
    """
    if any(unicodedata.category(c) in _HIDDEN or c in _FILLERS for c in text):
        raise Refused("name_has_no_hidden_characters", "remove what is not printed")
    composed = " ".join(unicodedata.normalize("NFC", text).split())
    if not any(c.isalpha() for c in composed):
        raise Refused("name_has_letters", "expected at least one letter")
    if len(composed) > _LONGEST_NAME:
        raise Refused("name_fits", f"at most {_LONGEST_NAME} characters")
    return composed


def _passes(validate: Callable[[str], str], number: str) -> bool:
    try:
        validate(number)
    except ValidationError:
        return False
    return True
