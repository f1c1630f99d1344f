"""The page of the OWASP ASVS names each requirement once, and each proof that it names exists."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "security").glob("asvs-*.md"))
NUMBERS = Path(__file__).with_name("asvs_5_0.csv")
VERDICTS = {"holds", "does not apply", "operator", "missing"}
PROVEN = re.compile(r"`((?:tests|src|docs|scripts)/[\w/.-]+|[\w-]+\.(?:md|toml|lock))(?:::(\w+))?`")


def rows() -> list[list[str]]:
    """Return the cells of each row of a requirement: number, level, what it asks, verdict, proof."""
    lines = [line for page in PAGES for line in page.read_text(encoding="utf-8").splitlines()]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if re.match(r"\| \d", line)]


def test_each_requirement_of_the_first_two_levels_stands_once() -> None:
    with NUMBERS.open(encoding="ascii", newline="") as file:
        told = Counter((row["number"], row["level"]) for row in csv.DictReader(file))
    assert Counter((row[0], row[1]) for row in rows()) == told
    assert sum(told.values()) == 253


def test_each_row_has_a_verdict_and_its_reason() -> None:
    for number, _, asks, said, proof in rows():
        verdict = said.partition(":")[0]
        assert verdict in VERDICTS, number
        assert asks, number
        assert len(asks.split()) <= 12, number
        if verdict == "holds":
            assert PROVEN.search(proof), number
        else:
            assert said.partition(":")[2].strip(), number


def test_the_first_page_counts_the_rows() -> None:
    told = (ROOT / "docs" / "security" / "asvs.md").read_text(encoding="utf-8")
    counted = Counter((row[3].partition(":")[0], row[1]) for row in rows())
    for verdict in VERDICTS:
        assert re.search(
            rf"^\| {verdict} \|.*\| {counted[verdict, '1']} \| {counted[verdict, '2']} \|$",
            told,
            re.MULTILINE,
        ), verdict


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_named_as_proof_exists(page: Path) -> None:
    lacking = []
    for path, test in PROVEN.findall(page.read_text(encoding="utf-8")):
        file = ROOT / path
        if not file.exists():
            lacking.append(path)
        elif test and not re.search(rf"def {test}\(", file.read_text(encoding="utf-8")):
            lacking.append(f"{path}::{test}")
    assert not lacking
