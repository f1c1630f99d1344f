"""Where the database is and how each login enters it."""

from __future__ import annotations

import os
import secrets as random_source
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, urlencode

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bookrunner.core.errors import ConfigurationError

Parts = Mapping[str, str | int | None]

DATABASE = "bookrunner"
OWNER = "bookrunner_owner"

LOGINS = (
    "portal",
    "compliance",
    "subscription",
    "treasury",
    "registry",
    "engine",
    "audit",
    "reconciliation",
    "workflow",
    "issuer",
    "access",
)

# A certificate belongs to the administrator; a login enters with its own password.
_ADMIN_ONLY = frozenset(
    {"user", "password", "passfile", "sslcert", "sslkey", "sslpassword", "options", "service"}
)
_IN_URL_ITSELF = frozenset({"user", "password", "host", "port", "dbname"})
_MIGRATION_OPTIONS = f"-c role={OWNER} -c lock_timeout=5s -c statement_timeout=300s"


@dataclass(frozen=True, slots=True)
class Secrets:
    """A private folder with one password file for each login."""

    folder: Path

    def obtain(self, login: str) -> str:
        """Return the password of ``login``, making a random one (256 bits, file mode 0600) the first time."""
        found = self.peek(login)
        if found is not None:
            return found
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.folder / f".{login}.{os.getpid()}.{random_source.token_hex(4)}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(random_source.token_urlsafe(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link never replaces, so of two processes at once both return the first one's password.
            os.link(draft, self.folder / login)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return (self.folder / login).read_text(encoding="ascii")

    def peek(self, login: str) -> str | None:
        """Return the password of ``login``, or None when none was made."""
        try:
            return (self.folder / login).read_text(encoding="ascii")
        except FileNotFoundError:
            return None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One database and the ways into it; ``embedded`` tells that its server is our own."""

    _admin: str = field(repr=False)
    secrets: Secrets
    embedded: bool = False

    @property
    def database(self) -> str:
        """The name of the database."""
        return str(conninfo_to_dict(self._admin)["dbname"])

    def admin_dsn(self) -> str:
        """Return the administrator's connection string: deployment and diagnosis only, never at run time."""
        return self._admin

    def owner_dsn(self) -> str:
        """Return the administrator's connection string acting as the owner role, with migration timeouts."""
        return owner_dsn(self._admin)

    def dsn(self, login: str) -> str:
        """Return the connection string of ``login``; raises ConfigurationError for one that is not ours."""
        return conninfo(self._parts(login))

    def url(self, login: str) -> str:
        """Return the same as a ``postgresql://`` URL, for libraries that take nothing else."""
        return _url(self._parts(login))

    def owner_url(self) -> str:
        """Return ``owner_dsn()`` as a ``postgresql://`` URL."""
        return _url(conninfo_to_dict(self.owner_dsn()))

    def of(self, database: str) -> Endpoint:
        """Return the endpoint of another database on the same server."""
        return replace(self, _admin=conninfo(conninfo_to_dict(self._admin), dbname=database))

    def _parts(self, login: str) -> Parts:
        if login not in LOGINS:
            raise ConfigurationError(f"{login} is not one of the logins: {', '.join(LOGINS)}")
        parts = {key: value for key, value in conninfo_to_dict(self._admin).items() if key not in _ADMIN_ONLY}
        return {**parts, "user": login, "password": self.secrets.obtain(login)}


def from_url(url: str, state: Path) -> Endpoint:
    """Return the endpoint of a server that somebody else runs.

    ``url`` is the administrator's, from BOOKRUNNER_DATABASE_URL; the logins' passwords stay in ``state``.
    Raises ConfigurationError when it cannot be read, without repeating it.
    """
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError:
        raise ConfigurationError("BOOKRUNNER_DATABASE_URL is not a PostgreSQL connection string") from None
    return Endpoint(conninfo(parts, dbname=str(parts.get("dbname") or DATABASE)), Secrets(state / "secrets"))


def owner_dsn(admin_dsn: str) -> str:
    """Return ``admin_dsn`` acting as the owner role from its first statement on, with migration timeouts."""
    parts = conninfo_to_dict(admin_dsn)
    return conninfo(parts, options=f"{parts.get('options') or ''} {_MIGRATION_OPTIONS}".strip())


def conninfo(parts: Parts, **changed: str) -> str:
    """Return a libpq connection string of ``parts`` with some of them changed."""
    return make_conninfo("", **{**parts, **changed})


def _url(parts: Parts) -> str:
    """Write a URL with host and port as parameters, the only place where a socket directory fits."""
    extra = {key: str(value) for key, value in parts.items() if key not in _IN_URL_ITSELF}
    place = {key: str(parts[key]) for key in ("host", "port") if parts.get(key)}
    who = quote(str(parts["user"]), safe="")
    if parts.get("password"):
        who = f"{who}:{quote(str(parts['password']), safe='')}"
    asked = urlencode({**place, **extra}, quote_via=quote)
    return f"postgresql://{who}@/{quote(str(parts['dbname']), safe='')}?{asked}"
