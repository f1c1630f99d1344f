"""Convertibles that become units of another class: their formula, its inputs, what each holder gets."""

from __future__ import annotations

from bookrunner.db import Database, Keeper


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of conversions, under the agent's login."""
    return Keeper(database, "registry", __name__)
