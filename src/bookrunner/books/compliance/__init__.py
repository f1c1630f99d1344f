"""Compliance: identity, owners, screenings, accreditation, clearance."""

from bookrunner.books.compliance.desk import office, record_with_paper, take_owners
from bookrunner.books.compliance.privacy import (
    MOST_BYTES,
    checked_paper,
    keep_file,
    keep_files,
    keep_paper,
    sealed_file,
    sealed_paper,
    view_file,
)
from bookrunner.books.compliance.screening import (
    WALLET,
    BirthDates,
    Particulars,
    ScreeningDesk,
    Update,
    record_particulars,
    refuse_list,
    take_list,
)
from bookrunner.db import Database, Keeper

__all__ = [
    "MOST_BYTES",
    "WALLET",
    "BirthDates",
    "Particulars",
    "ScreeningDesk",
    "Update",
    "checked_paper",
    "keep_file",
    "keep_files",
    "keep_paper",
    "keeper",
    "office",
    "record_particulars",
    "record_with_paper",
    "refuse_list",
    "sealed_file",
    "sealed_paper",
    "take_list",
    "take_owners",
    "view_file",
]


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of this book, under its own login."""
    return Keeper(database, "compliance", __name__)
