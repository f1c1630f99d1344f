"""Lists are taken once, whole and in order; a file that is no whole list leaves the old one in force."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bookrunner.core.errors import Refused
from bookrunner.db import Database
from bookrunner.engine.intake import ListFolder, Word, update_lists
from tests.compliance.screened import ENTRY, LISTED, NAME, OTHER, OTHER_ENTRY, Book, whole, without

HANIYA, RABAI = 9639, 9644
OLD = 1_700_000_000


@pytest.fixture
def book(database: Database) -> Book:
    """Return a book without a list."""
    return Book(database)


def test_the_same_file_twice_is_nothing_new(book: Book) -> None:
    first, second = book.take(whole()), book.take(whole())
    assert (first.is_new, first.entries, first.added) == (True, 443, 443)
    assert not second.is_new
    assert len(book.rows("select from compliance.watchlist")) == 1
    assert len(book.rows("select from compliance.watchlist_file")) == 1
    checked = book.rows("select kind from audit.event where kind like 'watchlist.%' order by version")
    assert checked == [("watchlist.imported",), ("watchlist.activated",), ("watchlist.checked",)]


def test_a_new_version_scores_the_difference_alone(book: Book) -> None:
    """Rabai matches an entry of both versions, dismissed; Haniya is new on the second."""
    book.take(without(whole(), HANIYA))
    for investor, name in (("ivr_1", LISTED), ("ivr_2", OTHER), ("ivr_3", "Ada Alder")):
        book.profile(investor, name)
    book.screening.drain()
    assert [hit[:3] for hit in book.hits()] == [("ivr_2", OTHER_ENTRY, "open")]
    book.dismiss("ivr_2")
    update = book.take(whole())
    assert (update.added, update.removed, update.due) == (1, 0, 3)
    assert book.waiting() == ["ivr_1", "ivr_2", "ivr_3"]
    assert book.screening.drain() >= 3
    assert book.waiting() == []
    assert [hit[:3] for hit in book.hits()] == [("ivr_1", ENTRY, "open"), ("ivr_2", OTHER_ENTRY, "no_match")]
    again = [one[2] for one in book.screenings("ivr_1")]
    assert again == ["onboarding", "list_change"]
    assert [one[2] for one in book.screenings("ivr_3")] == ["onboarding"]
    answered = "select from compliance.rescreening where done_at is not null and from_version is not null"
    assert len(book.rows(answered)) == 3


def test_two_versions_at_once_are_answered_from_the_last_one_answered(book: Book) -> None:
    book.take(without(whole(), HANIYA, RABAI, day="2024-11-01"))
    book.profile("ivr_1", LISTED)
    book.screening.drain()
    book.take(without(whole(), RABAI))
    book.take(whole())
    ((since,),) = book.rows("select from_version from compliance.rescreening where done_at is null")
    assert since.startswith("2024-11-01")
    book.screening.drain()
    assert [hit[1] for hit in book.hits()] == [ENTRY]


def test_an_older_or_shrunken_list_needs_a_reason(book: Book) -> None:
    book.take(whole())
    few = without(whole(), *range(9000, 18000), day="2025-02-01")
    for raw, rule in ((without(whole(), HANIYA), "list_is_not_older"), (few, "list_has_not_shrunk")):
        with pytest.raises(Refused) as refused:
            book.take(raw)
        assert refused.value.rule == rule
    assert len(book.rows("select from compliance.watchlist")) == 1
    assert book.take(few, because="the programme ended").removed > 44


@pytest.mark.parametrize(
    ("cut", "rule"), [(2_000_000, "list_file_is_whole"), (40, "list_file_is_recognised")]
)
def test_a_truncated_file_is_refused_whole(book: Book, tmp_path: Path, cut: int, rule: str) -> None:
    """Of two files one is broken: neither is taken, and the old version stays in force."""
    book.take(without(whole(), HANIYA))
    good, broken = tmp_path / "ETH.txt", tmp_path / NAME
    good.write_text("0x01e2919679362dFBC9ee1644Ba9C6da6D6245BB1\n")
    broken.write_bytes(whole()[:cut])
    with pytest.raises(Refused) as refused:
        update_lists(book.desk.compliance, [good, broken], Word(), actor="officer.one")
    assert refused.value.rule == rule
    ((source, version),) = book.rows("select source, list_version from compliance.watchlist")
    assert source == "us.ofac.consolidated"
    assert version.startswith("2024-12-01")


def test_files_that_cannot_be_read_or_are_named_twice(book: Book, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        update_lists(book.desk.compliance, [tmp_path / "none.xml"], Word(), actor="officer.one")
    assert refused.value.rule == "list_file_is_readable"
    (tmp_path / "a").mkdir()
    twice = [tmp_path / "ETH.txt", tmp_path / "a" / "ETH.txt"]
    for path in twice:
        path.write_text("0x01e2919679362dFBC9ee1644Ba9C6da6D6245BB1\n")
    with pytest.raises(Refused) as refused:
        update_lists(book.desk.compliance, twice, Word(), actor="officer.one")
    assert refused.value.rule == "list_file_is_named_once"


def test_a_folder_takes_what_is_new_and_keeps_what_it_refused(book: Book, tmp_path: Path) -> None:
    folder = ListFolder(book.desk.compliance, tmp_path, actor="process")
    assert folder.look() == []
    _put(tmp_path / NAME, without(whole(), HANIYA))
    _put(tmp_path / "README.md", b"# Lists\n")
    _put(tmp_path / ".partial", whole()[:90])
    (taken,) = folder.look()
    assert (taken.source, taken.entries) == ("us.ofac.consolidated", 442)
    assert folder.look() == []
    (tmp_path / "2025-01-10").mkdir()
    fresh = tmp_path / "2025-01-10" / NAME
    fresh.write_bytes(whole())
    assert folder.look() == [], "a file that may still be written is left alone"
    _put(fresh, whole()[:2_000_000])
    assert folder.look() == []
    _put(fresh, whole())
    (taken,) = folder.look()
    assert (taken.entries, taken.added) == (443, 1)
    refused = book.rows("select file_name, rule from compliance.refused_list order by refused_at")
    assert refused == [("README.md", "list_file_is_recognised"), (NAME, "list_file_is_whole")]
    again = ListFolder(book.desk.compliance, tmp_path, actor="process")
    assert again.look() == [], "after a restart nothing is new, and an older version stays superseded"
    assert len(book.rows("select from compliance.refused_list")) == 2


def test_a_missing_folder_is_empty(book: Book, tmp_path: Path) -> None:
    assert ListFolder(book.desk.compliance, tmp_path / "none", actor="process").look() == []


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.utime(path, (OLD + len(content), OLD + len(content)))
