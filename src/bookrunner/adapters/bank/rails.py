"""The rail that money arrived on, by the transaction code that the bank gives it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bookrunner.adapters.bank.timing import Rail

_ISO: Final = re.compile(r"PMNT-([A-Z]{4})-([A-Z]{4})?")
_NACHA: Final = re.compile(r"[A-Z]{3}-([0-9]{2})")

# ISO 20022 external bank transaction codes: what moves through an automated clearing house.
_CLEARING_HOUSE: Final = frozenset({"ACDT", "ACOR", "ADBT", "APAC", "ATXN"})
_FAMILIES: Final[Mapping[str, Rail]] = {
    "IDDT": Rail.ACH_DEBIT,
    "LBOX": Rail.CHEQUE,
    "MCRD": Rail.CARD,
    "RCDT": Rail.WIRE,
    "RCHQ": Rail.CHEQUE,
    "RRCT": Rail.WIRE,
}
# BAI2 type codes of single credits, Fedwire's local instruments, MT940 transaction types.
_CODES: Final[Mapping[str, Rail]] = {
    "115": Rail.CHEQUE,
    "116": Rail.CHEQUE,
    "142": Rail.ACH_CREDIT,
    "165": Rail.ACH_CREDIT,
    "166": Rail.ACH_DEBIT,
    "169": Rail.ACH_CREDIT,
    "175": Rail.CHEQUE,
    "195": Rail.WIRE,
    "208": Rail.WIRE,
    "BTRC": Rail.WIRE,
    "CTRC": Rail.WIRE,
    "NCHK": Rail.CHEQUE,
    "NDDT": Rail.ACH_DEBIT,
    "S103": Rail.WIRE,
    "S202": Rail.WIRE,
}
# NACHA transaction codes of credits and debits of a checking, savings, ledger or loan account.
_PUSHED: Final = frozenset({"22", "32", "42", "52"})
_PULLED: Final = frozenset({"27", "37", "47"})


def rail_of(bank_code: str | None) -> Rail | None:
    """Return the rail that a bank's transaction code of a credit names, None when it names none.

    A code that leaves it open, such as an MT940 ``NTRF``, is none: what can come back is not guessed.
    """
    if bank_code is None:
        return None
    iso = _ISO.fullmatch(bank_code)
    if iso is not None:
        family = _FAMILIES.get(iso[1])
        return Rail.ACH_CREDIT if family is Rail.WIRE and iso[2] in _CLEARING_HOUSE else family
    nacha = _NACHA.fullmatch(bank_code)
    if nacha is not None:
        pushed = Rail.ACH_CREDIT if nacha[1] in _PUSHED else None
        return Rail.ACH_DEBIT if nacha[1] in _PULLED else pushed
    return _CODES.get(bank_code)
