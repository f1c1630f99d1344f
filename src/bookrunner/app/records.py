"""A look at what a record says outside of its events: the words and personal data of one version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bookrunner.audit.record import History, Version, Word, look_at
from bookrunner.books import portal
from bookrunner.core import clock
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.db import Database

_PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class Looked:
    """One version as it was: ``words`` outside of events, and ``personal`` data of a profile.

    ``personal`` is None where a record has none, and empty where it was erased.
    """

    history: History
    version: Version
    words: Mapping[str, Word]
    personal: Mapping[str, str] | None


def look(database: Database, record: str, at: datetime | None, *, actor: str, purpose: str) -> Looked:
    """Show a record at a moment with what its events leave out; the look is recorded first.

    Personal data is opened by the portal's own view, which is on record too. Raises as `look_at`, and
    UnknownRecord ``record_exists`` where there was no record yet.
    """
    found = look_at(database, record, actor=actor, purpose=purpose)
    seen = found.at(at or clock.now())
    if seen is None:
        raise UnknownRecord("record_exists", f"there was no record {record} at that moment")
    personal = None
    if found.machine == _PROFILE:
        personal = _personal(database, found.record, int(seen.fields["detail_version"]), (actor, purpose))
    return Looked(found, seen, found.words_at(seen.version), personal)


def _personal(database: Database, investor: str, version: int, by: tuple[str, str]) -> Mapping[str, str]:
    actor, purpose = by
    try:
        return portal.reveal_profile(portal.keeper(database), investor, version, actor=actor, purpose=purpose)
    except Refused as refused:
        if refused.rule == "personal_data_is_not_erased":
            return {}
        raise
