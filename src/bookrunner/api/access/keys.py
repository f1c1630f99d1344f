"""API keys: made once, shown once, kept as a digest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from bookrunner.core.credentials import digest, make_key
from bookrunner.core.errors import Malformed
from bookrunner.db import Endpoint, Row, load
from bookrunner.db.catalog import session

DAYS = 90


@dataclass(frozen=True, slots=True)
class Scope:
    """What a key is limited to; None is no limit.

    ``actions`` are operations, areas, or ``read`` and ``act``; ``reveals`` is ``nothing``, ``dealings`` or
    ``identity``; ``networks`` are addresses or CIDR blocks that it is used from.
    """

    actions: Sequence[str] | None = None
    offers: Sequence[str] | None = None
    reveals: str = "identity"
    networks: Sequence[str] | None = None


WHOLE = Scope()


def issue(
    endpoint: Endpoint,
    name: str,
    keeper: str,
    *,
    days: int = DAYS,
    actor: str,
    issuer: str | None = None,
    scope: Scope = WHOLE,
) -> str:
    """Make a key, keep its digest and return it; nobody can read it again.

    It calls what its role may and ``scope`` leaves. A key of ``issuer`` names the issuer whose offers it
    reads. Runs as the owner of the schema, because no keeper's login may make credentials. Refuses
    ``key_serves_one_keeper``, ``key_of_an_issuer_names_it``, ``key_names_an_issuer_on_record``,
    ``key_name_is_plain``, ``key_expires_after_it_is_issued``, ``key_pkey``, ``key_names_known_actions``,
    ``key_names_offers_on_record``, ``key_reveals_a_known_tier`` and ``network_is_written_plainly``.
    """
    networks = None if scope.networks is None else [_network(each) for each in scope.networks]
    key = make_key(keeper)
    with session(endpoint.owner_dsn()) as connection:
        load(__package__).issue_key(
            connection,
            name=name,
            key_sha256=digest(key),
            keeper=keeper,
            issuer=issuer,
            actions=None if scope.actions is None else list(scope.actions),
            offers=None if scope.offers is None else list(scope.offers),
            reveals=scope.reveals,
            networks=networks,
            issued_by=actor,
            days=days,
        )
    return key


def revoke(endpoint: Endpoint, name: str, *, actor: str) -> None:
    """End a key now; refuses ``revoked_key_name_fkey`` for an unknown one."""
    with session(endpoint.owner_dsn()) as connection:
        load(__package__).revoke_key(connection, name=name, revoked_by=actor)


def listed(endpoint: Endpoint) -> Sequence[Row]:
    """Return every key without its secret: name, keeper, its scope, until when, last used when."""
    with session(endpoint.owner_dsn()) as connection:
        found: Sequence[Row] = load(__package__).keys(connection)
    return found


def _network(written: str) -> str:
    try:
        return str(ip_network(written))
    except ValueError:
        raise Malformed(
            "network_is_written_plainly", "an address or a CIDR block without host bits"
        ) from None
