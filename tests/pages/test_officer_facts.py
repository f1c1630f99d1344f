"""What the officer's pages compute by themselves: the chart, masks, score parts, sentences."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest

from bookrunner.core.errors import Refused
from bookrunner.pages.compliance.chart import chart, percent
from bookrunner.pages.compliance.facts import sentence
from bookrunner.pages.compliance.hit import score
from bookrunner.pages.compliance.queue import Filters
from bookrunner.pages.shell import mask, told


def owner(name: str, share: str, **other: object) -> dict[str, Any]:
    state = {"status": "verified", "controls": False, "lacks": [], "must_be_known": True, "is_hit": False}
    return {"owner_id": name, "share_bp": Decimal(share), **state, **other}


def held(owned: str, owner_id: str, share: int) -> dict[str, Any]:
    return {"owned_id": owned, "owner_id": owner_id, "share_bp": share}


@pytest.mark.parametrize(
    ("share", "says"),
    [("2500", "25 %"), ("2499.5", "24.995 %"), ("0", "0 %"), ("10000", "100 %"), ("1", "0.01 %")],
)
def test_a_share_is_written_exactly(share: str, says: str) -> None:
    assert percent(Decimal(share)) == says


def test_an_owner_stands_below_everything_that_it_owns() -> None:
    """B owns a part of the investor and of A, so it stands below A, with both lines drawn."""
    drawn = chart(
        "ivr",
        [owner("a", "6000"), owner("b", "5500"), owner("c", "0", controls=True)],
        [held("ivr", "a", 6000), held("ivr", "b", 4000), held("a", "b", 2500)],
    )
    rows = {node.owner: node.y for node in drawn["nodes"]}
    assert rows["ivr"] < rows["a"] == rows["c"] < rows["b"]
    assert [edge.share for edge in drawn["edges"]] == ["60 %", "40 %", "25 %"]
    boxes = sorted((node.y, node.x) for node in drawn["nodes"])
    assert all(right[1] - left[1] > 208 for left, right in itertools.pairwise(boxes) if left[0] == right[0])
    assert all(x >= 0 and x + 208 <= drawn["width"] for _, x in boxes)


@pytest.mark.parametrize(
    ("other", "says", "tone"),
    [
        ({}, "verified and screened", "good"),
        ({"lacks": ["verified", "screened"], "status": "identified"}, "missing: verified, screened", "wait"),
        ({"is_hit": True, "lacks": ["clear"]}, "possible match on a list", "bad"),
        (
            {"must_be_known": False, "lacks": None, "status": "identified"},
            "identified, below the threshold",
            "grey",
        ),
    ],
)
def test_each_persons_state_is_said(other: dict[str, object], says: str, tone: str) -> None:
    node = chart("ivr", [owner("a", "6000", **other)], [held("ivr", "a", 6000)])["nodes"][1]
    assert (node.state, node.tone) == (says, tone)


def test_nobody_behind_an_investor_is_no_chart() -> None:
    assert chart("ivr", [], [])["nodes"] == []


def test_a_mask_gives_nothing_but_initials() -> None:
    assert mask("Viktor  Sokolov") == "V••• S•••"
    assert mask(None) == "not given"


def test_a_fact_that_nobody_knows_is_named_and_adds_nothing() -> None:
    shown = score(
        {
            "asked_name": "Ada Example",
            "listed_name": "Ada EXEMPLE",
            "facts": [{"fact": "name", "outcome": "word_by_word", "effect": 9000}],
        }
    )
    assert [row["title"] for row in shown["facts"]] == ["Name"]
    assert shown["silent"] == ["Birth date", "Country", "Identifier"]
    assert (shown["asked"], shown["listed"]) == ("A••• E•••", "Ada EXEMPLE")


def test_a_wallet_has_no_name_to_mask() -> None:
    shown = score(
        {"address": "0x11", "tickers": ["ETH"], "facts": [{"fact": "wallet", "outcome": "x", "effect": 1}]}
    )
    assert (shown["asked"], shown["listed"], shown["entry"]) == ("", "0x11", {"tickers": ["ETH"]})


def test_an_exact_look_up_keeps_no_parts() -> None:
    assert score({})["facts"] == []


@pytest.mark.parametrize(
    ("clearances", "says"),
    [
        ([], "no offer has asked"),
        ([{"status": "clear", "lacks": []}], "Cleared for 1 offer; nothing is missing."),
        (
            [{"status": "open", "lacks": ["a"]}, {"status": "clear", "lacks": []}],
            "for 1 of 2 offers: 1 check is missing",
        ),
    ],
)
def test_one_sentence_says_where_a_case_stands(clearances: list[dict[str, object]], says: str) -> None:
    assert says in sentence({"status": "in_review"}, clearances)


@pytest.mark.parametrize("after", ["", "0", "0~x~y", "0~2026-01-01~", "x~2026-01-01~y", "~~"])
def test_a_place_that_no_page_wrote_is_the_start(after: str) -> None:
    assert Filters(after=after).place["after_item"] is None


def test_a_place_is_read_as_it_was_written() -> None:
    place = Filters(after="1~2026-01-01T00:00:00+00:00~hit_1").place
    assert place == {"after_rank": 1, "after_due": "2026-01-01T00:00:00+00:00", "after_item": "hit_1"}


def test_of_a_broken_constraint_only_the_rule_is_for_people() -> None:
    quoted = 'new row for relation "hit" violates check constraint "some_rule_stands"'
    assert told(Refused("some_rule_stands", quoted), {})["detail"] == ""
    assert told(Refused("other_rule", "in words"), {})["detail"] == "in words"
    assert told(Refused("some_rule_stands", quoted), {"some_rule_stands": "stands"})["detail"] == "stands"
