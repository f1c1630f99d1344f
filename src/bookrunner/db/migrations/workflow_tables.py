"""The system tables of the workflow library, in the schema ``dbos`` of the same database."""

from __future__ import annotations

import logging

from bookrunner.db import catalog
from bookrunner.db.endpoint import Endpoint
from bookrunner.db.layout import Source, read
from bookrunner.db.migrations import apply

SCHEMA = "dbos"


def make(endpoint: Endpoint) -> None:
    """Bring the tables to the library's version and let the login ``workflow`` use, but not change, them.

    They belong to the owner role: its definer functions call functions and fire triggers in this schema, so a
    login that could replace those would act as the owner.
    """
    from dbos import DBOS, SQLAlchemyDatasource

    url = endpoint.owner_url()
    log = logging.getLogger("dbos")
    level = log.level
    # The library warns that the owner may not enter the maintenance database, which is as it should be.
    log.setLevel(logging.ERROR)
    try:
        DBOS.migrate(url, schema=SCHEMA)
        SQLAlchemyDatasource.migrate(url, schema=SCHEMA)
    finally:
        log.setLevel(level)
    with catalog.session(endpoint.owner_dsn()) as connection, connection.transaction():
        name = "workflow_grants.sql"
        apply(connection, [Source(name, read("bookrunner.db.migrations", name))])
