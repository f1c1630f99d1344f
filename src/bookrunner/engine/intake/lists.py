"""Published lists on their way into the book: from files that a person names, or from a folder."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from bookrunner.adapters.screening import Published, day_in_name, recognise
from bookrunner.books.compliance import Update, refuse_list, take_list
from bookrunner.core.errors import Refused
from bookrunner.core.log import tell, warn
from bookrunner.db import Keeper

SETTLED_SECONDS: Final = 2.0
_MOST_BYTES: Final = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says of the files: the day, where they name none, and why a list may shrink."""

    published_on: date | None = None
    because: str | None = None


def update_lists(keeper: Keeper, paths: Sequence[Path], word: Word, *, actor: str) -> list[Update]:
    """Read files, then put each list that they hold in force; nothing is taken when one is refused.

    Refuses ``list_file_is_readable`` and what `recognise`, the readers and `take_list` refuse.
    """
    files = {path.name: _content(path) for path in paths}
    if len(files) < len(paths):
        raise Refused("list_file_is_named_once", "two files have the same name")
    day = word.published_on or _day(paths)
    found = recognise(files, published_on=day)
    read = [(published, published.read()) for published in found]
    return [
        take_list(keeper, published, listed, actor=actor, because=word.because) for published, listed in read
    ]


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise Refused("list_file_fits_limit", f"{path.name}: more than {_MOST_BYTES} bytes")
        return path.read_bytes()
    except OSError as fault:
        raise Refused("list_file_is_readable", f"{path.name}: {fault.strerror}") from None


def _day(paths: Sequence[Path]) -> date | None:
    """Return the day in a name of the files or their folder, else that of the last change."""
    for path in paths:
        if (day := day_in_name(path.name) or day_in_name(path.parent.name)) is not None:
            return day
    changed = max((path.stat().st_mtime for path in paths), default=None)
    return None if changed is None else datetime.fromtimestamp(changed, UTC).date()


class ListFolder:
    """A folder in which new files appear; each is taken once, or refused whole with its reason on record.

    A folder inside it holds one publication. A file counts when it has not changed for two seconds.
    """

    def __init__(self, keeper: Keeper, folder: Path, *, actor: str) -> None:
        self._keeper = keeper
        self._folder = folder
        self._actor = actor
        self._seen: set[tuple[tuple[str, int, int], ...]] = set()

    def look(self) -> list[Update]:
        """Take every publication that is new since the last look; return what changed."""
        taken: list[Update] = []
        for paths in self._publications():
            marks = tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths)
            if marks in self._seen or not _is_settled(paths):
                continue
            self._seen.add(marks)
            taken += self._take(paths)
        return taken

    def _publications(self) -> list[list[Path]]:
        if not self._folder.is_dir():
            return []
        entries = sorted(entry for entry in self._folder.iterdir() if not entry.name.startswith("."))
        folders = [entry for entry in entries if entry.is_dir()]
        inside = [sorted(path for path in folder.iterdir() if path.is_file()) for folder in folders]
        loose = [entry for entry in entries if entry.is_file()]
        return [paths for paths in (*inside, loose) if paths]

    def _take(self, paths: Sequence[Path]) -> list[Update]:
        files: dict[str, bytes] = {}
        for path in paths:
            try:
                content = _content(path)
            except Refused as refused:
                warn("a list is refused", file=path.name, rule=refused.rule)
                continue
            if self._is_list(path.name, content):
                files[path.name] = content
        taken = []
        for published in recognise(files, published_on=_day(paths)):
            update = self._put_in_force(published)
            if update is not None and update.is_new:
                tell("a list is in force", source=update.source, subjects=update.due)
                taken.append(update)
        return taken

    def _is_list(self, name: str, content: bytes) -> bool:
        try:
            recognise({name: content}, published_on=None)
        except Refused as refused:
            self._refuse(name, content, refused)
            return False
        return True

    def _put_in_force(self, published: Published) -> Update | None:
        names, whole = ", ".join(sorted(published.files)), _whole(published.files)
        try:
            listed = published.read()
            if list(self._keeper.list_of(source=published.source, list_version=str(listed.version))):
                return None
            return take_list(self._keeper, published, listed, actor=self._actor)
        except Refused as refused:
            self._refuse(names, whole, refused)
            return None

    def _refuse(self, name: str, content: bytes, refused: Refused) -> None:
        warn("a list is refused", file=name, rule=refused.rule)
        refuse_list(self._keeper, name, content, refused, actor=self._actor)


def _whole(files: Mapping[str, bytes]) -> bytes:
    return b"".join(files[name] for name in sorted(files))


def _is_settled(paths: Sequence[Path]) -> bool:
    return all(time.time() - path.stat().st_mtime >= SETTLED_SECONDS for path in paths)
