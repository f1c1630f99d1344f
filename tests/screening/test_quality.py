"""The operating point holds on a small sample: who is listed is found through damage, few others alert."""

from __future__ import annotations

import pytest

from bench import screening as bench
from bench import screening_names as clean
from bookrunner.adapters.screening import SanctionsList
from bookrunner.adapters.screening.screener import Screener


@pytest.fixture(scope="module")
def tally(screener: Screener, csl: SanctionsList) -> bench.Tally:
    return bench._recall(screener, csl, 150)


@pytest.mark.parametrize("who", ["people", "companies"])
def test_benign_damage_is_seen_through(tally: bench.Tally, who: str) -> None:
    assert tally.rate("benign", who) >= 0.985


@pytest.mark.parametrize("who", ["people", "companies"])
def test_adversarial_damage_is_seen_through(tally: bench.Tally, who: str) -> None:
    assert tally.rate("adversarial", who) >= 0.95


def test_few_clean_names_alert(screener: Screener) -> None:
    asked = clean.subjects(4_000, 77)
    assert sum(bool(answer.matches) for answer in screener.screen_all(asked)) <= 40
