"""Lists are read as their publishers write them, whole or not at all."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bookrunner.adapters.screening import BirthDate, EntryKind, Identifier, NameStrength, SanctionsList
from bookrunner.adapters.screening.lists import (
    european_union,
    ofac_csv,
    ofac_xml,
    successor,
    united_nations,
    us_csl,
)
from bookrunner.adapters.screening.lists.dates import birth_date
from bookrunner.adapters.screening.lists.tables import unpacked
from bookrunner.core.errors import Refused

HERE = Path(__file__).parent / "data"
DATA = Path(__file__).parents[1] / "data" / "ofac"
DAY = date(2021, 7, 1)
ENHANCED = (DATA / "CONS_ENHANCED_2025-01.zip").read_bytes()
STANDARD = (HERE / "sdn_standard.xml").read_bytes()
EU = (HERE / "eu.xml").read_bytes()
UN = (HERE / "un.xml").read_bytes()
XML: dict[str, tuple[Callable[[bytes], SanctionsList], bytes]] = {
    "standard": (ofac_xml.read_standard, STANDARD),
    "eu": (european_union.read, EU),
    "un": (united_nations.read, UN),
}


def _names(listed: SanctionsList, key: str) -> dict[str, str]:
    return {name.text: name.strength.value for name in listed.entries[key].names}


def test_the_four_files_of_ofac_are_one_list(sdn: SanctionsList) -> None:
    kinds = Counter(entry.kind.value for entry in sdn.entries.values())
    strengths = Counter(name.strength for entry in sdn.entries.values() for name in entry.names)
    assert kinds == {"person": 4620, "entity": 3673, "vessel": 406, "aircraft": 277}
    assert strengths[NameStrength.PRIMARY] == 8976
    assert strengths[NameStrength.STRONG] > 11_890
    assert strengths[NameStrength.WEAK] > 2_000
    assert sum(bool(entry.birth_dates) for entry in sdn.entries.values()) > 4_400
    assert sum(len(entry.wallets) for entry in sdn.entries.values()) == 97
    assert sdn.unread < 10


def test_remarks_hold_birth_dates_numbers_wallets_and_weak_aliases(sdn: SanctionsList) -> None:
    entry = sdn.entries["ofac:25308"]
    assert entry.birth_dates == (BirthDate(date(1977, 3, 25), date(1977, 3, 25)),)
    assert entry.countries == ("CN",)
    assert len(entry.wallets) == 6
    assert {ticker for ticker, _ in entry.wallets} == {"XBT"}
    assert entry.identifiers == (Identifier("Citizen's Card Number", "421002197703250019", "CN"),)
    assert [name.text for name in entry.names if name.strength is NameStrength.WEAK] == [
        "ZHOU, William",
        "YAN, Steven",
    ]


def test_remarks_that_ran_over_are_joined(sdn: SanctionsList) -> None:
    wallets = dict.fromkeys(address for _, address in sdn.entries["ofac:29703"].wallets)
    assert "0x8576acc5c05d6ce88f4e49bf65bdf0c62f91353c" in wallets
    assert "blackjack1987" in _names(sdn, "ofac:28264")


def test_several_programmes_stand_apart(sdn: SanctionsList) -> None:
    several = [entry.programmes for entry in sdn.entries.values() if len(entry.programmes) > 1]
    assert len(several) > 500
    assert not [p for programmes in several for p in programmes if "[" in p or "]" in p]


def test_the_consolidated_screening_list_is_read_whole(csl: SanctionsList) -> None:
    assert len(csl.entries) == 14_048
    entry = csl.entries["us_csl:30291"]
    assert entry.birth_dates == (BirthDate(date(1978, 4, 8), date(1978, 4, 8)),)
    assert Identifier("Passport", "302114600", "TW") in entry.identifiers
    both = csl.entries["us_csl:34616"].programmes
    assert {"Capta List (CAP)", "Specially Designated Nationals (SDN)"} <= set(both)


def test_sources_of_the_consolidated_screening_list_can_be_chosen() -> None:
    raw = (DATA / "us_csl_2022-04.csv.gz").read_bytes()
    only = us_csl.read(raw, published_on=DAY, sources=("Specially Designated Nationals",))
    assert len(only.entries) == 10_026


def test_the_enhanced_format_names_its_own_day() -> None:
    listed = ofac_xml.read_enhanced(ENHANCED)
    assert len(listed.entries) == 443
    assert listed.version.published_on == date(2025, 1, 10)
    assert _names(listed, "ofac:9639") == {
        "HANIYA, Ismail Abdul Salah": "primary",
        "HANIYA, Ismail": "strong",
        "HANIYYA, Ismaeel": "strong",
    }
    assert listed.entries["ofac:9639"].birth_dates == (BirthDate(date(1962, 1, 1), date(1962, 12, 31)),)
    numbers = {(i.kind, i.value, i.country) for entry in listed.entries.values() for i in entry.identifiers}
    assert ("Legal Entity Number", "253400V1H6ART1UQ0N98", "RU") in numbers


def test_the_standard_format_is_read() -> None:
    listed = ofac_xml.read_standard(STANDARD)
    entry = listed.entries["ofac:990001"]
    assert listed.version.published_on == date(2026, 3, 9)
    assert _names(listed, "ofac:990001") == {
        "PEPPERCORN, Hollis": "primary",
        "PEPPER": "weak",
        "PEPERKOREN, Holis": "strong",
    }
    assert entry.identifiers == (Identifier("Passport", "A0099881", "CU"),)
    assert entry.wallets == (("ETH", "0x00000000000000000000000000000000000000Aa"),)
    assert entry.birth_dates == (BirthDate(date(1954, 1, 1), date(1956, 12, 31)),)
    assert entry.countries == ("CU",)
    assert listed.entries["ofac:990002"].kind is EntryKind.ENTITY


def test_the_list_of_the_european_union_is_read() -> None:
    listed = european_union.read(EU)
    entry = listed.entries["eu:EU.9001.1"]
    assert listed.version.published_on == date(2026, 3, 4)
    assert list(_names(listed, "eu:EU.9001.1").values()) == ["primary", "strong", "weak"]
    assert entry.countries == ("SY",)
    assert entry.identifiers == (Identifier("National passport", "X 1234-567", "SY"),)
    assert [(b.earliest.year, b.latest.year) for b in entry.birth_dates] == [(1961, 1961), (1957, 1961)]
    assert entry.programmes == ("ZZZ",)
    assert listed.unread == 0


def test_the_list_of_the_united_nations_is_read() -> None:
    listed = united_nations.read(UN)
    entry = listed.entries["un:ZZi.901"]
    assert listed.version.published_on == date(2026, 2, 1)
    assert _names(listed, "un:ZZi.901") == {
        "BRASSO TEAKETTLE VANDERPLOOM": "primary",
        "براسو": "strong",
        "Brasso Vanderplum": "strong",
        "The Kettle": "weak",
    }
    assert entry.countries == ("IR",)
    assert entry.identifiers == (Identifier("Passport", "Z9876543", "IR"),)
    assert [(b.earliest.year, b.latest.year) for b in entry.birth_dates] == [
        (1970, 1970),
        (1968, 1970),
        (1966, 1968),
    ]
    assert listed.entries["un:ZZe.902"].kind is EntryKind.ENTITY


@pytest.mark.parametrize("form", XML)
def test_an_xml_file_that_breaks_off_is_refused_at_every_place(form: str) -> None:
    read, raw = XML[form]
    whole = raw.rstrip()
    for end in range(40, len(whole), len(whole) // 40):
        with pytest.raises(Refused, match="list_file_is_whole"):
            read(whole[:end])


@pytest.mark.parametrize("form", XML)
def test_another_kind_of_xml_is_refused(form: str) -> None:
    read, _ = XML[form]
    with pytest.raises(Refused, match="list_file_is_well_formed"):
        read(b"<html><body/></html>")
    with pytest.raises(Refused, match="list_file_is_whole"):
        read(b"")
    with pytest.raises(Refused, match="list_file_has_no_doctype"):
        read(b'<!DOCTYPE a [<!ENTITY b "c">]>' + XML[form][1].split(b"?>", 1)[1])


@pytest.mark.parametrize(
    ("form", "old", "new", "rule"),
    [
        ("eu", b"generationDate", b"otherDate", "list_names_its_day"),
        ("eu", b'code="person"', b'code="ghost"', "list_file_is_well_formed"),
        ("eu", b"EU.9002.2", b"EU.9001.1", "listed_entry_stands_once"),
        ("un", b"dateGenerated", b"otherDate", "list_names_its_day"),
        ("un", b"ZZi.901", b"", "list_file_is_well_formed"),
        ("un", b"IMAGINARY PULLEY WORKS</F", b"</F", None),
        ("standard", b"3/9/2026", b"soon", "list_names_its_day"),
        ("standard", b"Individual", b"Ghost", "list_file_is_well_formed"),
        ("standard", b"INVENTED SHIPPING LINE", b" ", "listed_entry_has_a_name"),
    ],
)
def test_what_an_xml_list_must_say(form: str, old: bytes, new: bytes, rule: str | None) -> None:
    read, raw = XML[form]
    changed = raw.replace(old, new, 1)
    assert changed != raw
    if rule is None:
        assert read(changed).entries["un:ZZe.902"].names[0].text == "Pulley Works Trading"
        return
    with pytest.raises(Refused, match=rule):
        read(changed)


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(Refused, match="list_is_not_empty"):
        european_union.read(b'<export generationDate="2026-01-01"/>')


SMALL = {
    "sdn": b'36,"AEROTEST AIRLINES",-0- ,"CUBA",' + b"-0- ," * 7 + b"-0- \r\n\x1a",
    "alt": b'36,12,"aka","AERO-TEST",-0- \r\n\x1a',
    "add": b'36,25,-0- ,"Havana","Cuba",-0- \r\n\x1a',
    "comments": b"\r\n",
}


def test_a_small_set_of_files_is_read() -> None:
    listed = ofac_csv.read({**SMALL, "comments": b'36,"x"\r\n'}, published_on=DAY)
    assert _names(listed, "ofac:36") == {"AEROTEST AIRLINES": "primary", "AERO-TEST": "strong"}
    assert listed.entries["ofac:36"].countries == ("CU",)


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("sdn", SMALL["sdn"][:-1], "list_file_is_whole"),
        ("alt", SMALL["alt"][:-20], "list_file_is_whole"),
        ("sdn", b"36,-0- \r\n\x1a", "list_file_is_well_formed"),
        ("sdn", b"\xff" + SMALL["sdn"], "list_file_is_well_formed"),
        ("sdn", SMALL["sdn"].replace(b"36", b"AB"), "list_file_is_well_formed"),
        ("sdn", b"\r\n\x1a"[1:], "list_file_is_whole"),
        ("sdn", SMALL["sdn"].replace(b'"AEROTEST AIRLINES"', b"-0- "), None),
        ("alt", SMALL["alt"].replace(b"36", b"37"), "listed_entry_is_known"),
        ("add", b"<html>\r\n\x1a", "list_file_is_well_formed"),
        ("add", b"\x1f\x8bbroken", "list_file_is_well_formed"),
        ("add", b"PK\x03\x04broken", "list_file_is_well_formed"),
        ("add", gzip.compress(SMALL["add"], mtime=0)[:-9], "list_file_is_well_formed"),
    ],
)
def test_a_broken_file_of_ofac_is_refused(name: str, content: bytes, rule: str | None) -> None:
    files = {**SMALL, "comments": b'36,"x"\r\n', name: content}
    if rule is None:
        assert _names(ofac_csv.read(files, published_on=DAY), "ofac:36") == {"AERO-TEST": "strong"}
        return
    with pytest.raises(Refused, match=rule):
        ofac_csv.read(files, published_on=DAY)


def test_a_packed_file_is_not_unpacked_beyond_its_limit() -> None:
    packed = gzip.compress(b"\x00" * 10_001)
    assert len(unpacked("sdn", packed, limit=10_001)) == 10_001
    with pytest.raises(Refused, match="list_file_fits_limit"):
        unpacked("sdn", packed, limit=10_000)
    with pytest.raises(Refused, match="list_file_fits_limit"):
        unpacked("enhanced", ENHANCED, limit=10_000)


def test_a_missing_file_of_ofac_is_named() -> None:
    with pytest.raises(Refused, match="list_file_is_there: alt"):
        ofac_csv.read({name: raw for name, raw in SMALL.items() if name != "alt"}, published_on=DAY)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda raw: raw[:-1], "list_file_is_whole"),
        (lambda raw: raw[: raw.index(b"\n", 5_000) - 30] + b"\n", "list_file_is_well_formed"),
        (lambda raw: raw.replace(b"dates_of_birth", b"birthdays", 1), "list_file_is_well_formed"),
        (lambda raw: raw.replace(b",Individual,", b",Ghost,", 1), "list_file_is_well_formed"),
        (lambda raw: raw[: raw.index(b"\n") + 1], "list_is_not_empty"),
        (lambda raw: raw[:0], "list_file_is_whole"),
    ],
)
def test_a_broken_screening_list_is_refused(change: Callable[[bytes], bytes], rule: str) -> None:
    raw = gzip.decompress((DATA / "us_csl_2022-04.csv.gz").read_bytes())
    with pytest.raises(Refused, match=rule):
        us_csl.read(change(raw), published_on=DAY)


def test_the_version_is_the_digest_of_what_was_read(sdn: SanctionsList, sdn_files: dict[str, bytes]) -> None:
    again = ofac_csv.read(dict(reversed(sdn_files.items())), published_on=DAY)
    assert again.version == sdn.version
    assert ofac_xml.read_enhanced(ENHANCED).version.sha256 != sdn.version.sha256


def test_a_list_may_follow_itself_and_grow(sdn: SanctionsList) -> None:
    fewer = replace(sdn, entries=dict(list(sdn.entries.items())[400:]))
    assert successor(fewer, sdn) is sdn
    assert successor(sdn, fewer) is fewer


def test_a_list_that_shrank_is_older_or_another_is_refused(sdn: SanctionsList) -> None:
    shrunk = replace(sdn, entries=dict(list(sdn.entries.items())[1_000:]))
    with pytest.raises(Refused, match="list_has_not_shrunk: 1000 of 8976"):
        successor(sdn, shrunk)
    swapped = {f"x{number}": entry for number, entry in enumerate(sdn.entries.values())}
    with pytest.raises(Refused, match="list_has_not_shrunk"):
        successor(sdn, replace(sdn, entries=swapped))
    older = replace(sdn, version=replace(sdn.version, published_on=date(2020, 1, 1)))
    with pytest.raises(Refused, match="list_is_not_older"):
        successor(sdn, older)
    with pytest.raises(Refused, match="list_keeps_its_code"):
        successor(sdn, replace(sdn, code="eu"))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("25 Mar 1977", "1977-03-25", "1977-03-25"),
        ("Feb 1980", "1980-02-01", "1980-02-29"),
        ("1962", "1962-01-01", "1962-12-31"),
        ("1973-03-25", "1973-03-25", "1973-03-25"),
        ("circa 1962", "1961-01-01", "1963-12-31"),
        ("1960 to 1962", "1960-01-01", "1962-12-31"),
        ("circa 1979-1982", "1978-01-01", "1983-12-31"),
        ("01 Jan 1960 to 31 Dec 1961", "1960-01-01", "1961-12-31"),
        ("1970-05-06T00:00:00", "1970-05-06", "1970-05-06"),
    ],
)
def test_birth_dates_are_as_exact_as_they_are_written(text: str, first: str, last: str) -> None:
    assert birth_date(text) == BirthDate(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    "text", ["", "31 Feb 1977", "Foo 1977", "1977-13", "unknown", "1962 to 1960", "1 to 2 to 3"]
)
def test_what_is_no_birth_date_is_not_guessed(text: str) -> None:
    assert birth_date(text) is None
