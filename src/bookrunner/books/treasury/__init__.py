"""The fund administrator: receipts, matching, clearing, escrow, release."""

from bookrunner.db import Database, Keeper

__all__ = ["keeper"]


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of this book, under its own login."""
    return Keeper(database, "treasury", __name__)
