"""A mistaken grant of everything: what still stands for whoever has it are the triggers and constraints."""

from __future__ import annotations

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

# Logins inherit nothing by themselves.
EVERY_RIGHT = (
    GIVEN_TO_ATTACKERS
    + """
alter role {0} inherit;
grant every_right to {0};
set local session authorization {0};
"""
)
