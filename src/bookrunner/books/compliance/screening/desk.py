"""The work of screening: claim, score and record in one transaction; killed, it leaves nothing half done."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from bookrunner.adapters.screening import (
    MATCHER_VERSION,
    BirthDate,
    Match,
    SanctionsList,
    Subject,
    Thresholds,
)
from bookrunner.adapters.vault import Vault
from bookrunner.books.compliance.screening.lists import Shelf
from bookrunner.books.compliance.screening.particulars import Known, opened
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.log import warn
from bookrunner.db import Keeper, Row, Within, retrying

if TYPE_CHECKING:
    from bookrunner.adapters.screening import Screener

ACTOR: Final = "process"
BATCH: Final = 500
WALLET: Final = "wallet:"
EXACT: Final = "exact.1"
_EVM_DIGITS: Final = 40
_HIGHEST: Final = 10_000
# The most that a birth date adds to a score: who does not reach the threshold with it is not opened.
_BIRTH_ADDS: Final = 400

BirthDates = Callable[[Sequence[tuple[str, int]]], Mapping[str, date]]
"""Opens the birth date of (investor, version of the profile); each view is recorded by whoever does."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One claimed subject against one list: what it is screened by, and what counts of the list."""

    row: Row
    known: Known
    thresholds: Thresholds
    from_version: str | None


@dataclass(frozen=True, slots=True)
class _Scored:
    """What one subject scored; ``threshold`` is the one of its kind."""

    asked: _Asked
    matches: tuple[Match, ...]
    threshold: int


