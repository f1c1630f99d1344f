"""The investor portal: what investors say and claim."""

from bookrunner.books.portal.personal import (
    front_door,
    reveal,
    reveal_change,
    reveal_profile,
    sealed_anew,
    sealed_for,
)
from bookrunner.db import Database, Keeper

__all__ = ["keeper", "reveal", "reveal_change", "reveal_profile", "sealed_anew", "sealed_for"]


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of this book, under its own login; personal numbers are sealed."""
    return Keeper(database, "portal", __name__, front_door(database))
