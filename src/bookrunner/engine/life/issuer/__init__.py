"""What an issuer reads: its own offers alone, kept apart by row security behind one login."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bookrunner.core.credentials import ISSUER
from bookrunner.core.errors import NotFound
from bookrunner.db import Database, Row, Within, load

__all__ = ["filing", "filings", "logo", "offer", "offers", "votes"]


@contextmanager
def _entered(database: Database, session: bytes) -> Iterator[Within]:
    """Lend the lookups of the issuer behind a session, inside one transaction that reads for it alone.

    Raises NotAuthenticated where the session is not in force.
    """
    queries = load(__package__)
    with database.transaction(ISSUER) as transaction:
        queries.enter(transaction, session=session)
        yield Within(transaction, queries)


def offers(database: Database, session: bytes) -> dict[str, object]:
    """Return the profile of the issuer behind a session, its offers and the notices to it."""
    with _entered(database, session) as of:
        return {
            "profile": of.profile(),
            "offers": list(of.offers()),
            "notices": list(of.notices(offering=None)),
        }


def offer(database: Database, session: bytes, offering: str) -> dict[str, object]:
    """Return one offer of the issuer behind a session, with everything about it.

    Money in minor units, units whole. Raises NotFound for an offer of another issuer as for none.
    """
    with _entered(database, session) as of:
        found: Row | None = of.offer(offering=offering)
        if found is None:
            raise NotFound("There is no such page")
        named = ("investments", "closings", "holders", "money", "releases", "documents", "notices")
        lists = {name: list(getattr(of, name)(offering=offering)) for name in named}
        return {
            **lists,
            "profile": of.profile(),
            "offer": found,
            "totals": of.totals(offering=offering),
            "escrow": of.escrow(offering=offering),
        }


def filings(database: Database, session: bytes) -> dict[str, object]:
    """Return the profile of the issuer behind a session and the filings that its offers owe."""
    with _entered(database, session) as of:
        return {"profile": of.profile(), "filings": list(of.filings(filing=None))}


def filing(database: Database, session: bytes, name: str) -> tuple[Row, list[Row]]:
    """Return one filing of the issuer behind a session and the items of its pack.

    Raises NotFound for a filing of another issuer as for none.
    """
    with _entered(database, session) as of:
        found = list(of.filings(filing=name))
        if not found:
            raise NotFound("There is no such page")
        return found[0], list(of.filing_pack(filing=name))


def votes(database: Database, session: bytes) -> dict[str, object]:
    """Return the profile of the issuer behind a session and the votes of its offers, without any ballot."""
    with _entered(database, session) as of:
        return {"profile": of.profile(), "votes": list(of.votes())}


def logo(database: Database, session: bytes, name: str) -> bytes:
    """Return the logo of the issuer behind a session by its digest, a PNG; raises NotFound for any other."""
    with _entered(database, session) as of:
        profile = of.profile()
    if profile["logo"] is None or bytes(profile["logo_sha256"]).hex() != name:
        raise NotFound("There is no such page")
    return bytes(profile["logo"])
