"""The subscription desk: packets, agreements, signatures, allocation."""

from bookrunner.db import Database, Keeper

__all__ = ["keeper"]


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of this book, under its own login."""
    return Keeper(database, "subscription", __name__)
