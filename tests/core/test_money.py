"""Money stays exact: reading, writing, arithmetic and splitting."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookrunner.core.errors import Refused
from bookrunner.core.money import (
    USD,
    Money,
    Rounding,
    Token,
    TokenAmount,
    allocate,
    currency,
    grouped,
    parse,
    parse_token,
    ungrouped,
)

BIG = 2**63 - 1
weights = st.dictionaries(st.text(max_size=4), st.integers(0, 10**12), min_size=1, max_size=40)


@given(st.integers(-BIG, BIG), st.sampled_from(["JPY", "USD", "KWD", "UYW"]))
def test_what_is_written_is_read_back(minor: int, code: str) -> None:
    money = Money(minor, currency(code))
    assert parse(money.format(), code) == money


@pytest.mark.parametrize(
    ("text", "minor"), [("250000.00", 25_000_000), ("19.99", 1999), ("1.7", 170), ("-0.05", -5)]
)
def test_dollars_are_read(text: str, minor: int) -> None:
    assert parse(text, USD).minor == minor


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1000.001", "amount_fits_currency"),
        ("1e3", "amount_is_decimal"),
        ("NaN", "amount_is_decimal"),
        ("\uff11\uff10\uff10", "amount_is_decimal"),
        ("٣", "amount_is_decimal"),
        ("1,000.00", "amount_is_decimal"),
        (" 5.00", "amount_is_decimal"),
        ("5.00\n", "amount_is_decimal"),
        ("+5", "amount_is_decimal"),
        ("--5", "amount_is_decimal"),
        ("007", "amount_is_decimal"),
        (".5", "amount_is_decimal"),
        ("5.", "amount_is_decimal"),
        ("1_000", "amount_is_decimal"),
        ("", "amount_is_decimal"),
        ("92233720368547758.08", "amount_fits_storage"),
    ],
)
def test_anything_else_is_refused(text: str, rule: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse(text, USD)
    assert refusal.value.rule == rule


@pytest.mark.parametrize(
    ("typed", "read"),
    [("250,000.00", "250000.00"), (" 1,234,567 ", "1234567"), ("250000.00", "250000.00"), ("x", "x")],
)
def test_commas_between_whole_groups_are_left_out(typed: str, read: str) -> None:
    assert ungrouped(typed) == read


@pytest.mark.parametrize(
    "typed",
    ["250000,00", "10,00", "1000,5", "1.000,00", "1,00,000", "1234,567", ",500", "1,", "1,234,56", "1,234,"],
)
def test_a_comma_that_may_be_a_decimal_point_is_refused(typed: str) -> None:
    with pytest.raises(Refused) as refusal:
        ungrouped(typed)
    assert refusal.value.rule == "comma_stands_before_three_digits"


def test_yen_have_no_decimals() -> None:
    assert str(parse("500", "JPY")) == "500 JPY"
    with pytest.raises(Refused, match="amount_fits_currency"):
        parse("500.0", "JPY")


@pytest.mark.parametrize("value", [1.0, True, "1", None])
def test_only_ints_are_money(value: object) -> None:
    with pytest.raises(Refused, match="amount_is_whole"):
        Money(value, USD)  # type: ignore[arg-type]


def test_currencies_do_not_mix() -> None:
    with pytest.raises(Refused, match="currencies_are_equal"):
        Money(1, USD) + Money(1, currency("EUR"))
    with pytest.raises(Refused, match="currency_is_known"):
        currency("usd")


@pytest.mark.parametrize(
    ("rounding", "minor"), [(Rounding.DOWN, 33), (Rounding.UP, 34), (Rounding.HALF_EVEN, 33)]
)
def test_a_product_names_its_rounding(rounding: Rounding, minor: int) -> None:
    assert Money(100, USD).times(Fraction(1, 3), rounding).minor == minor
    with pytest.raises(Refused, match="product_is_exact"):
        Money(100, USD).times(Fraction(1, 3))
    with pytest.raises(Refused, match="factor_is_exact"):
        Money(100, USD).times(0.5)  # type: ignore[arg-type]


def test_token_amounts_exceed_sixty_four_bits() -> None:
    token = Token("eip155:1", "0x" + "11" * 20, 18)
    amount = parse_token("11400000.000000000000000001", token)
    assert amount.base == 11_400_000 * 10**18 + 1
    assert amount.format() == "11400000.000000000000000001"
    with pytest.raises(Refused, match="amount_fits_storage"):
        TokenAmount(10**38, token)
    with pytest.raises(Refused, match="amount_fits_storage"):
        TokenAmount(-1, token)


@given(st.integers(0, 10**18), weights.filter(lambda w: sum(w.values()) > 0), st.randoms())
def test_a_split_is_exact_fair_and_independent_of_order(
    total: int, parts: dict[str, int], random: object
) -> None:
    shares = allocate(total, parts)
    mass = sum(parts.values())
    assert sum(shares.values()) == total
    for key, weight in parts.items():
        floor = total * weight // mass
        assert floor <= shares[key] <= floor + (total * weight % mass > 0)
    shuffled = list(parts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert allocate(total, {key: parts[key] for key in shuffled}) == shares


def test_ties_go_by_key() -> None:
    assert allocate(100, {"c": 1, "b": 1, "a": 1}) == {"a": 34, "b": 33, "c": 33}


@pytest.mark.parametrize("parts", [{}, {"a": 0}, {"a": 2, "b": -1}])
def test_unusable_weights_are_refused(parts: dict[str, int]) -> None:
    with pytest.raises(Refused, match="weights_are_usable"):
        allocate(10, parts)


def test_a_negative_total_is_refused() -> None:
    with pytest.raises(Refused, match="total_is_not_negative"):
        allocate(-1, {"a": 1})


@pytest.mark.parametrize(
    ("minor", "code", "text"),
    [
        (1_234_567, "USD", "12,345.67 USD"),
        (1_234_567, "JPY", "1,234,567 JPY"),
        (1_234_567, "KWD", "1,234.567 KWD"),
        (-5, "USD", "-0.05 USD"),
        (0, "JPY", "0 JPY"),
    ],
)
def test_an_amount_is_written_for_people_in_its_own_currency(minor: int, code: str, text: str) -> None:
    assert grouped(minor, code) == text
