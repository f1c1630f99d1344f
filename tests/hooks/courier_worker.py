"""A courier in a process of its own: one round, at the moment that it is given."""

from __future__ import annotations

import ssl
import sys
from datetime import datetime
from pathlib import Path

from bookrunner.adapters.webhooks import Sender
from bookrunner.api.hooks.courier import Courier
from bookrunner.db import Database, Endpoint
from bookrunner.db.endpoint import Secrets
from tests.hooks.conftest import to_loopback


def main() -> None:
    """Do one round."""
    dsn, secrets, trusted, moment = sys.argv[1:]
    sender = Sender(loopback=True, trusted=ssl.create_default_context(cafile=trusted), resolving=to_loopback)
    now = datetime.fromisoformat(moment)
    Courier(Database(Endpoint(dsn, Secrets(Path(secrets)))), sender, now=lambda: now).round()


if __name__ == "__main__":
    main()
