"""A mistaken grant of everything: what still stands for whoever has it are the triggers and constraints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

_SCHEMAS = "audit, engine, portal, compliance, subscription, treasury, registry, reconciliation"

# A group that nobody is in. Each grant changes thousands of rows of the catalogue: the template has them
# already, so that copies need not repeat them, and an attacker joins the group in a transaction that is
# rolled back.
GIVEN_TO_ATTACKERS = f"""
do $group$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'every_right') then
        create role every_right nologin;
    end if;
    if not has_schema_privilege('every_right', 'reconciliation', 'usage') then
        grant usage on schema {_SCHEMAS} to every_right;
        grant all on all tables in schema {_SCHEMAS} to every_right;
        grant execute on all functions in schema {_SCHEMAS} to every_right;
    end if;
end
$group$;
"""

# Logins inherit nothing by themselves. For a transaction that is rolled back.
EVERY_RIGHT = (
    GIVEN_TO_ATTACKERS
    + """
alter role {0} inherit;
grant every_right to {0};
set local session authorization {0};
"""
)


@contextmanager
def kept(admin: psycopg.Connection, login: str) -> Iterator[None]:
    """Let the session write as a login that has every right, keep what it wrote, and take the rights away.

    What is checked at the commit is checked as that login. Who is in a group is so in every database of the
    server.
    """
    with admin.transaction():
        admin.execute(EVERY_RIGHT.format(login).encode())
        yield
        admin.execute("set constraints all immediate")
        admin.execute("reset session authorization")
        admin.execute(f"revoke every_right from {login}; alter role {login} noinherit".encode())
