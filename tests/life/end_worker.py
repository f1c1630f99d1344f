"""A worker that ends a failed offer in a process of its own, to be killed while it does."""

from __future__ import annotations

import sys
from pathlib import Path

from bookrunner.db import Database, Endpoint
from bookrunner.db.endpoint import Secrets
from bookrunner.engine import Desk, Process


def main() -> None:
    """Say when the work begins, and when nothing is left."""
    dsn, secrets = sys.argv[1:]
    database = Database(Endpoint(dsn, Secrets(Path(secrets))), max_size=2)
    process = Process(Desk(database))
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    process.expire()
    sys.stdout.write("done\n")
    database.close()


if __name__ == "__main__":
    main()
