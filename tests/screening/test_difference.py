"""A new version of a list is scored by its difference alone, and scores as the whole list does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import screening_names as clean
from bookrunner.adapters.screening import (
    EntryKind,
    ListedName,
    NameStrength,
    SanctionsList,
    Subject,
    Thresholds,
)
from bookrunner.adapters.screening.difference import difference, rescreen
from bookrunner.adapters.screening.screener import Screener
from bookrunner.adapters.screening.workers import ScreeningWorkers
from bookrunner.core.errors import Refused

ANY = Thresholds(6_500, 6_500)


def _turned(csl: SanctionsList) -> tuple[SanctionsList, list[str]]:
    """Return the list as it may have been before: without one entry, another shorter, one more."""
    keys = [
        key for key, entry in csl.entries.items() if entry.kind is EntryKind.PERSON and len(entry.names) > 2
    ]
    entries = dict(csl.entries)
    gone = entries.pop(keys[0])
    entries[keys[1]] = replace(entries[keys[1]], names=entries[keys[1]].names[:-1])
    entries["us_csl:0"] = replace(gone, entry_id="us_csl:0")
    return replace(csl, entries=entries), keys


def test_entries_are_new_changed_or_gone(csl: SanctionsList) -> None:
    before, keys = _turned(csl)
    found = difference(before, csl)
    assert (found.added, found.changed, found.removed) == ({keys[0]}, {keys[1]}, {"us_csl:0"})
    assert found.to_score == {keys[0], keys[1]}


def test_the_order_of_an_entry_is_no_change(csl: SanctionsList) -> None:
    turned = {key: replace(e, names=e.names[::-1]) for key, e in reversed(csl.entries.items())}
    assert not difference(replace(csl, entries=turned), csl).to_score


@pytest.mark.parametrize(
    "change",
    [
        {"names": (ListedName("X", NameStrength.WEAK),)},
        {"programmes": ("X",)},
        {"countries": ("XK",)},
        {"birth_dates": ()},
        {"wallets": (("ETH", "0x1"),)},
        {"kind": EntryKind.VESSEL},
    ],
)
def test_every_part_of_an_entry_counts(csl: SanctionsList, change: dict[str, object]) -> None:
    entry = csl.entries["us_csl:30291"]
    assert replace(entry, **change).digest != entry.digest  # type: ignore[arg-type]


def test_another_list_is_no_version(csl: SanctionsList, sdn: SanctionsList) -> None:
    with pytest.raises(Refused, match="list_keeps_its_code"):
        difference(sdn, csl)


def test_holders_score_as_in_a_full_screening(csl: SanctionsList, screener: Screener) -> None:
    before, keys = _turned(csl)
    found = difference(before, csl)
    holders = clean.subjects(600, 8)
    for place, key in ((17, keys[0]), (400, keys[1])):
        holders[place] = Subject(EntryKind.PERSON, (csl.entries[key].names[-1].text,))
    answers = dict(rescreen(screener, found, holders, ANY))
    full = list(screener.screen_all(holders, ANY))
    wanted = {
        place: [match for match in answer.matches if match.entry_id in found.to_score]
        for place, answer in enumerate(full)
    }
    assert {17, 400} <= answers.keys()
    for place, answer in answers.items():
        assert wanted[place] == [m for m in answer.matches if m in wanted[place]]
        assert set(wanted[place]) <= set(answer.matches)
    assert {place for place, matches in wanted.items() if matches} <= answers.keys()


def test_nothing_new_alerts_nobody(csl: SanctionsList, screener: Screener) -> None:
    listed = [Subject(EntryKind.PERSON, (e.names[0].text,)) for e in list(csl.entries.values())[:50]]
    assert list(rescreen(screener, difference(csl, csl), listed)) == []


def test_workers_answer_in_order_and_as_one_process_does(csl: SanctionsList) -> None:
    part = Screener([replace(csl, entries=dict(list(csl.entries.items())[:800]))])
    asked = clean.subjects(5_000, 9)
    with ScreeningWorkers(part, 2) as workers:
        assert list(workers.screen_all(asked, ANY)) == list(part.screen_all(asked, ANY))
        with pytest.raises(Refused) as refused:
            list(workers.screen_all([Subject(EntryKind.PERSON, ())]))
    assert refused.value.rule == "subject_has_a_name"
