"""What is done to every unit of a class at once: splits and reverse splits."""

from __future__ import annotations

from bookrunner.db import Database, Keeper


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of corporate actions, under the agent's login."""
    return Keeper(database, "registry", __name__)
