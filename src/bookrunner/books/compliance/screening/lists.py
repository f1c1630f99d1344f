"""Lists of sanctioned parties on their way into the book, and the index that is read back from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from bookrunner.adapters import screening
from bookrunner.adapters.screening import (
    PARSER_VERSION,
    ListedWallets,
    Published,
    SanctionsList,
    open_screener,
    recognise,
    successor,
)
from bookrunner.core.errors import Refused
from bookrunner.db import Keeper, Row

if TYPE_CHECKING:
    from bookrunner.adapters.screening import Screener

_KEPT_BEFORE: Final = 4


@dataclass(frozen=True, slots=True)
class Update:
    """What taking one list changed; ``due`` subjects wait to be screened against the difference."""

    source: str
    list_version: str
    is_new: bool
    entries: int
    added: int = 0
    changed: int = 0
    removed: int = 0
    due: int = 0


def take_list(
    keeper: Keeper, published: Published, listed: SanctionsList, *, actor: str, because: str | None = None
) -> Update:
    """Import a list with its files and put it in force, all in one transaction.

    The very list in force is confirmed and changes nothing. Without a reason, a list that is older or
    has lost more than a tenth of its entries is refused: ``list_is_not_older``, ``list_has_not_shrunk``,
    ``list_goes_back_for_a_reason`` where another list came in between.
    """
    before = _in_force(keeper, published.source)
    version = str(listed.version)
    if before is not None and str(before.version) == version:
        keeper.confirm_list(actor=actor, source=published.source)
        return Update(published.source, version, is_new=False, entries=len(listed.entries))
    if before is not None and because is None:
        successor(before, listed)
    changes = None if before is None else screening.difference(before, listed)
    where = {"actor": actor, "source": published.source, "list_version": version}
    with keeper.together() as within:
        fresh = within.import_list(
            **where,
            sha256=bytes.fromhex(listed.version.sha256),
            published_on=listed.version.published_on,
            entry_count=len(listed.entries),
            parser_version=PARSER_VERSION,
            covers=covers(listed),
        )
        if fresh:
            within.keep_list_file.each(
                {**where, "file_name": name, "content": content} for name, content in published.files.items()
            )
        due = within.activate_list(**where, because=because)
    return Update(
        published.source,
        version,
        is_new=True,
        entries=len(listed.entries),
        added=len(listed.entries) if changes is None else len(changes.added),
        changed=0 if changes is None else len(changes.changed),
        removed=0 if changes is None else len(changes.removed),
        due=due,
    )


def refuse_list(keeper: Keeper, name: str, content: bytes, refused: Refused, *, actor: str) -> None:
    """Keep the digest of a file that is no whole list, with the rule that it broke."""
    keeper.refuse_list(
        actor=actor,
        sha256=sha256(content).digest(),
        file_name=name,
        rule=refused.rule,
        detail=refused.detail,
    )


def covers(listed: SanctionsList) -> list[str]:
    """Say whether a list has names, wallets or both."""
    entries = listed.entries.values()
    found = []
    if any(entry.names for entry in entries):
        found.append("names")
    if any(entry.wallets for entry in entries):
        found.append("wallets")
    return found


def _in_force(keeper: Keeper, source: str) -> SanctionsList | None:
    row: Row | None = next((one for one in keeper.lists_in_force() if one["source"] == source), None)
    return None if row is None else read_list(keeper, source, row["list_version"])


def read_list(keeper: Keeper, source: str, list_version: str) -> SanctionsList | None:
    """Read a version back from its kept files; nothing where none were kept."""
    files: Mapping[str, bytes] = {
        row["file_name"]: bytes(row["content"])
        for row in keeper.list_files(source=source, list_version=list_version)
    }
    if not files:
        return None
    (row,) = keeper.list_of(source=source, list_version=list_version)
    (published,) = recognise(files, published_on=row["published_on"])
    return published.read()


class Shelf:
    """The lists of the book in memory, each indexed once; what is no longer asked for is dropped."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._lists: dict[tuple[str, str], SanctionsList | None] = {}
        self._screeners: dict[tuple[str, str], Screener] = {}
        self._wallets: dict[tuple[str, str], ListedWallets] = {}
        self._parts: dict[tuple[str, str, str], tuple[Screener, frozenset[str]]] = {}

    def listed(self, source: str, list_version: str) -> SanctionsList | None:
        """Return a version of a list; nothing where its files were not kept."""
        key = (source, list_version)
        if key not in self._lists:
            while len([known for known in self._lists if known[0] == source]) >= _KEPT_BEFORE:
                self._forget(next(known for known in self._lists if known[0] == source))
            self._lists[key] = read_list(self._keeper, source, list_version)
        return self._lists[key]

    def screener(self, listed: SanctionsList, source: str) -> Screener:
        """Return the index of one list alone: scores depend on no other list."""
        key = (source, str(listed.version))
        if key not in self._screeners:
            self._screeners[key] = open_screener([listed])
        return self._screeners[key]

    def wallets(self, listed: SanctionsList, source: str) -> ListedWallets:
        """Return the addresses of one list."""
        key = (source, str(listed.version))
        if key not in self._wallets:
            self._wallets[key] = ListedWallets.of_list(listed)
        return self._wallets[key]

    def part(
        self, listed: SanctionsList, source: str, from_version: str
    ) -> tuple[Screener, frozenset[str]] | None:
        """Return the index of what changed since a version, with the ids; nothing where that is not kept."""
        key = (source, from_version, str(listed.version))
        if key not in self._parts:
            before = self.listed(source, from_version)
            if before is None:
                return None
            changed = screening.difference(before, listed).to_score
            self._parts[key] = (self.screener(listed, source).only(changed), changed)
        return self._parts[key]

    def _forget(self, key: tuple[str, str]) -> None:
        self._lists.pop(key, None)
        self._screeners.pop(key, None)
        self._wallets.pop(key, None)
        self._parts = {
            known: part for known, part in self._parts.items() if key not in {known[:2], known[::2]}
        }
