"""Files are told apart by what they say; what is no whole list is refused with its reason."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest

from bookrunner.adapters.screening.lists import day_in_name, recognise
from bookrunner.core.errors import Refused

DATA = Path(__file__).parents[1] / "data" / "ofac"
HERE = Path(__file__).parent / "data"
DAY = date(2024, 9, 1)
CONSOLIDATED = (DATA / "CONS_ENHANCED_2025-01.zip").read_bytes()
TICKERS = ("ETH", "USDC", "USDT", "XBT")


def _tables(prefix: str = "") -> dict[str, bytes]:
    files = {path.name: path.read_bytes() for path in (DATA / "sdn_2021-07").glob("*.gz")}
    if not prefix:
        return files
    renamed = {"sdn.csv.gz": "cons_prim.csv.gz", "comments.csv.gz": "cons_comments.csv.gz"}
    return {renamed.get(name, f"cons_{name}"): raw for name, raw in files.items()}


@pytest.mark.parametrize(
    ("files", "source", "entries"),
    [
        (_tables(), "us.ofac.sdn", 8976),
        (_tables("cons"), "us.ofac.consolidated", 8976),
        ({"us_csl.csv.gz": (DATA / "us_csl_2022-04.csv.gz").read_bytes()}, "us.csl", 14048),
        ({"CONS_ENHANCED.ZIP": CONSOLIDATED}, "us.ofac.consolidated", 443),
        ({"SDN_ENHANCED.XML": CONSOLIDATED}, "us.ofac.sdn", 443),
        ({"SDN.XML": (HERE / "sdn_standard.xml").read_bytes()}, "us.ofac.sdn", 2),
        ({"any.xml": (HERE / "eu.xml").read_bytes()}, "eu.consolidated", 2),
        ({"any.xml": (HERE / "un.xml").read_bytes()}, "un.consolidated", 2),
        ({f"{t}.txt": (DATA / f"{t}.txt").read_bytes() for t in TICKERS}, "us.ofac.wallets", 605),
    ],
    ids=["sdn", "cons", "csl", "enhanced", "enhanced sdn", "standard", "eu", "un", "wallets"],
)
def test_each_published_format(files: dict[str, bytes], source: str, entries: int) -> None:
    (published,) = recognise(files, published_on=DAY)
    assert published.source == source
    assert published.files == files
    assert len(published.read().entries) == entries


def test_several_lists_at_once() -> None:
    files = _tables() | {"eu.xml": (HERE / "eu.xml").read_bytes(), "ETH.txt": (DATA / "ETH.txt").read_bytes()}
    assert sorted(one.source for one in recognise(files, published_on=DAY)) == [
        "eu.consolidated",
        "us.ofac.sdn",
        "us.ofac.wallets",
    ]


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({"notes.md": b"# Notes\n"}, "list_file_is_recognised"),
        ({"page.xml": b"<html><body/></html>"}, "list_file_is_recognised"),
        ({"sdn.csv.gz": _tables()["sdn.csv.gz"][:-400]}, "list_file_is_well_formed"),
        ({"CONS.zip": CONSOLIDATED[:-400]}, "list_file_is_well_formed"),
        ({"sdn.csv.gz": _tables()["sdn.csv.gz"]}, "list_file_is_there"),
        ({"eu.xml": (HERE / "eu.xml").read_bytes()[:-60]}, "list_file_is_whole"),
    ],
    ids=["text", "another root", "gzip", "zip", "one table", "xml"],
)
def test_what_is_no_whole_list(files: dict[str, bytes], rule: str) -> None:
    with pytest.raises(Refused) as refused:
        [one.read() for one in recognise(files, published_on=DAY)]
    assert refused.value.rule == rule


def test_a_broken_off_table_is_refused_whole() -> None:
    files = _tables()
    files["sdn.csv"] = gzip.decompress(files.pop("sdn.csv.gz"))[:90_000]
    (published,) = recognise(files, published_on=DAY)
    with pytest.raises(Refused) as refused:
        published.read()
    assert refused.value.rule == "list_file_is_whole"


def test_a_list_without_a_day() -> None:
    (published,) = recognise(_tables(), published_on=None)
    with pytest.raises(Refused) as refused:
        published.read()
    assert refused.value.rule == "list_names_its_day"


@pytest.mark.parametrize(
    ("name", "day"),
    [("sdn_2026-11-02", date(2026, 11, 2)), ("sdn_2026-13-02", None), ("12026-11-02", None), ("sdn", None)],
)
def test_a_day_in_a_name(name: str, day: date | None) -> None:
    assert day_in_name(name) == day
