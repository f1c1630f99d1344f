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


class Charged(Escrow):
    """An offer whose fees are declared before it is published."""

    def escrow(self, account: str = "ESCROW1", name: str = "first") -> None:
        super().escrow(account, name)
        flat = {"kind": "transaction_fee", "borne_by": "issuer", "flat_minor": 50, "currency": "USD"}
        for fee, terms in (("fee_1", PLATFORM), ("fee_2", flat)):
            self.call("treasury.propose_fee", self.offering, fee, Jsonb(terms))
            self.call("treasury.decide_fee", self.offering, fee, "true", 1, actor="usr_second")


def _withheld(*parts: tuple[str, int]) -> list[dict[str, object]]:
    return [
        {"kind": kind, "payee": f"payee{n}", "fingerprint": digest(f"payee{n}").hex(), "amount": amount}
        for n, (kind, amount) in enumerate(parts)
    ]


@pytest.mark.parametrize(
    ("parts", "agrees"),
    [
        ((("platform_fee", 4_500), ("transaction_fee", 150)), True),
        ((("platform_fee", 3_000), ("platform_fee", 1_500), ("transaction_fee", 150)), True),
        ((("platform_fee", 4_501), ("transaction_fee", 150)), False),
        ((("platform_fee", 4_500),), False),
        ((("broker_commission", 4_650),), False),
        ((), False),
    ],
)
def test_a_release_withholds_the_fees_that_were_shown(
    connect: Connect, parts: tuple[tuple[str, int], ...], agrees: bool
) -> None:
    world = Charged(connect).build("registered")
    withheld = sum(amount for _, amount in parts)
    gross = world.call(
        "treasury.propose_release",
        world.offering,
        "rel_1",
        world.closing,
        digest("payee"),
        Jsonb(_withheld(*parts)),
    )
    approve = ("treasury.approve_release", world.offering, "rel_1", digest("payee"), gross, gross - withheld)
    if not agrees:
        with refused("deductions_are_the_fees_shown"):
            world.call(*approve, actor="usr_second")
        world.call(*approve, "the broker waived a part", actor="usr_second")
    else:
        world.call(*approve, actor="usr_second")
    assert world.ask("select fees_differ, status from treasury.release") == [(not agrees, "sent")]
    world.check()


def test_no_right_approves_other_fees_without_a_reason(connect: Connect) -> None:
    world = Charged(connect).build("registered")
    world.call("treasury.propose_release", world.offering, "rel_1", world.closing, digest("payee"), Jsonb([]))
    owner = world.login("owner")
    with refused("deductions_are_the_fees_shown"), owner.transaction():
        owner.execute(b"alter table treasury.release disable trigger zz_guard")
        owner.execute(
            b"update treasury.release set status = 'approved', approved_by = 'x', fees_differ = true"
        )
