"""Reference rates, the currencies that an offer takes, and the rates kept with commitments and payments."""

from bookrunner.db import Database, Keeper

__all__ = ["exchange"]


def exchange(database: Database) -> Keeper:
    """Return the verbs of rates and currencies, under the treasury's own login."""
    return Keeper(database, "treasury", __name__)
