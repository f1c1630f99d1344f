"""Makes the versions of a record again from its events, which tell of each change what differs.

What stays out of events is in ``withheld`` by its name. :func:`look_at` hands out the words among it that
are no secrets, after the look is on record. Every version with person and time: 17 CFR 240.17a-4(f)(2)(i)(A).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Row, Within, load

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Version:
    """One version: ``fields`` is all that the record said, ``changed`` what differs, each with what it was.

    ``occurred_at`` is when it happened in the world, ``recorded_at`` when the books knew.
    """

    version: int
    kind: str
    keeper: str
    actor: str
    request: str
    caused_by: str | None
    occurred_at: datetime
    recorded_at: datetime
    hash: bytes
    changed: Mapping[str, tuple[Any, Any]]
    fields: Fields


@dataclass(frozen=True, slots=True)
class Word:
    """What a record said outside of its events, up to a version; None for what it says now."""

    name: str
    until_version: int | None
    said: Any
    is_erased: bool


@dataclass(frozen=True, slots=True)
class History:
    """A record with all of its versions, oldest first, and the names of what its events leave out."""

    scope: str
    record: str
    machine: str
    versions: Sequence[Version]
    withheld: Sequence[str]
    words: Sequence[Word] = ()

    def at(self, moment: datetime) -> Version | None:
        """Return the version that the books had at a moment; None before the first one."""
        count = bisect_right(self.versions, moment, key=lambda each: each.recorded_at)
        return self.versions[count - 1] if count else None

    def numbered(self, version: int) -> Version:
        """Return one version; raises UnknownRecord ``version_exists``."""
        if not 1 <= version <= len(self.versions):
            raise UnknownRecord("version_exists", f"{self.record} has {len(self.versions)} versions")
        return self.versions[version - 1]

    def late(self, moment: datetime) -> Sequence[Version]:
        """Return what had happened at a moment and was recorded later: nobody here knew of it yet."""
        return [each for each in self.versions if each.occurred_at <= moment < each.recorded_at]

    def words_at(self, version: int) -> Mapping[str, Word]:
        """Return what each word was at a version."""
        said: dict[str, Word] = {}
        for word in self.words:
            until = word.until_version
            if word.name not in said and (until is None or version <= until):
                said[word.name] = word
        return said


def history_of(within: Within, record: str) -> History:
    """Make every version of a record again, under any login that reads events.

    ``record`` is an id, or ``SCOPE/ID``. Raises UnknownRecord ``record_exists``, and Refused
    ``record_is_named_with_its_scope`` where two scopes have a record of that name.
    """
    queries = within.using(load(__package__))
    scope, _, subject = record.rpartition("/")
    scopes = [row["scope"] for row in queries.chains_of(subject=subject, scope=scope or None)]
    if not scopes:
        raise UnknownRecord("record_exists", f"there is no record {record}")
    if len(scopes) > 1:
        raise Refused("record_is_named_with_its_scope", f"{subject} is in {', '.join(scopes)}")
    versions = list(_versions(queries.versions_of(scope=scopes[0], subject=subject)))
    machine = versions[0].kind.partition(".")[0]
    withheld: Sequence[str] = queries.withheld_of(machine=machine) or ()
    return History(scopes[0], subject, machine, versions, sorted(withheld))


def look_at(database: Database, record: str, *, actor: str, purpose: str) -> History:
    """Return a record with its words outside of events; who looks, and why, is recorded first.

    Raises as :func:`history_of`; a look without a purpose is refused by ``view_says_its_purpose``.
    """
    with database.transaction("audit") as transaction:
        within = Within(transaction, load(__package__))
        found = history_of(within, record)
        rows: Sequence[Row] = within.look_at_record(
            actor=actor,
            request=new_id("req"),
            scope=found.scope,
            subject=found.record,
            view=new_id("rvw"),
            purpose=purpose,
        )
    return replace(found, words=[Word(**row) for row in rows])


def _versions(rows: Sequence[Row]) -> Iterator[Version]:
    fields: Fields = {}
    for row in rows:
        # Of an event whose text was damaged nothing is known but that it is there.
        told: Fields = row["payload"] or {}
        changed = {name: (fields.get(name), told[name]) for name in sorted(told)}
        fields = {**fields, **told}
        yield Version(
            row["version"],
            row["kind"],
            row["keeper"],
            row["actor"],
            row["request_id"],
            row["caused_by"],
            row["occurred_at"],
            row["recorded_at"],
            bytes(row["hash"]),
            changed,
            dict(sorted(fields.items())),
        )
