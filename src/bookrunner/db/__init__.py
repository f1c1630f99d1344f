"""The database: an embedded server or one by URL, a pool for each keeper, migrations, translated errors."""

from bookrunner.db.embedded import Server, ServerFailed, diagnose, start_embedded
from bookrunner.db.endpoint import LOGINS, Endpoint, Secrets, from_url
from bookrunner.db.keeper import Keeper, Prepare, Within
from bookrunner.db.migrate import (
    freeze,
    install,
    make_roles,
    make_workflow_tables,
    migrate,
    refuse_unmigrated,
    set_passwords,
)
from bookrunner.db.migrations import MigrationFailed
from bookrunner.db.pools import Closed, Database
from bookrunner.db.queries import Row, load
from bookrunner.db.refusals import Contention, DatabaseFault, DatabaseUnavailable, retrying, translate

__all__ = [
    "LOGINS",
    "Closed",
    "Contention",
    "Database",
    "DatabaseFault",
    "DatabaseUnavailable",
    "Endpoint",
    "Keeper",
    "MigrationFailed",
    "Prepare",
    "Row",
    "Secrets",
    "Server",
    "ServerFailed",
    "Within",
    "diagnose",
    "freeze",
    "from_url",
    "install",
    "load",
    "make_roles",
    "make_workflow_tables",
    "migrate",
    "refuse_unmigrated",
    "retrying",
    "set_passwords",
    "start_embedded",
    "translate",
]
