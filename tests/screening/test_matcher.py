"""Scores are pinned to the matcher's version, explained by their parts, and the same however asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import screening_names as clean
from bookrunner.adapters.screening import (
    MATCHER_VERSION,
    BirthDate,
    EntryKind,
    Identifier,
    ListedName,
    ListEntry,
    ListVersion,
    NameStrength,
    SanctionsList,
    Subject,
    Thresholds,
    open_screener,
)
from bookrunner.adapters.screening.screener import Screener
from bookrunner.core.errors import Refused

PINNED = json.loads((Path(__file__).parent / "data" / "scores.json").read_text(encoding="utf-8"))
ANY = Thresholds(5_000, 5_000)
BORN = BirthDate(date(1971, 2, 3), date(1971, 2, 3))
NUMBER = Identifier("Passport", "AB-123 4567", "CU")


def _list(*entries: ListEntry) -> SanctionsList:
    return SanctionsList("test", ListVersion("0" * 64, date(2026, 1, 1)), {e.entry_id: e for e in entries})


def _entry(key: str, *names: str, kind: EntryKind = EntryKind.PERSON) -> ListEntry:
    listed = [
        ListedName(name, NameStrength.STRONG if place else NameStrength.PRIMARY)
        for place, name in enumerate(names)
    ]
    return ListEntry(key, kind, tuple(listed))


def _person(name: str) -> Subject:
    return Subject(EntryKind.PERSON, (name,))


PERSON = replace(
    _entry("t:1", "QUIMBLETON, Ardo Feliks", "QUIMBY, Ardo"),
    birth_dates=(BORN,),
    countries=("CU",),
    identifiers=(NUMBER,),
)
WEAK = replace(_entry("t:2", "STONEPILE, Marek"), names=(ListedName("Grizzlebeard", NameStrength.WEAK),))
COMPANY = _entry("t:3", "ARDO QUIMBLETON TRADING LLC", kind=EntryKind.ENTITY)
VESSEL = _entry("t:4", "ARDO QUIMBLETON", kind=EntryKind.VESSEL)
UNSAID = _entry("t:5", "HOLLOWAY PINTWHISTLE", kind=EntryKind.UNSPECIFIED)


@pytest.fixture(scope="module")
def small() -> Screener:
    return open_screener([_list(PERSON, WEAK, COMPANY, VESSEL, UNSAID)])


@pytest.mark.parametrize("row", PINNED["scores"], ids=lambda row: row["name"])
def test_scores_belong_to_the_matcher_version(screener: Screener, row: dict[str, str | int]) -> None:
    """A score that moves without a new version would change past decisions in silence."""
    assert PINNED["matcher_version"] == MATCHER_VERSION
    asked = Subject(EntryKind(row["kind"]), (str(row["name"]),))
    found = {match.entry_id: match.score for match in screener.screen(asked, ANY).matches}
    assert found.get(str(row["entry"]), 0) == row["score"]


def test_a_match_says_what_made_its_score(small: Screener) -> None:
    asked = replace(_person("Feliks Quimbletom"), birth_date=BORN, countries=("US",))
    (match,) = small.screen(asked, ANY).matches
    assert match.entry_id == "t:1"
    assert match.entry_digest == PERSON.digest
    assert match.asked_name == "Feliks Quimbletom"
    assert match.listed_name.text == "QUIMBLETON, Ardo Feliks"
    assert [(w.asked, w.listed) for w in match.words] == [
        ("feliks", "feliks"),
        ("quimbletom", "quimbleton"),
        ("", "ardo"),
    ]
    assert match.words[0].similarity == 10_000
    assert 9_000 <= match.words[1].similarity < 10_000
    assert [(p.fact, p.outcome) for p in match.parts] == [
        ("name", "word_by_word"),
        ("birth_date", "same_day"),
        ("country", "differs"),
    ]
    assert match.score == min(10_000, sum(part.effect for part in match.parts))


def test_an_answer_names_lists_matcher_and_threshold(small: Screener) -> None:
    answer = small.screen(_person("Nobody Atall"), Thresholds(9_100, 9_200))
    assert answer.matches == ()
    assert answer.list_versions == (("test", ListVersion("0" * 64, date(2026, 1, 1))),)
    assert (answer.matcher_version, answer.threshold) == (MATCHER_VERSION, 9_100)
    assert small.screen(Subject(EntryKind.ENTITY, ("None Such",)), Thresholds(1, 2)).threshold == 2


def test_the_threshold_is_inclusive(small: Screener) -> None:
    asked = _person("Feliks Quimbletom")
    (match,) = small.screen(asked, ANY).matches
    at = Thresholds(match.score, 10_000)
    above = Thresholds(match.score + 1, 1)
    assert small.screen(asked, at).matches == (match,)
    assert small.screen(asked, above).matches == ()


@pytest.mark.parametrize(
    ("changes", "effect"),
    [
        ({"birth_date": BORN}, 400),
        ({"birth_date": BirthDate(date(1971, 1, 1), date(1971, 12, 31))}, 200),
        ({"birth_date": BirthDate(date(1972, 6, 1), date(1972, 6, 1))}, 0),
        ({"birth_date": BirthDate(date(1980, 6, 1), date(1980, 6, 1))}, -1_200),
        ({"countries": ("CU", "US")}, 100),
        ({"countries": ("US",)}, -200),
        ({"identifiers": (Identifier("Passport", "ZZ999999", "CU"),)}, 0),
    ],
)
def test_what_is_known_beside_the_name_moves_the_score(
    small: Screener, changes: dict[str, object], effect: int
) -> None:
    plain = small.screen(_person("Ardo Quimbleton"), ANY).matches[0].score
    moved = small.screen(replace(_person("Ardo Quimbleton"), **changes), ANY).matches[0].score  # type: ignore[arg-type]
    assert moved == min(10_000, plain + effect)


def test_a_conflict_does_not_hide_an_identical_name(small: Screener) -> None:
    born = BirthDate(date(1999, 1, 1), date(1999, 1, 1))
    asked = replace(_person("Ardo Feliks Quimbleton"), birth_date=born, countries=("US",))
    assert small.screen(asked).matches[0].score == 8_600


@pytest.mark.parametrize("value", ["AB1234567", "ab 1234 567", "AB-1234567"])
def test_a_listed_number_is_a_match_whatever_the_name(small: Screener, value: str) -> None:
    asked = replace(_person("Wholly Different"), identifiers=(Identifier("Passport", value),))
    (match,) = small.screen(asked).matches
    assert (match.entry_id, match.score) == ("t:1", 10_000)
    assert "same_number" in {part.outcome for part in match.parts}


@pytest.mark.parametrize(
    "number",
    [Identifier("Passport", "AB1234567", "FR"), Identifier("Passport", "AB12"), Identifier("Passport", "-")],
)
def test_a_number_of_another_country_or_too_short_is_none(small: Screener, number: Identifier) -> None:
    assert small.screen(replace(_person("Wholly Different"), identifiers=(number,))).matches == ()


def test_a_weak_alias_counts_less(small: Screener) -> None:
    (match,) = small.screen(_person("Grizzlebeard")).matches
    assert match.score == 9_700
    assert ("alias", "weak", -300) in {(p.fact, p.outcome, p.effect) for p in match.parts}


def test_a_subject_is_compared_with_its_own_kind(small: Screener) -> None:
    def found(kind: EntryKind, name: str) -> list[str]:
        return [m.entry_id for m in small.screen(Subject(kind, (name,))).matches]

    assert found(EntryKind.PERSON, "Ardo Feliks Quimbleton") == ["t:1"]
    assert found(EntryKind.ENTITY, "Ardo Quimbleton Trading") == ["t:3"]
    assert found(EntryKind.VESSEL, "Ardo Quimbleton") == ["t:4"]
    assert found(EntryKind.AIRCRAFT, "Ardo Quimbleton") == []
    assert found(EntryKind.PERSON, "Holloway Pintwhistle") == ["t:5"]
    assert found(EntryKind.ENTITY, "Holloway Pintwhistle") == ["t:5"]


def test_every_name_of_a_subject_is_asked_and_the_best_kept(small: Screener) -> None:
    (match,) = small.screen(Subject(EntryKind.PERSON, ("Nobody Atall", "Ardo Quimby", "Ardo Quimbi"))).matches
    assert (match.asked_name, match.listed_name.text, match.score) == ("Ardo Quimby", "QUIMBY, Ardo", 10_000)


@pytest.mark.parametrize(
    ("subject", "rule"),
    [
        (Subject(EntryKind.PERSON, ()), "subject_has_a_name"),
        (Subject(EntryKind.PERSON, ("Good Name", "  ")), "subject_has_a_name"),
        (_person("\u200b\u202e---"), "name_has_letters"),
        (_person("a" * 501), "name_fits"),
        (Subject(EntryKind.UNSPECIFIED, ("Good Name",)), "subject_is_of_one_kind"),
        (Subject(EntryKind.PERSON, ("Good Name",), countries=("USA",)), "country_is_known"),
    ],
)
def test_who_cannot_be_screened_is_refused_and_not_cleared(
    small: Screener, subject: Subject, rule: str
) -> None:
    with pytest.raises(Refused, match=rule):
        small.screen(subject)


def test_no_list_is_refused() -> None:
    with pytest.raises(Refused, match="list_is_given"):
        open_screener([])


def test_a_batch_answers_as_single_questions_do(screener: Screener) -> None:
    asked = clean.subjects(1_200, 5)
    assert list(screener.screen_all(asked, ANY))[::60] == [screener.screen(one, ANY) for one in asked[::60]]


def test_a_batch_reads_only_a_little_ahead(small: Screener) -> None:
    drawn = 0

    def endless() -> Iterator[Subject]:
        nonlocal drawn
        while True:
            drawn += 1
            yield _person("Ardo Quimby")

    answers = small.screen_all(endless())
    assert next(answers).matches
    assert drawn <= 1_024


@settings(max_examples=40, deadline=None)
@given(st.permutations(["Ardo", "Feliks", "Quimbleton"]), st.sampled_from(["", "\u200b", "\u202e", "\u00ad"]))
def test_order_and_invisible_characters_change_nothing(words: list[str], hidden: str) -> None:
    screener = open_screener([_list(PERSON)])
    (match,) = screener.screen(_person(" ".join(word[:2] + hidden + word[2:] for word in words))).matches
    assert match.score == 10_000


def test_scores_are_the_same_bytes_again(csl: SanctionsList, screener: Screener) -> None:
    again = open_screener([csl])
    asked = [_person(name) for name in ("Ismael Zambada", "Victor But", "Wei Zhang", "Ali Hasan")]
    assert list(again.screen_all(asked, ANY)) == list(screener.screen_all(asked, ANY))
