"""Ownership is exact, and what a chart does not say is never guessed."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookrunner.core.errors import Refused
from bookrunner.core.ownership import (
    BENEFICIAL,
    MOST_PATHS,
    OpenEntity,
    Stake,
    blocked_through_ownership,
    percent,
    ultimate_owners,
)


def _stakes(text: str) -> list[Stake]:
    """Read ``owner:owned:percentage`` for each word; ``?`` is an unknown share."""
    rows = (word.split(":") for word in text.split())
    return [Stake(a, b, None if share == "?" else percent(share)) for a, b, share in rows]


def _owners(text: str, entity: str = "e") -> dict[str, tuple[str, bool]]:
    return {o.owner: (str(o.share * 100), o.is_complete) for o in ultimate_owners(_stakes(text), entity)}


def _blocked(text: str, *listed: str) -> tuple[dict[str, str], list[str]]:
    found = blocked_through_ownership(_stakes(text), set(listed))
    return {b.entity: str(b.share * 100) for b in found.blocked}, [o.entity for o in found.undetermined]


def test_percentages_multiply_along_a_path_and_add_over_paths() -> None:
    chart = "ann:h:50 bob:h:50 h:e:40 ann:k:100 k:e:5 cyd:e:55"
    assert _owners(chart) == {"cyd": ("55", True), "ann": ("25", True), "bob": ("20", True)}
    ann = next(o for o in ultimate_owners(_stakes(chart), "e") if o.owner == "ann")
    assert [path.parties for path in ann.paths] == [("ann", "h", "e"), ("ann", "k", "e")]
    assert ann.reaches(BENEFICIAL)
    assert not ann.reaches(BENEFICIAL + Fraction(1, 10**12))


def test_thirds_are_exact() -> None:
    stakes = [Stake(owner, "e", Fraction(1, 3)) for owner in ("a", "b", "c")]
    assert sum(o.share for o in ultimate_owners(stakes, "e")) == 1


def test_an_unknown_share_leaves_a_floor() -> None:
    assert _owners("ann:h:? h:e:60 ann:e:20 bob:e:20") == {"ann": ("20", False), "bob": ("20", True)}


def test_an_entity_nobody_owns_has_no_owners() -> None:
    assert ultimate_owners([], "e") == ()


@pytest.mark.parametrize(
    ("chart", "rule"),
    [
        ("e:e:10", "owner_is_not_the_entity_itself"),
        ("a:e:60 b:e:41", "ownership_is_at_most_whole: e: 101 percent"),
        ("a:e:10 a:e:20", "stake_stands_once"),
        ("a:b:10 b:c:10 c:a:10 c:e:10", "ownership_has_no_cycle"),
        ("a:e:10 e:a:10", "ownership_has_no_cycle"),
    ],
)
def test_what_no_chart_can_hold_is_refused(chart: str, rule: str) -> None:
    with pytest.raises(Refused, match=rule):
        ultimate_owners(_stakes(chart), "e")


@pytest.mark.parametrize(
    ("share", "rule"),
    [
        (Fraction(0), "share_is_positive"),
        (Fraction(-1, 2), "share_is_positive"),
        (Fraction(3, 2), "share_is_at_most_whole"),
    ],
)
def test_a_share_is_above_zero_and_at_most_whole(share: Fraction, rule: str) -> None:
    with pytest.raises(Refused, match=rule):
        ultimate_owners([Stake("a", "e", share)], "e")
    with pytest.raises(Refused, match=rule):
        blocked_through_ownership([Stake("a", "e", share)], ())


def test_a_float_is_no_share() -> None:
    with pytest.raises(Refused, match="share_is_positive"):
        ultimate_owners([Stake("a", "e", 0.5)], "e")  # type: ignore[arg-type]


def test_a_chart_of_too_many_paths_is_refused() -> None:
    layers = MOST_PATHS.bit_length()
    chart = " ".join(f"{side}{n + 1}:{other}{n}:50" for n in range(layers) for side in "ab" for other in "ab")
    with pytest.raises(Refused, match="ownership_is_readable"):
        ultimate_owners(_stakes(chart), "a0")


@pytest.mark.parametrize("text", ["", "-5", "5%", "1e1", "\u0665", "5.", ".5", "1000", "33.3333333333333"])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="share_is_percentage"):
        percent(text)


def test_percentages_are_read_exactly() -> None:
    assert percent("33.3333") == Fraction(333_333, 1_000_000)
    with pytest.raises(Refused, match="share_is_at_most_whole"):
        percent("100.01")
    with pytest.raises(Refused, match="share_is_positive"):
        percent("0")


def test_blocked_owners_are_added_up() -> None:
    assert _blocked("p:e:25 q:e:25 r:e:50", "p", "q") == ({"e": "50"}, [])
    assert _blocked("p:e:25 q:e:24.9999 r:e:50", "p", "q") == ({}, [])


def test_a_blocked_entity_passes_on_its_whole_stake() -> None:
    chart = "p:a:50 a:b:50 b:c:50"
    assert _blocked(chart, "p") == ({"a": "50", "b": "50", "c": "50"}, [])
    last = blocked_through_ownership(_stakes(chart), {"p"}).blocked[-1]
    assert last.paths == (("p", "a", "b", "c"),)


def test_an_entity_that_is_not_blocked_passes_on_nothing() -> None:
    assert _blocked("p:a:49 p:b:49 a:c:50 b:c:50", "p") == ({}, [])


def test_later_layers_add_to_earlier_ones() -> None:
    chart = "p:c:30 p:a:60 a:b:60 b:c:25"
    assert _blocked(chart, "p") == ({"a": "60", "b": "60", "c": "55"}, [])
    paths = blocked_through_ownership(_stakes(chart), {"p"}).blocked[-1].paths
    assert paths == (("p", "a", "b", "c"), ("p", "c"))


def test_an_unknown_share_is_reported_only_where_it_could_matter() -> None:
    assert _blocked("p:a:? q:a:60", "p") == ({}, [])
    assert _blocked("p:a:? q:a:40 a:b:50", "p") == ({}, ["a", "b"])
    assert _blocked("p:a:? q:a:50", "q") == ({"a": "50"}, [])
    assert _blocked("x:a:? p:a:10", "p") == ({}, [])
    found = blocked_through_ownership(_stakes("p:a:? q:a:40"), {"p"})
    assert found.undetermined == (OpenEntity("a", Fraction(0), (Stake("p", "a", None),), ()),)


def test_a_loop_that_could_block_itself_is_reported() -> None:
    found = blocked_through_ownership(_stakes("p:a:10 b:a:50 a:b:50"), {"p"})
    assert found.blocked == ()
    assert [(o.entity, o.known, o.loop) for o in found.undetermined] == [
        ("a", Fraction(1, 10), ("a", "b", "a")),
        ("b", Fraction(0), ("b", "a", "b")),
    ]


def test_a_loop_that_nobody_blocked_reaches_is_none() -> None:
    assert _blocked("b:a:50 a:b:50 p:z:10", "p") == ({}, [])


def test_a_loop_below_a_blocked_owner_is_blocked_by_paths_that_end() -> None:
    found = blocked_through_ownership(_stakes("p:a:50 b:a:50 a:b:60"), {"p"})
    assert [(b.entity, b.share, b.paths) for b in found.blocked] == [
        ("a", Fraction(1), (("p", "a"),)),
        ("b", Fraction(3, 5), (("p", "a", "b"),)),
    ]


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"), st.integers(1, 30)), max_size=14)
)
def test_the_order_of_a_chart_changes_nothing(rows: list[tuple[str, str, int]]) -> None:
    shares = {(a, b): Fraction(n, 100) for a, b, n in rows if a < b}
    stakes = [Stake(a, b, share) for (a, b), share in shares.items()]
    if any(sum(s.share or 0 for s in stakes if s.owned == e) > 1 for e in "abcdef"):
        return
    assert blocked_through_ownership(stakes, {"a"}) == blocked_through_ownership(stakes[::-1], {"a"})
    assert ultimate_owners(stakes, "f") == ultimate_owners(stakes[::-1], "f")
    assert sum(o.share for o in ultimate_owners(stakes, "f")) <= 1
