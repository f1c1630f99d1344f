"""Screen people, companies and ships against lists in memory, and say what made each score."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from bookrunner.adapters.screening import grade
from bookrunner.adapters.screening.alignment import Alignment, Weighed, Weights, align
from bookrunner.adapters.screening.grams import GramIndex, Words
from bookrunner.adapters.screening.model import (
    MATCHER_VERSION,
    OPERATING_POINT,
    EntryKind,
    ListedName,
    ListEntry,
    Match,
    NameStrength,
    SanctionsList,
    ScorePart,
    Screening,
    Subject,
    Thresholds,
    TokenPair,
)
from bookrunner.adapters.screening.normalise import normalise
from bookrunner.adapters.screening.prefilter import Joined, worth_aligning
from bookrunner.core.countries import known_country
from bookrunner.core.errors import Refused

_WEAK_ALIAS: Final = -300
_BATCH: Final = 512
_LONGEST_NAME: Final = 500
_SCALE: Final = 10_000
# What a name alone must reach before its facts are looked at: no facts but an identifier add more.
_FACTS_ADD_AT_MOST: Final = 500
_COMPARED: Final = {
    EntryKind.PERSON: (EntryKind.PERSON, EntryKind.UNSPECIFIED),
    EntryKind.ENTITY: (EntryKind.ENTITY, EntryKind.UNSPECIFIED),
    EntryKind.VESSEL: (EntryKind.VESSEL,),
    EntryKind.AIRCRAFT: (EntryKind.AIRCRAFT,),
}


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The names of one kind of entry, with their index."""

    index: GramIndex
    weights: Weights
    words: Sequence[Weighed]
    joined: Joined
    names: Sequence[tuple[ListEntry, ListedName]]

    def only(self, ids: Collection[str]) -> _Shelf:
        kept = [number for number, (entry, _) in enumerate(self.names) if entry.entry_id in ids]
        return _Shelf(
            self.index.only(np.array(kept, dtype=np.int64)),
            self.weights,
            [self.words[n] for n in kept],
            self.joined.only(kept),
            [self.names[n] for n in kept],
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """One name of one subject in a batch."""

    place: int
    name: str
    words: Words


class Screener:
    """Lists in memory, ready to be asked; safe to share between threads, as nothing in it changes."""

    def __init__(self, lists: Iterable[SanctionsList]) -> None:
        """Index the lists; refuses ``list_is_given`` without one."""
        given = tuple(lists)
        if not given:
            raise Refused("list_is_given", "screening against nothing clears everybody")
        self.versions = tuple((one.code, one.version) for one in given)
        entries = [entry for one in given for entry in one.entries.values()]
        self._shelves = {kind: _shelf(entries, kind) for kind in _COMPARED}
        self._numbers = _by_number(entries)

    def only(self, entry_ids: Collection[str]) -> Screener:
        """Return a screener of some entries that scores them exactly as this one does."""
        part = object.__new__(Screener)
        part.versions = self.versions
        part._shelves = {kind: shelf.only(entry_ids) for kind, shelf in self._shelves.items()}
        part._numbers = {
            number: [entry for entry in found if entry.entry_id in entry_ids]
            for number, found in self._numbers.items()
        }
        return part

    def screen(self, subject: Subject, thresholds: Thresholds = OPERATING_POINT) -> Screening:
        """Screen one subject; refuses as :meth:`screen_all` does."""
        return next(self.screen_all((subject,), thresholds))

    def screen_all(
        self, subjects: Iterable[Subject], thresholds: Thresholds = OPERATING_POINT
    ) -> Iterator[Screening]:
        """Yield one screening for each subject, in order, holding a few hundred subjects at a time.

        An identifier that a list has too is a match whatever the names. Refuses
        ``subject_has_a_name``, ``name_has_letters``, ``name_fits`` beyond 500 characters,
        ``subject_is_of_one_kind`` and ``country_is_known``.
        """
        rest = iter(subjects)
        while batch := list(islice(rest, _BATCH)):
            yield from self._batch(batch, thresholds)

    def _batch(self, batch: Sequence[Subject], thresholds: Thresholds) -> Iterator[Screening]:
        asked: dict[EntryKind, list[_Asked]] = defaultdict(list)
        for place, subject in enumerate(batch):
            _refuse_unscreenable(subject)
            for name in subject.names:
                asked[subject.kind].append(_asked(place, name, subject.kind))
        best: list[dict[str, Match]] = [{} for _ in batch]
        for kind, names in asked.items():
            floor = max(0, thresholds.of(kind) - _FACTS_ADD_AT_MOST)
            for one, match in _name_matches(self._shelves[kind], names, batch, floor):
                _keep_best(best[one.place], match)
        for place, subject in enumerate(batch):
            for match in self._number_matches(subject):
                _keep_best(best[place], match)
        # One answer for all who are clear, which also travels between processes once.
        clear = {kind: self._screening({}, thresholds.of(kind)) for kind in asked}
        for subject, found in zip(batch, best, strict=True):
            yield self._screening(found, thresholds.of(subject.kind)) if found else clear[subject.kind]

    def _number_matches(self, subject: Subject) -> Iterator[Match]:
        for own in subject.identifiers:
            for entry in self._numbers.get(grade.number(own.value), ()):
                parts = grade.parts(subject, entry)
                if any(part.fact == "identifier" for part in parts):
                    yield _match((entry, entry.names[0]), subject.names[0], (), parts)

    def _screening(self, found: Mapping[str, Match], threshold: int) -> Screening:
        kept = [match for match in found.values() if match.score >= threshold]
        kept.sort(key=lambda match: (-match.score, -sum(p.effect for p in match.parts), match.entry_id))
        return Screening(tuple(kept), self.versions, MATCHER_VERSION, threshold)


def _asked(place: int, name: str, kind: EntryKind) -> _Asked:
    if len(name) > _LONGEST_NAME:
        raise Refused("name_fits", f"at most {_LONGEST_NAME} characters")
    words = normalise(name, kind)
    if not words:
        raise Refused("name_has_letters", "a name of no letter in any script matches nothing")
    return _Asked(place, name, words)


def _refuse_unscreenable(subject: Subject) -> None:
    if subject.kind not in _COMPARED:
        raise Refused("subject_is_of_one_kind", "a person, an entity, a vessel or an aircraft")
    if not subject.names or not all(name.strip() for name in subject.names):
        raise Refused("subject_has_a_name", "a subject without a name cannot be cleared")
    for country in subject.countries:
        known_country(country)


def _shelf(entries: Iterable[ListEntry], kind: EntryKind) -> _Shelf:
    names = [(entry, name) for entry in entries if entry.kind in _COMPARED[kind] for name in entry.names]
    words = [normalise(name.text, kind) for _, name in names]
    weights = Weights(words)
    weighed = [weights.weigh(one) for one in words]
    return _Shelf(GramIndex(words), weights, weighed, Joined(words), names)


def _by_number(entries: Iterable[ListEntry]) -> dict[str, list[ListEntry]]:
    found: dict[str, list[ListEntry]] = defaultdict(list)
    for entry in entries:
        for value in {grade.number(identifier.value) for identifier in entry.identifiers}:
            found[value].append(entry)
    return dict(found)


def _name_matches(
    shelf: _Shelf, names: Sequence[_Asked], batch: Sequence[Subject], floor: int
) -> Iterator[tuple[_Asked, Match]]:
    asked = [one.words for one in names]
    weighed = [shelf.weights.weigh(words) for words in asked]
    for query, listed in worth_aligning(shelf.index.find(asked), asked, shelf.joined):
        one = names[query]
        alignment = align(weighed[query], shelf.words[listed])
        if alignment.score * _SCALE >= floor:
            entry, name = shelf.names[listed]
            yield one, _graded(batch[one.place], one.name, (entry, name), alignment)


def _graded(
    subject: Subject, asked: str, listed: tuple[ListEntry, ListedName], alignment: Alignment
) -> Match:
    entry, name = listed
    outcome = "as_one_string" if alignment.whole else "word_by_word"
    parts = [ScorePart("name", outcome, round(alignment.score * _SCALE))]
    if name.strength is NameStrength.WEAK:
        parts.append(ScorePart("alias", "weak", _WEAK_ALIAS))
    words = tuple(
        TokenPair(one, other, round(like * _SCALE), round(weight * _SCALE))
        for one, other, like, weight in alignment.pairs
    )
    return _match(listed, asked, words, (*parts, *grade.parts(subject, entry)))


def _match(
    listed: tuple[ListEntry, ListedName],
    asked: str,
    words: tuple[TokenPair, ...],
    parts: tuple[ScorePart, ...],
) -> Match:
    entry, name = listed
    score = max(0, min(grade.HIGHEST, sum(part.effect for part in parts)))
    if any(part.fact == "identifier" for part in parts):
        score = grade.HIGHEST
    return Match(entry.entry_id, score, asked, name, words, parts, entry.digest)


def _keep_best(found: dict[str, Match], match: Match) -> None:
    known = found.get(match.entry_id)
    if known is None or (match.score, len(match.words)) > (known.score, len(known.words)):
        found[match.entry_id] = match
