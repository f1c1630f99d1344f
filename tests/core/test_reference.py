"""References are found in bank text and never mistaken for another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from bookrunner.core.errors import Refused
from bookrunner.core.reference import find_references, is_valid, make_reference, printed

twelve = st.integers(0, 10**12 - 1).map(lambda number: f"{number:012d}")


def test_known_reference() -> None:
    assert make_reference("000000000001") == "RF74000000000001"
    assert printed("RF74000000000001") == "RF74 0000 0000 0001"


@given(twelve)
def test_references_agree_with_an_independent_check(digits: str) -> None:
    reference = make_reference(digits)
    assert is_valid(reference)
    assert iso11649.is_valid(reference)


@given(twelve, st.integers(2, 15), st.integers(0, 9))
def test_a_changed_digit_is_noticed(digits: str, place: int, digit: int) -> None:
    reference = make_reference(digits)
    changed = reference[:place] + str(digit) + reference[place + 1 :]
    assert is_valid(changed) == (changed == reference)


@given(twelve, st.integers(2, 14))
def test_swapped_neighbours_are_noticed(digits: str, place: int) -> None:
    reference = make_reference(digits)
    swapped = reference[:place] + reference[place + 1] + reference[place] + reference[place + 2 :]
    assert is_valid(swapped) == (swapped == reference)


@given(twelve, st.sampled_from(["{}", "/ROC/{}//", "SUBSCRIPTION{}", "a {} b", "({})", "{} 2026"]))
def test_a_reference_is_found_as_people_type_it(digits: str, text: str) -> None:
    reference = make_reference(digits)
    for form in (reference, reference.lower(), printed(reference), printed(reference).lower()):
        assert find_references(text.format(form)) == [reference]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "RF75000000000001",
        "RF740000000000011",
        "RF74 00000000 00 01",
        "RF\uff174000000000001",
        "RF01000000000001",
    ],
)
def test_what_is_no_reference_is_not_found(text: str) -> None:
    assert find_references(text) == []


def test_each_reference_once_in_order() -> None:
    first, second = make_reference("000000000002"), make_reference("000000000001")
    assert find_references(f"{first} and {second.lower()}, {printed(first)}") == [first, second]


@pytest.mark.parametrize(
    "digits",
    [
        "1",
        "0000000000001",
        "00000000000a",
        "\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff10",
    ],
)
def test_other_digits_are_refused(digits: str) -> None:
    with pytest.raises(Refused, match="reference_has_twelve_digits"):
        make_reference(digits)
    with pytest.raises(Refused, match="reference_is_valid"):
        printed(digits)