class ScreeningDesk:
    """Screens whoever waits for a list in force; several desks may work beside each other."""

    def __init__(
        self,
        keeper: Keeper,
        birth_dates: BirthDates,
        *,
        before_recording: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._keeper = keeper
        self._births = birth_dates
        self._before_recording = before_recording
        self._safe = Vault.of(keeper.database.endpoint.secrets)
        self._warned: set[tuple[str, str]] = set()
        self.shelf = Shelf(keeper)

    def answer(self) -> int:
        """Screen until nobody who can be screened waits; return how many were answered.

        A list that was checked too long ago is left out with a warning: nobody is cleared by it.
        """
        answered = 0
        for row in self._keeper.lists_in_force():
            if row["too_old_at"] <= clock.now():
                if row["waiting"]:
                    self._warn_once("a list is too old to screen with", row)
                continue
            if row["waiting"] and self._is_read(row):
                answered += self._work_off(row["source"])
        return answered

    def _is_read(self, row: Row) -> bool:
        """Read and index a list before anybody is claimed: no transaction stays open for it."""
        listed = self.shelf.listed(row["source"], row["list_version"])
        if listed is None:
            self._warn_once("a list has no files to screen with", row)
            return False
        if "names" in row["covers"]:
            self.shelf.screener(listed, row["source"])
        return True

    def _warn_once(self, event: str, row: Row) -> None:
        if (event, row["list_version"]) not in self._warned:
            self._warned.add((event, row["list_version"]))
            warn(event, source=row["source"], list_version=row["list_version"])

    def _work_off(self, source: str) -> int:
        answered = 0
        while taken := retrying(lambda: self._batch(source)):
            answered += taken
        return answered

    def _batch(self, source: str) -> int:
        """Claim, score and record one batch; who is refused alone stays claimed until that lapses."""
        with self._keeper.together() as within:
            claimed = list(within.claim_rescreening(actor=ACTOR, source=source, most=BATCH))
            for list_version, rows in _by_version(claimed):
                listed = self.shelf.listed(source, list_version)
                if listed is not None:
                    self._screen(within, source, listed, rows)
            return len(claimed)

    def _screen(self, within: Within, source: str, listed: SanctionsList, rows: Sequence[Row]) -> None:
        since = {row["subject_id"]: row["from_version"] for row in rows}
        found = within.claimed_subjects(actor=ACTOR, subjects=sorted(since))
        wallets = [row for row in found if row["subject_id"].startswith(WALLET)]
        people = [row for row in found if not row["subject_id"].startswith(WALLET)]
        results, unchanged = self._wallets(source, listed, wallets, since)
        for scored in self._people(source, listed, people, since):
            if scored.matches or scored.asked.from_version is None:
                results.append(_result(source, listed, scored))
            else:
                unchanged.append(scored.asked.row["subject_id"])
        self._before_recording(len(results))
        _record(within, results)
        if unchanged:
            within.record_unchanged(
                actor=ACTOR,
                source=source,
                list_version=str(listed.version),
                matcher_version=MATCHER_VERSION,
                subjects=unchanged,
            )

    def _people(
        self, source: str, listed: SanctionsList, rows: Iterable[Row], since: Mapping[str, str | None]
    ) -> Iterator[_Scored]:
        groups: dict[tuple[str | None, Thresholds, bool], list[_Asked]] = defaultdict(list)
        for row in rows:
            try:
                known = opened(self._safe, row)
            except Refused as refused:
                warn("a subject cannot be screened", subject=row["subject_id"], rule=refused.rule)
                continue
            thresholds = Thresholds(person=row["person_bp"], other=row["other_bp"])
            asked = _Asked(row, known, thresholds, since[row["subject_id"]])
            groups[asked.from_version, thresholds, known.sealed_birth is not None].append(asked)
        for (from_version, thresholds, is_sealed), group in groups.items():
            screener = self._screener(source, listed, from_version)
            chosen = group if screener.whole else [replace(one, from_version=None) for one in group]
            yield from self._score(screener.index, chosen, thresholds, is_sealed=is_sealed)

    def _screener(self, source: str, listed: SanctionsList, from_version: str | None) -> _Part:
        """Return the index of the difference; of the whole list where the earlier version is not kept."""
        part = None if from_version is None else self.shelf.part(listed, source, from_version)
        if part is None:
            return _Part(self.shelf.screener(listed, source), whole=from_version is None)
        return _Part(part[0], whole=True)

    def _score(
        self, screener: Screener, group: Sequence[_Asked], thresholds: Thresholds, *, is_sealed: bool
    ) -> Iterator[_Scored]:
        """Score a group; a sealed birth date is opened only for whom it could decide."""
        first = _lowered(thresholds) if is_sealed else thresholds
        scored = list(_scored(screener, group, first))
        if is_sealed and (close := [one.asked for one in scored if one.matches]):
            wanted = [(one.row["subject_id"], one.known.sealed_birth or 0) for one in close]
            births = self._births(wanted)
            again = _scored(screener, [_born(one, births) for one in close], thresholds)
            decided = {one.asked.row["subject_id"]: one for one in again}
            scored = [
                decided.get(one.asked.row["subject_id"], one) if one.matches else _raised(one, thresholds)
                for one in scored
            ]
        elif is_sealed:
            scored = [_raised(one, thresholds) for one in scored]
        yield from scored

    def _wallets(
        self, source: str, listed: SanctionsList, rows: Iterable[Row], since: Mapping[str, str | None]
    ) -> tuple[list[dict[str, object]], list[str]]:
        results: list[dict[str, object]] = []
        unchanged: list[str] = []
        for row in rows:
            subject = row["subject_id"]
            hit = self.shelf.wallets(listed, source).screen_text(_address(subject))
            if hit.matched is None and since[subject] is not None:
                unchanged.append(subject)
                continue
            candidates = []
            if hit.matched is not None:
                parts = {
                    "address": hit.matched.address,
                    "tickers": list(hit.matched.tickers),
                    "family": hit.matched.family.value,
                    "facts": [{"fact": "wallet", "outcome": "same_address", "effect": _HIGHEST}],
                }
                candidates = [
                    _candidate(entry, listed.entries[entry].digest, _HIGHEST, parts)
                    for entry in hit.matched.entry_ids
                ]
            known = (subject, "wallet", self._safe.blind("screened subject", subject))
            results.append(_row(source, listed, known, row) | _how(EXACT, _HIGHEST, candidates))
        return results, unchanged


@dataclass(frozen=True, slots=True)
class _Part:
    """An index, and whether it answers what was asked."""

    index: Screener
    whole: bool


def _record(within: Within, results: Sequence[Mapping[str, object]]) -> None:
    """Record results together; a refused batch is halved until the refused one stands alone and is named."""
    if not results:
        return
    try:
        with within.apart():
            within.record_results(actor=ACTOR, results=json.dumps(results))
    except Refused as refused:
        if len(results) == 1:
            warn("a screening cannot be recorded", subject=str(results[0]["subject"]), rule=refused.rule)
            return
        half = len(results) // 2
        _record(within, results[:half])
        _record(within, results[half:])


def _by_version(rows: Iterable[Row]) -> Iterator[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["list_version"]].append(row)
    yield from found.items()


def _address(subject: str) -> str:
    written = subject.removeprefix(WALLET)
    return f"0x{written}" if len(written) == _EVM_DIGITS else written


def _lowered(thresholds: Thresholds) -> Thresholds:
    return Thresholds(thresholds.person - _BIRTH_ADDS, thresholds.other - _BIRTH_ADDS)


def _raised(one: _Scored, thresholds: Thresholds) -> _Scored:
    return replace(one, threshold=thresholds.of(one.asked.known.subject.kind))


def _born(asked: _Asked, births: Mapping[str, date]) -> _Asked:
    born = births.get(asked.row["subject_id"])
    if born is None:
        return asked
    subject = replace(asked.known.subject, birth_date=BirthDate(born, born))
    return replace(asked, known=replace(asked.known, subject=subject))


def _scored(screener: Screener, group: Sequence[_Asked], thresholds: Thresholds) -> Iterator[_Scored]:
    """Score a group; one that the matcher refuses is named and left waiting, the others go on."""
    subjects: list[Subject] = [one.known.subject for one in group]
    try:
        screenings = list(screener.screen_all(subjects, thresholds))
    except Refused as refused:
        if len(group) > 1:
            half = len(group) // 2
            yield from _scored(screener, group[:half], thresholds)
            yield from _scored(screener, group[half:], thresholds)
            return
        warn("a subject cannot be screened", subject=group[0].row["subject_id"], rule=refused.rule)
        return
    for one, screening in zip(group, screenings, strict=True):
        yield _Scored(one, screening.matches, screening.threshold)


def _result(source: str, listed: SanctionsList, scored: _Scored) -> dict[str, object]:
    known = scored.asked.known
    candidates = [
        _candidate(match.entry_id, match.entry_digest, match.score, _parts(listed, match))
        for match in scored.matches
    ]
    who = (scored.asked.row["subject_id"], known.subject.kind.value, known.digest)
    return _row(source, listed, who, scored.asked.row) | _how(MATCHER_VERSION, scored.threshold, candidates)


def _row(source: str, listed: SanctionsList, who: tuple[str, str, bytes], row: Row) -> dict[str, object]:
    subject, kind, digest = who
    return {
        "subject": subject,
        "subject_kind": kind,
        "subject_digest": digest.hex(),
        "screening": new_id("scr"),
        "source": source,
        "list_version": str(listed.version),
        "made_for": row["made_for"],
    }


def _how(matcher: str, threshold: int, candidates: Sequence[object]) -> dict[str, object]:
    return {"matcher_version": matcher, "threshold_bp": threshold, "candidates": list(candidates)}


def _candidate(entry: str, digest: str, score: int, parts: Mapping[str, object]) -> dict[str, object]:
    return {"entry_id": entry, "entry_digest": digest, "score_bp": score, "parts": dict(parts)}


def _parts(listed: SanctionsList, match: Match) -> dict[str, object]:
    """Return what an officer sees: which names, which words, and what each fact gave."""
    entry = listed.entries[match.entry_id]
    return {
        "asked_name": match.asked_name,
        "listed_name": match.listed_name.text,
        "strength": match.listed_name.strength.value,
        "listed_kind": entry.kind.value,
        "programmes": list(entry.programmes),
        "words": [
            {"asked": one.asked, "listed": one.listed, "similarity": one.similarity, "weight": one.weight}
            for one in match.words
        ],
        "facts": [{"fact": p.fact, "outcome": p.outcome, "effect": p.effect} for p in match.parts],
    }
