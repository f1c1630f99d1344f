"""Makes and changes the database: roles, schema, migrations, passwords, workflow tables."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bookrunner.core.errors import BookrunnerError, ConfigurationError
from bookrunner.db import catalog, layout
from bookrunner.db.endpoint import LOGINS, Endpoint, owner_dsn
from bookrunner.db.migrations import apply

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic and the workflow library take more than a second to import, which only a deployment should pay.

_HERE = Path(__file__).parent
_SCRIPTS = _HERE / "migrations"

FIRST = "0001"


def install(admin_dsn: str, sources: Sequence[layout.Source] | None = None) -> None:
    """Make the roles, then apply the current schema files as the owner in one transaction.

    For a new database that will not be migrated later, such as the tests' template. ``sources`` defaults to
    all of layout.SCHEMA_FILES. Raises MigrationFailed naming file and line.
    """
    make_roles(admin_dsn)
    with catalog.session(owner_dsn(admin_dsn)) as connection, connection.transaction():
        apply(connection, layout.sources() if sources is None else sources)


def migrate(endpoint: Endpoint) -> None:
    """Bring a database to this release: roles, migrations, passwords, workflow tables.

    Repeating it changes nothing; of two deployments at once the second waits. Raises MigrationFailed naming
    file and line, and ConfigurationError when the server would lose acknowledged writes.
    """
    from alembic import command

    unsafe = catalog.unsafe_settings(endpoint.admin_dsn(), embedded=endpoint.embedded)
    if unsafe:
        raise ConfigurationError("the database server is not safe to write to: " + "; ".join(unsafe))
    with catalog.session(endpoint.admin_dsn()) as guard:
        catalog.lock_migrations(guard)
        make_roles(endpoint.admin_dsn())
        command.upgrade(_config(endpoint.owner_dsn()), "head")
        set_passwords(endpoint)
        make_workflow_tables(endpoint)


def make_roles(admin_dsn: str) -> None:
    """Make the roles and their rights on this one database; may be repeated."""
    with catalog.session(admin_dsn) as connection, connection.transaction():
        apply(connection, [layout.Source("roles.sql", layout.read("bookrunner.db", "roles.sql"))])


def set_passwords(endpoint: Endpoint) -> None:
    """Give each login the password that the endpoint's secrets hold for it."""
    with catalog.session(endpoint.admin_dsn()) as connection, connection.transaction():
        for login in LOGINS:
            catalog.set_password(connection, login, endpoint.secrets.obtain(login))


def make_workflow_tables(endpoint: Endpoint) -> None:
    """Make or upgrade the workflow library's tables in the schema ``dbos``."""
    from bookrunner.db.migrations import workflow_tables

    workflow_tables.make(endpoint)


def refuse_unmigrated(endpoint: Endpoint) -> None:
    """Raise ConfigurationError unless the database has reached exactly this release's migrations."""
    from alembic.script import ScriptDirectory

    reached = catalog.migration_heads(endpoint.admin_dsn())
    wanted = sorted(ScriptDirectory.from_config(_config("")).get_heads())
    if reached != wanted:
        have = ", ".join(reached) or "none"
        raise ConfigurationError(
            f"the database has the migrations {have}, this release needs {', '.join(wanted)}: migrate it"
        )


def diagnose_server(endpoint: Endpoint) -> list[str]:
    """Return a sentence for each thing that is wrong with a server of somebody else; nothing is written.

    A database that waits for its migrations is named too.
    """
    findings: list[str] = []
    try:
        findings += catalog.unsafe_settings(endpoint.admin_dsn(), embedded=endpoint.embedded)
        findings += catalog.telling_settings(endpoint.admin_dsn())
        refuse_unmigrated(endpoint)
    except ConfigurationError as fault:
        return [*findings, str(fault)]
    except BookrunnerError as fault:
        return [f"the database server does not answer: {fault}"]
    return findings


def freeze(sources: Sequence[layout.Source] | None = None) -> None:
    """Rewrite the SQL of the first migration from the current schema files; ends with the first release."""
    target = _SCRIPTS / "sql" / FIRST
    current = layout.sources() if sources is None else sources
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for source in current:
        (target / source.name).write_text(source.text, encoding="utf-8")


def _config(dsn: str) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["owner_dsn"] = dsn
    return config
