"""The database: an embedded server or one by URL, a pool for each keeper, migrations, translated errors."""

from bookrunner.db.embedded import (
    Server,
    ServerFailed,
    default_state,
    diagnose,
    embedded_runs,
    start_embedded,
)
from bookrunner.db.endpoint import LOGINS, Endpoint, Secrets, from_url
from bookrunner.db.keeper import Arguments, Keeper, Prepare, Step, Within
from bookrunner.db.migrate import (
    diagnose_server,
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
from bookrunner.db.pools.lanes import Lanes
from bookrunner.db.queries import Row, load, stepped
from bookrunner.db.refusals import Contention, DatabaseFault, DatabaseUnavailable, retrying, translate

__all__ = [
    "LOGINS",
    "Arguments",
    "Closed",
    "Contention",
    "Database",
    "DatabaseFault",
    "DatabaseUnavailable",
    "Endpoint",
    "Keeper",
    "Lanes",
    "MigrationFailed",
    "Prepare",
    "Row",
    "Secrets",
    "Server",
    "ServerFailed",
    "Step",
    "Within",
    "default_state",
    "diagnose",
    "diagnose_server",
    "embedded_runs",
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
    "stepped",
    "translate",
]
