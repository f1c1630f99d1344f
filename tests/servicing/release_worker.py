"""A worker that goes on with started payments in a process of its own and dies at a step of its books."""

from __future__ import annotations

from pathlib import Path

from bookrunner.core import clock
from bookrunner.db import Endpoint
from bookrunner.db.endpoint import Secrets
from bookrunner.engine.desk import Desk
from bookrunner.engine.life.servicing.distributions import Distributions
from tests.life.end_worker import MortalDatabase


def look_until_killed(dsn: str, secrets: str, steps: int) -> None:
    """Owe what is cancelled and give back what was let go; one that survives has nothing left to do."""
    database = MortalDatabase(Endpoint(dsn, Secrets(Path(secrets))), steps)
    Distributions(Desk(database)).look(clock.today())
    database.close()
