"""Amounts in words, as an agreement states them beside the digits."""

from __future__ import annotations

from typing import Final

from bookrunner.core.money import Money

_SMALL_WORDS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS_WORDS: Final = "zero ten twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL: Final = _SMALL_WORDS.split()
_TENS: Final = _TENS_WORDS.split()
_SCALES: Final = ("", " thousand", " million", " billion", " trillion", " quadrillion")


def amount_in_words(money: Money) -> str:
    """Return a positive amount as ``two hundred fifty thousand and 00/100 USD``.

    A currency without a minor unit has no fraction.
    """
    exponent = money.currency.exponent
    whole, part = divmod(money.minor, 10**exponent)
    fraction = f" and {part:0{exponent}}/{10**exponent}" if exponent else ""
    return f"{_whole(whole)}{fraction} {money.currency.code}"


def _whole(number: int) -> str:
    if number == 0:
        return _SMALL[0]
    groups = []
    for scale in _SCALES:
        number, group = divmod(number, 1000)
        if group:
            groups.append(_group(group) + scale)
    return " ".join(reversed(groups))


def _group(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    parts = [f"{_SMALL[hundreds]} hundred"] if hundreds else []
    if rest >= len(_SMALL):
        tens, ones = divmod(rest, 10)
        parts.append(f"{_TENS[tens]}-{_SMALL[ones]}" if ones else _TENS[tens])
    elif rest:
        parts.append(_SMALL[rest])
    return " ".join(parts)
