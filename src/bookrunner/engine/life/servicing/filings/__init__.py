"""Filings and reports that an offer owes: opened by facts, packed from the books, filed by people."""

from bookrunner.engine.life.servicing.filings.packs import (
    Pack,
    as_csv,
    as_json,
    pack_of,
    shown_value,
    told_value,
)
from bookrunner.engine.life.servicing.filings.reactions import Filings, follow_all

__all__ = ["Filings", "Pack", "as_csv", "as_json", "follow_all", "pack_of", "shown_value", "told_value"]
