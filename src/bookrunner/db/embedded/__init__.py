"""A PostgreSQL server of our own, under a supervisor: no account, no port and no trust to set up."""

from bookrunner.db.embedded.account import default_state
from bookrunner.db.embedded.cluster import ServerFailed
from bookrunner.db.embedded.diagnosis import diagnose, embedded_runs
from bookrunner.db.embedded.server import Server, start_embedded

__all__ = ["Server", "ServerFailed", "default_state", "diagnose", "embedded_runs", "start_embedded"]
