"""API keys: made once, shown once, kept as a digest."""

from __future__ import annotations

from collections.abc import Sequence

from bookrunner.core.credentials import digest, make_key
from bookrunner.db import Endpoint, Row, load
from bookrunner.db.catalog import session

DAYS = 90


def issue(
    endpoint: Endpoint, name: str, keeper: str, *, days: int = DAYS, actor: str, issuer: str | None = None
) -> str:
    """Make a key, keep its digest and return it; nobody can read it again.

    A key of ``issuer`` names the issuer whose offers it reads. Runs as the owner of the schema, because no
    keeper's login may make credentials. Refuses ``key_serves_one_keeper``, ``key_of_an_issuer_names_it``,
    ``key_names_an_issuer_on_record``, ``key_name_is_plain``, ``key_expires_after_it_is_issued`` and
    ``key_pkey``.
    """
    key = make_key(keeper)
    with session(endpoint.owner_dsn()) as connection:
        load(__package__).issue_key(
            connection,
            name=name,
            key_sha256=digest(key),
            keeper=keeper,
            issuer=issuer,
            issued_by=actor,
            days=days,
        )
    return key


def revoke(endpoint: Endpoint, name: str, *, actor: str) -> None:
    """End a key now; refuses ``revoked_key_name_fkey`` for an unknown one."""
    with session(endpoint.owner_dsn()) as connection:
        load(__package__).revoke_key(connection, name=name, revoked_by=actor)


def listed(endpoint: Endpoint) -> Sequence[Row]:
    """Return every key without its secret: name, keeper, who issued it, when, until when, revoked when."""
    with session(endpoint.owner_dsn()) as connection:
        found: Sequence[Row] = load(__package__).keys(connection)
    return found
