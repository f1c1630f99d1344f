"""What is done to the units of an offer and asked of its holders after the close: votes."""

from __future__ import annotations

from bookrunner.db import Database, Keeper

__all__ = ["actions_of"]


def actions_of(database: Database) -> Keeper:
    """Return the engine's verbs and lookups of corporate actions."""
    return Keeper(database, "engine", __package__)
