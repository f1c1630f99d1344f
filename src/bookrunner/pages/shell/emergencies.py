"""The emergencies that stand now, for the banner on every page of whoever is signed in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from bookrunner.core.errors import BookrunnerError
from bookrunner.db import Database, Row, load

STANDS_SECONDS: Final = 5.0


class Standing:
    """Returns them when it is called, asked of the books every five seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load("bookrunner.pages")
        self._found: Sequence[Row] = ()
        self._asked_at = -STANDS_SECONDS

    def __call__(self) -> Sequence[Row]:
        """Return who may end whose keys, until when; what was known last while the books do not answer."""
        now = time.monotonic()
        if now - self._asked_at >= STANDS_SECONDS:
            self._asked_at = now
            try:
                with self._database.transaction("audit") as transaction:
                    self._found = list(self._queries.standing_emergencies(transaction))
            except BookrunnerError:
                # The page that says so has to be shown.
                return self._found
        return self._found
