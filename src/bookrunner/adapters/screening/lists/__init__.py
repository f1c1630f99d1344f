"""Readers of sanctions lists in the formats in which they are published."""

from bookrunner.adapters.screening.lists import european_union, ofac_csv, ofac_xml, united_nations, us_csl
from bookrunner.adapters.screening.lists.assemble import successor
from bookrunner.adapters.screening.lists.recognised import (
    PARSER_VERSION,
    Published,
    day_in_name,
    recognise,
)

__all__ = [
    "PARSER_VERSION",
    "Published",
    "day_in_name",
    "european_union",
    "ofac_csv",
    "ofac_xml",
    "recognise",
    "successor",
    "united_nations",
    "us_csl",
]
