"""What a class distributes, taken in units: the plan, what holders elect, and units on their way."""

from __future__ import annotations

from bookrunner.db import Database, Keeper


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of reinvestment, under the agent's login."""
    return Keeper(database, "registry", __name__)
