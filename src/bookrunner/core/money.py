"""Exact money: whole minor units of a currency, whole base units of a token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from bookrunner.core.errors import Refused

_BIGINT_MAX: Final = 2**63 - 1
_MOST_DIGITS: Final = 18
_NUMERIC_38_MAX: Final = 10**38 - 1
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?", re.ASCII)
_DECIMAL: Final = re.compile(r"(0|[1-9][0-9]{0,37})(?:\.([0-9]{1,18}))?", re.ASCII)

_EXPONENTS: Final[Mapping[int, str]] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP "
        "BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD "
        "FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD "
        "KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD "
        "NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
        "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED "
        "VES WST XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}


class Rounding(StrEnum):
    """How a product that is no whole number of minor units becomes one."""

    EXACT = "exact"
    DOWN = "down"
    UP = "up"
    HALF_EVEN = "half_even"


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency by its ISO 4217 code and the number of decimals of its minor unit."""

    code: str
    exponent: int


_CURRENCIES: Final = {
    code: Currency(code, exponent) for exponent, codes in _EXPONENTS.items() for code in codes.split()
}


def currency(code: str) -> Currency:
    """Return the currency with this ISO 4217 code; refuses ``currency_is_known``."""
    found = _CURRENCIES.get(code)
    if found is None:
        raise Refused("currency_is_known", "no such ISO 4217 code")
    return found


USD: Final = currency("USD")


@dataclass(frozen=True, slots=True)
class Money:
    """A signed whole number of minor units of one currency, within a signed 64-bit integer.

    Refuses ``amount_is_whole`` for anything but an int and ``amount_fits_storage`` beyond 64 bits.
    """

    minor: int
    currency: Currency

    def __post_init__(self) -> None:
        """Refuse what the database could not hold."""
        _check_whole(self.minor)
        if abs(self.minor) > _BIGINT_MAX:
            raise Refused("amount_fits_storage", "more than 64 bits of minor units")

    def __add__(self, other: Money) -> Money:
        """Add money of the same currency; refuses ``currencies_are_equal``."""
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        """Subtract money of the same currency; refuses ``currencies_are_equal``."""
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> Money:
        """Return the same amount with the other sign."""
        return Money(-self.minor, self.currency)

    def __str__(self) -> str:
        """Return the amount and the code, such as ``250000.00 USD``."""
        return f"{self.format()} {self.currency.code}"

    def format(self) -> str:
        """Return the amount with exactly the currency's decimals, such as ``250000.00``."""
        return _decimal_text(self.minor, self.currency.exponent)

    def times(self, factor: int | Fraction, rounding: Rounding = Rounding.EXACT) -> Money:
        """Multiply by an exact factor; refuses ``product_is_exact`` unless a rounding is named."""
        if type(factor) not in {int, Fraction}:
            raise Refused("factor_is_exact", "multiply by an int or a Fraction only")
        return Money(_rounded(self.minor * Fraction(factor), rounding), self.currency)

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise Refused("currencies_are_equal", f"{self.currency.code} and {other.currency.code}")
        return other


@dataclass(frozen=True, slots=True)
class Token:
    """A token by its chain, its contract address and its decimals from the asset register."""

    chain: str
    contract: str
    decimals: int


@dataclass(frozen=True, slots=True)
class TokenAmount:
    """A non-negative whole number of base units of one token, within ``numeric(38,0)``."""

    base: int
    token: Token

    def __post_init__(self) -> None:
        """Refuse what neither the database nor the chain would hold."""
        _check_whole(self.base)
        if not 0 <= self.base <= _NUMERIC_38_MAX:
            raise Refused("amount_fits_storage", "token amounts have 1 to 38 digits and no sign")

    def format(self) -> str:
        """Return the amount with exactly the token's decimals."""
        return _decimal_text(self.base, self.token.decimals)


def parse(text: str, unit: Currency | str) -> Money:
    """Read ``[-]digits[.digits]`` in ASCII, with at most the currency's decimals.

    Refuses ``amount_is_decimal`` for signs, blanks, separators, exponents, leading zeros and other
    scripts; ``amount_fits_currency`` for too many decimals; ``amount_fits_storage`` beyond 64 bits.
    """
    chosen = currency(unit) if isinstance(unit, str) else unit
    negative = text.startswith("-")
    minor = _units(text[1:] if negative else text, chosen.exponent)
    return Money(-minor if negative else minor, chosen)


def ungrouped(text: str) -> str:
    """Return a number as a person typed it without its commas and the blanks around it.

    A comma stands before a whole group of three digits: elsewhere it may be meant as the decimal point, and
    ``250000,00`` would be a hundred times as much. Refuses ``comma_stands_before_three_digits``.
    """
    typed = text.strip()
    if "," not in typed:
        return typed
    if _GROUPED.fullmatch(typed) is None:
        raise Refused(
            "comma_stands_before_three_digits",
            "write 250000.00 or 250,000.00: a point before decimals, a comma before three digits",
        )
    return typed.replace(",", "")


def grouped(minor: int, code: str) -> str:
    """Write an amount for people: thousands apart, the currency's decimals and its code, ``1,250.00 USD``."""
    whole, point, decimals = Money(minor, currency(code)).format().partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}{point}{decimals} {code}"


def parse_token(text: str, token: Token) -> TokenAmount:
    """Read an unsigned decimal in whole tokens; refuses as :func:`parse` does."""
    return TokenAmount(_units(text, token.decimals), token)


def allocate(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Split ``total`` by ``weights`` so that the shares sum to it exactly.

    Largest remainder, ties by key, so the order of ``weights`` does not matter; each share lies
    within the floor and the ceiling of its exact part and a zero weight gets nothing. Refuses
    ``total_is_not_negative`` and ``weights_are_usable`` (negative, all zero or none).
    """
    _check_whole(total)
    if total < 0:
        raise Refused("total_is_not_negative", "split the amount, then apply the sign")
    for weight in weights.values():
        _check_whole(weight)
    mass = sum(weights.values())
    if mass <= 0 or min(weights.values()) < 0:
        raise Refused("weights_are_usable", "at least one above zero and none below")
    parts = {key: divmod(total * weight, mass) for key, weight in weights.items()}
    shares = {key: floor for key, (floor, _) in parts.items()}
    left = total - sum(shares.values())
    for key in sorted(parts, key=lambda k: (-parts[k][1], k))[:left]:
        shares[key] += 1
    return shares


def read_whole(text: str) -> int | None:
    """Return the number that digits write, or None for anything else and for more than 18 digits."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS else None


def _units(text: str, exponent: int) -> int:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise Refused("amount_is_decimal", "expected digits and at most one point")
    whole, decimals = match[1], match[2] or ""
    if len(decimals) > exponent:
        raise Refused("amount_fits_currency", f"at most {exponent} decimals")
    return int(whole + decimals.ljust(exponent, "0"))


def _decimal_text(units: int, exponent: int) -> str:
    sign, digits = "-" if units < 0 else "", str(abs(units)).rjust(exponent + 1, "0")
    if exponent == 0:
        return sign + digits
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"


def _rounded(value: Fraction, rounding: Rounding) -> int:
    if value.denominator == 1:
        return value.numerator
    match rounding:
        case Rounding.DOWN:
            return value.numerator // value.denominator
        case Rounding.UP:
            return -(-value.numerator // value.denominator)
        case Rounding.HALF_EVEN:
            return round(value)
        case Rounding.EXACT:
            raise Refused("product_is_exact", "no whole number of minor units")


def _check_whole(value: object) -> None:
    if type(value) is not int:
        raise Refused("amount_is_whole", "amounts and weights are ints")
