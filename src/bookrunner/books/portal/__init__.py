"""The investor portal: what investors say and claim."""

from bookrunner.db import Database, Keeper

__all__ = ["keeper"]


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of this book, under its own login."""
    return Keeper(database, "portal", __name__)
