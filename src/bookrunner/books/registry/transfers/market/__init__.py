"""Where holders of registered units trade: venues and what they tell of."""

from __future__ import annotations

from bookrunner.db import Database, Keeper


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of venues and trades, under the agent's login."""
    return Keeper(database, "registry", __name__)
