"""Units that an issuer takes back: buy-backs that holders answer, redemptions by the terms of the issue."""

from __future__ import annotations

from bookrunner.db import Database, Keeper


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of buy-backs, under the agent's login."""
    return Keeper(database, "registry", __name__)
