"""What a form says is refused at the edge, with the rule, when it cannot be true."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from bookrunner.core import identity
from bookrunner.core.countries import COUNTRIES, country_named, country_number, known_country
from bookrunner.core.errors import Refused

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize("text", ["2000-02-29", "1906-11-21", "2026-11-21"])
def test_a_possible_birth_date_is_read(text: str) -> None:
    assert identity.birth_date(text, today=TODAY).isoformat() == text


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("2001-02-29", "birth_date_is_a_day"),
        ("1980-13-01", "birth_date_is_a_day"),
        ("1980-1-1", "birth_date_is_a_day"),
        ("19800101", "birth_date_is_a_day"),
        ("01/02/1980", "birth_date_is_a_day"),
        ("1980-01-01T00:00", "birth_date_is_a_day"),
        ("\u0661\u0669\u0668\u0660-01-01", "birth_date_is_a_day"),
        ("", "birth_date_is_a_day"),
        ("2026-11-22", "birth_date_is_possible"),
        ("1905-12-31", "birth_date_is_possible"),
    ],
)
def test_an_impossible_birth_date_is_refused(text: str, rule: str) -> None:
    with pytest.raises(Refused, match=rule) as refused:
        identity.birth_date(text, today=TODAY)
    assert text not in refused.value.detail or not text


GOOD: list[tuple[Callable[[str], str], str, str]] = [
    (identity.ssn, "536-90-4399", "536904399"),
    (identity.ssn, "536904399", "536904399"),
    (identity.itin, "912-90-3456", "912903456"),
    (identity.ein, "91-1144442", "911144442"),
    (identity.lei, "213800KUD8LAJWSQ9D15", "213800KUD8LAJWSQ9D15"),
    (identity.isin, "US0378331005", "US0378331005"),
    (identity.name, "  Jose\u0301  \u00c1lvarez ", "Jos\u00e9 \u00c1lvarez"),
    (identity.name, "\u4e60\u8fd1\u5e73", "\u4e60\u8fd1\u5e73"),
    (known_country, "XK", "XK"),
]


@pytest.mark.parametrize(("read", "text", "compact"), GOOD)
def test_what_can_be_true_is_returned_compact(read: Callable[[str], str], text: str, compact: str) -> None:
    assert read(text) == compact


BAD: list[tuple[Callable[[str], str], str, list[str]]] = [
    (
        identity.ssn,
        "tax_id_is_ssn",
        ["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "078-05-1120",
         "12345678", "5369-0-4399", "536-90-439a", "\u0665\u0663\u0666904399", ""],
    ),
    (identity.itin, "tax_id_is_itin", ["536-90-4399", "912-10-3456", "912903456x"]),
    (identity.ein, "tax_id_is_ein", ["00-1234567", "911-144442", "91-114444", "07-1234567"]),
    (
        identity.lei,
        "lei_has_its_check_digits",
        ["213800KUD8LAJWSQ9D16", "213800KUD8LAJWSQ9D1", "213800kud8lajwsq9d15",
         "213800KUD8LAJWSQ9D15 "],
    ),
    (identity.isin, "isin_has_its_check_digit", ["US0378331006", "ZZ0378331005", "US037833100"]),
    (
        identity.name,
        "name_has_no_hidden_characters",
        ["Ann\u202eLee", "Ann\u200bLee", "Ann\x00Lee", "Ann\nLee", "Ann\u2066Lee", "Ann\u3164Lee"],
    ),
    (identity.name, "name_has_letters", ["", "   ", "12 34", "--"]),
    (identity.name, "name_fits", ["a" * 201]),
    (known_country, "country_is_known", ["ZZ", "us", "USA", "", "U\u0405"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("read", "rule", "text"), [(read, rule, text) for read, rule, texts in BAD for text in texts]
)
def test_what_cannot_be_true_is_refused_without_saying_it(
    read: Callable[[str], str], rule: str, text: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(text)
    assert refused.value.rule == rule
    assert not text.strip() or text not in str(refused.value)


def test_countries_are_those_of_iso_3166_and_kosovo() -> None:
    assert len(COUNTRIES) == 250
    assert all(len(code) == 2 and code.isupper() for code in COUNTRIES)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Iran", "IR"),
        ("Iran (Islamic Republic of)", "IR"),
        ("Korea, North", "KP"),
        ("Congo, Democratic Republic of the", "CD"),
        ("The Gambia", "GM"),
        ("cote d\u2019ivoire", "CI"),
        ("us", "US"),
        ("Burma", "MM"),
        ("Atlantis", None),
        ("", None),
    ],
)
def test_a_country_is_known_by_code_and_name(text: str, code: str | None) -> None:
    assert country_named(text) == code


@pytest.mark.parametrize(("code", "number"), [("US", 840), ("CA", 124), ("AF", 4), ("ZW", 716), ("XK", 983)])
def test_a_country_has_its_number(code: str, number: int) -> None:
    assert country_number(code) == number


def test_every_country_has_a_number_of_its_own() -> None:
    numbers = {country_number(code) for code in COUNTRIES}
    assert len(numbers) == len(COUNTRIES)
    assert min(numbers) > 0
    assert max(numbers) < 1000
