"""Compliance: identity, owners, screenings, accreditation, clearance."""

from bookrunner.books.compliance.files import MOST_BYTES, keep_file, view_file
from bookrunner.db import Database, Keeper

__all__ = ["MOST_BYTES", "keep_file", "keeper", "view_file"]


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of this book, under its own login."""
    return Keeper(database, "compliance", __name__)
