"""Turn drafts into a list, and refuse what cannot be a whole list."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from bookrunner.adapters.screening.lists.draft import Draft
from bookrunner.adapters.screening.model import ListEntry, ListVersion, SanctionsList
from bookrunner.core.errors import Refused

MOST_LOST_PER_MILLE: Final = 100


def digest_of(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of one file, or over the names, lengths and bytes of several in order of name."""
    if len(files) == 1:
        return hashlib.sha256(next(iter(files.values()))).hexdigest()
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{name}:{len(files[name])}:".encode() + files[name])
    return whole.hexdigest()


def assemble(
    code: str, files: Mapping[str, bytes], published_on: date, drafts: Iterable[Draft]
) -> SanctionsList:
    """Return the list; refuses ``list_is_not_empty`` and ``listed_entry_stands_once``."""
    entries: dict[str, ListEntry] = {}
    unread = 0
    for draft in drafts:
        if draft.entry_id in entries:
            raise Refused("listed_entry_stands_once", draft.entry_id)
        entries[draft.entry_id] = draft.entry()
        unread += draft.unread
    if not entries:
        raise Refused("list_is_not_empty", f"{code}: no entry in the files")
    return SanctionsList(code, ListVersion(digest_of(files), published_on), entries, unread)


def successor(current: SanctionsList, offered: SanctionsList) -> SanctionsList:
    """Return ``offered`` when it may follow ``current`` without a person's word.

    Refuses ``list_keeps_its_code``, ``list_is_not_older`` and ``list_has_not_shrunk``: more than a
    tenth of the entries gone at once is a broken file until somebody says otherwise.
    """
    if offered.code != current.code:
        raise Refused("list_keeps_its_code", f"{current.code} and {offered.code}")
    if offered.version.published_on < current.version.published_on:
        raise Refused(
            "list_is_not_older", f"{offered.version.published_on} follows {current.version.published_on}"
        )
    lost = len(current.entries.keys() - offered.entries.keys())
    if lost * 1000 > len(current.entries) * MOST_LOST_PER_MILLE:
        raise Refused("list_has_not_shrunk", f"{lost} of {len(current.entries)} entries are gone")
    return offered
