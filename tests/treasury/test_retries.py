"""A failed payment is tried again on the same investment as often, as long and from where its reason says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bookrunner.core import clock
from tests.attack.world import Connect
from tests.treasury.escrow import PRICE, Escrow, digest, refused

COMMITTED = """
select i.units, i.amount_minor, i.currency, i.status, i.version,
    p.agreement_is_signed, p.agreement_is_countersigned
from engine.investment i join engine.position p using (offering_id, investment_id) where i.investment_id = %s
"""
ATTEMPTS = "select attempt_no, status from treasury.payment_attempt where investment_id = %s order by 1"


@pytest.fixture
def world(connect: Connect) -> Escrow:
    """Return an escrow whose investors are asked to pay."""
    world = Escrow(connect)
    world.build("instructed")
    return world


def again(world: Escrow, name: str, n: int = 1) -> int:
    """Open another attempt on an investment; return what is due."""
    serial = int.from_bytes(name.encode()[-4:]) % 10**9
    due: int = world.call(
        "treasury.retry_payment", world.offering, name, world.id("inv", n), f"RF99{serial:012}"
    )
    return due


def fail(world: Escrow, attempt: str, code: str, rail: str = "ach_debit") -> None:
    world.call("treasury.fail_payment", world.offering, attempt, rail, code)


def order(world: Escrow, name: str, account: str) -> None:
    mandate = digest("mandate")
    world.call("treasury.order_debit", world.offering, name, "inv_one1", digest(account), mandate, "PPD")


def test_units_price_and_signature_stay(world: Escrow) -> None:
    before = world.ask(COMMITTED, "inv_one1")
    fail(world, "pay_one1", "R01")
    assert again(world, "pay_two") == PRICE
    assert world.ask(COMMITTED, "inv_one1") == before
    assert world.ask(ATTEMPTS, "inv_one1") == [(1, "failed"), (2, "initialized")]


def test_reasons_of_one_rail_count_together(world: Escrow) -> None:
    fail(world, "pay_one1", "R01")
    again(world, "pay_two")
    fail(world, "pay_two", "R09")
    again(world, "pay_three")
    fail(world, "pay_three", "R01")
    with refused("reason_allows_a_retry"):
        again(world, "pay_four")
    ((told,),) = world.ask(
        "select sentence from treasury.notification where told_to = 'investor' and attempt_id = 'pay_three'"
    )
    assert told.endswith("It was tried as often as its rule allows. An administrator will be in touch.")
    question = "select then_do, tries_left from treasury.funding_card where investment_id = 'inv_one1'"
    assert world.ask(question) == [("stop", 0)]


@pytest.mark.parametrize(("days", "is_allowed"), [(170, True), (190, False)])
def test_the_days_begin_with_the_first_entry(world: Escrow, days: int, *, is_allowed: bool) -> None:
    first = (clock.today() - timedelta(days=days)).isoformat()
    world.pay("first", world.entry(1, rail="ach_debit", booked_on=first, value_on=first))
    world.call("treasury.record_return", world.offering, "rcp_one1", "R01", clock.today())
    if is_allowed:
        assert again(world, "pay_two") == PRICE
        return
    with refused("reason_allows_a_retry"):
        again(world, "pay_two")


@pytest.mark.parametrize("code", ["R05", "R07", "R10", "R29", "R96"])
def test_no_way_leads_round_a_reason_that_stops(world: Escrow, code: str) -> None:
    fail(world, "pay_one1", code)
    with refused("reason_allows_a_retry"):
        again(world, "pay_two")
    given = ["pay_two", "inv_one1", "RF99000000000002", PRICE, "USD"]
    with refused("failed_payment_is_retried"):
        world.call("treasury.release_instructions", world.offering, *given)
    assert world.ask(ATTEMPTS, "inv_one1") == [(1, "failed")]


def test_two_live_attempts_are_refused(world: Escrow) -> None:
    fail(world, "pay_one1", "R01")
    again(world, "pay_two")
    with refused("retry_follows_a_failure"):
        again(world, "pay_three")
    given = ["pay_three", "inv_one1", "RF99000000000003", PRICE, "USD"]
    with refused("one_payment_attempt_is_live"):
        world.call("treasury.release_instructions", world.offering, *given)


def test_the_account_that_failed_is_not_another_account(world: Escrow) -> None:
    world.call("treasury.approve_source", "ivr_one1", "src_old", digest("closed"))
    order(world, "dbt_1", "closed")
    world.call(
        "treasury.store_debits", world.offering, "pyo_1", b"file", [{"debit": "dbt_1", "trace": "1" * 15}]
    )
    assert world.call("treasury.return_debit", world.offering, "1" * 15, "R02")
    again(world, "pay_two")
    with refused("debit_is_from_another_account"):
        order(world, "dbt_2", "closed")
    world.call("treasury.approve_source", "ivr_one1", "src_new", digest("open"))
    order(world, "dbt_3", "open")


def test_without_another_approved_account_there_is_no_retry(world: Escrow) -> None:
    world.pay("first", world.entry(1, rail="ach_debit"))
    world.call("treasury.record_return", world.offering, "rcp_one1", "R02", "2026-04-02")
    with refused("reason_allows_a_retry"):
        again(world, "pay_two")


@pytest.mark.parametrize("codes", [("R10", "R01"), ("R01", "R10"), ("R99", "R02")])
def test_the_strictest_of_several_reasons_stays(world: Escrow, codes: tuple[str, str]) -> None:
    for name, amount in (("a", 1), ("b", PRICE - 1)):
        world.pay(name, world.entry(1, id=name, key=name, amount=amount, rail="ach_debit"))
    for name, code in zip("ab", codes, strict=True):
        world.call("treasury.record_return", world.offering, name, code, clock.today())
    (kept,) = set(codes) & {"R10", "R99"}
    question = "select status, failed_code from treasury.payment_attempt where investment_id = 'inv_one1'"
    assert world.ask(question) == [("returned", kept)]
    with refused("reason_allows_a_retry"):
        again(world, "pay_two")


def test_a_reason_of_a_part_outlives_the_failure_of_the_whole(world: Escrow) -> None:
    world.pay("part", world.entry(1, amount=1, rail="ach_debit"))
    world.call("treasury.record_return", world.offering, "rcp_one1", "R10", clock.today())
    world.pay("whole", world.entry(1, id="b", key="b", rail="ach_debit"))
    world.call("treasury.record_return", world.offering, "b", "R01", clock.today())
    assert world.ask("select failed_code from treasury.payment_attempt where attempt_id = 'pay_one1'") == [
        ("R10",)
    ]
