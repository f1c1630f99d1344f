"""API keys: made once, shown once, kept as a digest."""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Sequence

from bookrunner.core.errors import NotAuthenticated
from bookrunner.core.ids import encode
from bookrunner.db import Endpoint, Row, load
from bookrunner.db.catalog import session

KEEPERS = ("portal", "compliance", "subscription", "treasury", "registry", "engine", "audit")
DAYS = 90

_FORM = re.compile(rf"(bookrunner_({'|'.join(KEEPERS)})_[0-9a-z]{{52}})_([0-9a-f]{{8}})", re.ASCII)


def make(keeper: str) -> str:
    """Return a new key of 256 random bits: ``bookrunner_KEEPER_SECRET_CHECKSUM``."""
    secret = "".join(encode(int.from_bytes(os.urandom(16))) for _ in range(2))
    body = f"bookrunner_{keeper}_{secret}"
    return f"{body}_{_checksum(body)}"


def read(key: str) -> tuple[str, bytes]:
    """Return the keeper that a key says it serves, and the key's digest; the database checks both.

    Raises NotAuthenticated for what no key of ours looks like, without asking the database.
    """
    found = _FORM.fullmatch(key)
    if found is None or _checksum(found[1]) != found[3]:
        raise NotAuthenticated("credential_is_in_force", "the key is not one of this installation")
    return found[2], hashlib.sha256(key.encode("ascii")).digest()


def issue(endpoint: Endpoint, name: str, keeper: str, *, days: int = DAYS, actor: str) -> str:
    """Make a key, keep its digest and return it; nobody can read it again.

    Runs as the owner of the schema, because no keeper's login may make credentials. Refuses
    ``key_serves_one_keeper``, ``key_name_is_plain``, ``key_expires_after_it_is_issued`` and ``key_pkey``.
    """
    key = make(keeper)
    with session(endpoint.owner_dsn()) as connection:
        load(__package__).issue_key(
            connection,
            name=name,
            key_sha256=hashlib.sha256(key.encode("ascii")).digest(),
            keeper=keeper,
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


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode('ascii')):08x}"
