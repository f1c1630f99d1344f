"""Fees are declared by two people before the offer is published, and stay what investors were shown."""

from __future__ import annotations

import pytest
from psycopg.types.json import Jsonb

from tests.attack.world import Connect, digest
from tests.treasury.escrow import Escrow, refused

PLATFORM = {"kind": "platform_fee", "borne_by": "issuer", "basis_points": 150}
BAD = [
    ({"kind": "tip"}, "fee_kind_is_known"),
    ({"borne_by": "nobody"}, "fee_is_borne_by_somebody"),
    ({"basis_points": 10001}, "fee_is_part_of_the_amount"),
    ({"basis_points": None, "flat_minor": 0, "currency": "USD"}, "flat_fee_is_positive"),
    ({"basis_points": None, "flat_minor": 5}, "flat_fee_has_its_currency"),
    ({"currency": "USD"}, "flat_fee_has_its_currency"),
    ({"basis_points": None, "flat_minor": 5, "currency": "EUR"}, "fee_is_in_the_offers_currency"),
    ({"basis_points": None}, "fee_is_a_part_or_flat"),
    ({"flat_minor": 5, "currency": "USD"}, "fee_is_a_part_or_flat"),
    ({"borne_by": "investor"}, "fee_of_the_investor_is_in_the_terms"),
    ({"borne_by": "investor", "terms_sha256": "00"}, "terms_digest_has_its_length"),
]


@pytest.fixture
def draft(connect: Connect) -> Escrow:
    """Return an offer that is not published yet."""
    world = Escrow(connect)
    terms = {"issuer_id": "iss_one", "name": "Example", "exemption": "506(b)", "currency": "USD"}
    numbers = {"unit_price_minor": 1, "units_total": 9, "minimum_units": 1}
    world.call("engine.open_offer", world.offering, terms | numbers)
    return world


def propose(world: Escrow, **changed: object) -> None:
    world.call("treasury.propose_fee", world.offering, "fee_1", Jsonb(PLATFORM | changed))


def declare(world: Escrow, actor: str = "usr_second", *, is_declared: str = "true", seen: int = 1) -> None:
    world.call("treasury.decide_fee", world.offering, "fee_1", is_declared, seen, actor=actor)


def shown(world: Escrow) -> list[tuple[object, ...]]:
    return world.ask("select kind, borne_by, basis_points, flat_minor, currency from treasury.declared_fee")


def test_two_people_declare_what_investors_are_shown(draft: Escrow) -> None:
    propose(draft)
    assert shown(draft) == []
    with refused("fee_needs_two_people"):
        declare(draft, "usr_first")
    with refused("decision_is_on_the_version_seen"):
        declare(draft, seen=4)
    declare(draft)
    assert shown(draft) == [("platform_fee", "issuer", 150, None, None)]


def test_a_fee_may_be_the_investors_where_the_terms_say_so(draft: Escrow) -> None:
    flat = {"basis_points": None, "flat_minor": 500, "currency": "USD"}
    propose(draft, borne_by="investor", terms_sha256=digest("terms").hex(), **flat)
    declare(draft)
    assert shown(draft) == [("platform_fee", "investor", None, 500, "USD")]


def test_a_declined_fee_is_not_shown(draft: Escrow) -> None:
    propose(draft)
    declare(draft, "usr_first", is_declared="false")
    assert shown(draft) == []


@pytest.mark.parametrize(("changed", "rule"), BAD)
def test_a_fee_is_whole(draft: Escrow, changed: dict[str, object], rule: str) -> None:
    with refused(rule):
        propose(draft, **changed)


def test_nothing_changes_after_publication(connect: Connect) -> None:
    world = Escrow(connect)
    world.build("published")
    with refused("fee_precedes_publication"):
        propose(world)
    with refused("fee_precedes_publication"):
        world.call("treasury.propose_fee", "ofr_none", "fee_1", Jsonb(PLATFORM))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("status = 'declared', decided_by = proposed_by", "fee_needs_two_people"),
        ("status = 'declared'", "decided_fee_names_who"),
    ],
)
def test_no_right_declares_alone(draft: Escrow, change: str, rule: str) -> None:
    propose(draft)
    owner = draft.login("owner")
    with refused(rule), owner.transaction():
        owner.execute("alter table treasury.fee disable trigger zz_guard")
        owner.execute(f"update treasury.fee set {change}".encode())  # noqa: S608
