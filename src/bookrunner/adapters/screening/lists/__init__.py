"""Readers of sanctions lists in the formats in which they are published."""

from bookrunner.adapters.screening.lists import european_union, ofac_csv, ofac_xml, united_nations, us_csl
from bookrunner.adapters.screening.lists.assemble import successor

__all__ = ["european_union", "ofac_csv", "ofac_xml", "successor", "united_nations", "us_csl"]
