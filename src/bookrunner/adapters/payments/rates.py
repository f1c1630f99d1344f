"""Euro reference rates as the European Central Bank publishes them: the XML file of one day or of many."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from lxml import etree

from bookrunner.adapters.payments import RATES_BYTES_MAX, ReferenceRate
from bookrunner.core.errors import Refused

__all__ = ["read_reference_rates"]

_SENDER: Final = "European Central Bank"
_GESMES: Final = "{http://www.gesmes.org/xml/2002-08-01}"
_CUBE: Final = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
_RATE: Final = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?", re.ASCII)
_CODE: Final = re.compile(r"[A-Z]{3}", re.ASCII)


def read_reference_rates(raw: bytes) -> tuple[ReferenceRate, ...]:
    """Return the rates of a file in the order of the file, each a positive decimal as it is written.

    Refuses ``rates_are_of_a_known_source`` for any other file, and ``rate_is_a_positive_decimal``.
    """
    days = _days(raw)
    found = tuple(_rate(day, line) for day in days for line in day.findall(_CUBE))
    if not found:
        raise _unknown()
    return found


def _days(raw: bytes) -> list[etree._Element]:
    if len(raw) > RATES_BYTES_MAX or b"<!DOCTYPE" in raw:
        raise _unknown()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise _unknown() from None
    sender = root.findtext(f"{_GESMES}Sender/{_GESMES}name")
    if root.tag != f"{_GESMES}Envelope" or sender != _SENDER:
        raise _unknown()
    return root.findall(f"{_CUBE}/{_CUBE}")


def _rate(day: etree._Element, line: etree._Element) -> ReferenceRate:
    code, rate = line.get("currency", ""), line.get("rate", "")
    if _CODE.fullmatch(code) is None or _RATE.fullmatch(rate) is None or not rate.strip("0."):
        raise Refused("rate_is_a_positive_decimal", "a line of the file has no currency or no rate")
    try:
        return ReferenceRate(code, date.fromisoformat(day.get("time", "")), rate)
    except ValueError:
        raise _unknown() from None


def _unknown() -> Refused:
    return Refused("rates_are_of_a_known_source", "this is no file of euro reference rates of the ECB")
