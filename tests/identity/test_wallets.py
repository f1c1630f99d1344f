"""A listed wallet is found however it is written and under whatever ticker it is listed."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from bookrunner.adapters.screening.wallets import ListedWallets, normalise
from bookrunner.core.errors import Refused

DATA = Path(__file__).parents[1] / "data" / "ofac"
RAW = {path.stem: path.read_bytes() for path in DATA.glob("*.txt")}
DAY = date(2024, 9, 1)
LISTED = ListedWallets.load(RAW, published_on=DAY)
UNDER_USDT_ONLY = "0x175d44451403Edf28469dF03A9280c1197ADb92c"


def test_an_address_listed_under_another_ticker_is_hit() -> None:
    screening = LISTED.screen(bytes.fromhex(UNDER_USDT_ONLY[2:]))
    assert screening.hit
    assert screening.matched is not None
    assert screening.matched.tickers == ("USDT",)
    assert screening.list_version == LISTED.version
    assert LISTED.screen_text(UNDER_USDT_ONLY.upper().replace("X", "x")).hit


def test_an_address_under_two_tickers_is_one() -> None:
    matched = LISTED.screen_text("0x983a81ca6FB1e441266D2FbcB7D8E530AC2E05A2").matched
    assert matched is not None
    assert matched.tickers == ("ETH", "USDC", "USDT")
    assert len(LISTED) < sum(len(raw.split()) for raw in RAW.values())


def test_every_listed_line_is_hit() -> None:
    for raw in RAW.values():
        assert all(LISTED.screen_text(address).hit for address in raw.decode().split())


def test_a_clean_address_is_no_hit() -> None:
    screening = LISTED.screen(b"\x11" * 20)
    assert not screening.hit
    assert screening.matched is None


def test_the_version_covers_the_bytes_and_not_the_order() -> None:
    turned = ListedWallets.load(dict(reversed(RAW.items())), published_on=DAY)
    assert turned.version == LISTED.version
    shorter = ListedWallets.load({**RAW, "ETH": RAW["ETH"][:-43]}, published_on=DAY)
    assert shorter.version != LISTED.version


def test_the_case_of_base58_counts() -> None:
    address = "12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h"
    assert LISTED.screen_text(address).hit
    assert not LISTED.screen_text(address.swapcase()).hit
    assert normalise("BC1Q05AKTDDF9CE4P7HH3STGSF253M4VWEU7NKHTMW").islower()
    assert normalise("bitcoincash:qpf2cphc5dkuclkqur7lhj2yuqq9pk3hmukle77vhq")[0] == "q"


@pytest.mark.parametrize("raw", [b"<html>", b"0x12", b"ETH;0x" + b"1" * 40, b"\xff" * 40])
def test_a_file_of_another_format_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused, match="list_line_is_an_address"):
        ListedWallets.load({"ETH": raw}, published_on=DAY)


def test_an_empty_list_and_bad_questions_are_refused() -> None:
    with pytest.raises(Refused, match="list_is_not_empty"):
        ListedWallets.load({"ETH": b"# nothing\n"}, published_on=DAY)
    with pytest.raises(Refused, match="address_has_twenty_bytes"):
        LISTED.screen(b"\x00" * 19)
    with pytest.raises(Refused, match="address_is_plausible"):
        LISTED.screen_text(" 0x")


def test_the_sandbox_ships_an_excerpt() -> None:
    raw = files("bookrunner.sandbox").joinpath("data/ofac_wallets_excerpt.csv").read_bytes()
    excerpt = ListedWallets.load({"excerpt": raw}, published_on=DAY)
    assert len(excerpt) == 23
    assert excerpt.screen(bytes.fromhex(UNDER_USDT_ONLY[2:])).hit
