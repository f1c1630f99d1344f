"""API keys: made once, shown once, kept as a digest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from bookrunner.core.credentials import DAYS, digest, make_key
from bookrunner.core.errors import Malformed
from bookrunner.db import Endpoint, Row, load
from bookrunner.db.catalog import session


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
    key = make_key(keeper)
    row = _row(name, keeper, issuer, scope) | {"key_sha256": digest(key), "days": days, "issued_by": actor}
    with session(endpoint.owner_dsn()) as connection:
        load(__package__).issue_key(connection, **row)
    return key


def _row(name: str, keeper: str, issuer: str | None, scope: Scope) -> dict[str, Any]:
    networks = None if scope.networks is None else [_network(each) for each in scope.networks]
    return {
        "name": name,
        "keeper": keeper,
        "issuer": issuer,
        "actions": None if scope.actions is None else list(scope.actions),
        "offers": None if scope.offers is None else list(scope.offers),
        "reveals": scope.reveals,
        "networks": networks,
    }


def revoke(endpoint: Endpoint, name: str, *, actor: str) -> None:
    """End a key now; refuses ``revoked_key_name_fkey`` for an unknown one."""
    with session(endpoint.owner_dsn()) as connection:
        load(__package__).revoke_key(connection, name=name, revoked_by=actor)


def listed(endpoint: Endpoint) -> Sequence[Row]:
    """Return every key without its secret: name, keeper, its scope, until when, last used when."""
    with session(endpoint.owner_dsn()) as connection:
        found: Sequence[Row] = load(__package__).keys(connection)
    return found


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an OpenID provider vouches for: its address as its tokens name it, and the subject."""

    issuer: str
    subject: str


def propose_client(
    endpoint: Endpoint,
    name: str,
    keeper: str,
    subject: Subject,
    *,
    days: int = DAYS,
    actor: str,
    scope: Scope = WHOLE,
) -> None:
    """Propose that tokens of a subject call for a keeper, within a scope and for so many days.

    The client is a key that nobody holds, under its own name; `revoke` ends it. It counts once another
    person has approved it. Refuses as `issue` does, ``client_is_no_investor`` and ``subject_is_one_client``.
    """
    unknown = digest(make_key(keeper))
    row = _row(name, keeper, None, scope) | {"key_sha256": unknown, "days": days, "issued_by": actor}
    queries = load(__package__)
    with session(endpoint.owner_dsn()) as connection, connection.transaction():
        queries.issue_key(connection, **row)
        queries.propose_client(
            connection,
            name=name,
            token_issuer=subject.issuer,
            subject=subject.subject,
            proposed_by=actor,
        )


def approve_client(endpoint: Endpoint, name: str, *, actor: str) -> None:
    """Approve a client as another person than who proposed it.

    Refuses ``client_needs_two_people``, ``client_approval_pkey`` and ``client_approval_name_fkey``.
    """
    with session(endpoint.owner_dsn()) as connection:
        load(__package__).approve_client(connection, name=name, approved_by=actor)


def _network(written: str) -> str:
    try:
        return str(ip_network(written))
    except ValueError:
        raise Malformed(
            "network_is_written_plainly", "an address or a CIDR block without host bits"
        ) from None
