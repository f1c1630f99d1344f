"""Compliance: identity, owners, screenings, accreditation, clearance."""

from bookrunner.db import Database, Keeper

__all__ = ["keeper"]


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of this book, under its own login."""
    return Keeper(database, "compliance", __name__)
